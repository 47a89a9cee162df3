/** How the data plane begins to listen, and how it ends. */
import { once } from "node:events";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Settings } from "../config/settings.ts";
import { ACCEPT_BACKLOG } from "../listener/connection-seats.ts";
import type { DataPlane } from "./data-plane.ts";

/** Resolves with the address it is really bound to. */
export async function listen(server: Server, { host, port }: Settings["listen"], isTls: boolean): Promise<string> {
  server.listen({ port, host, backlog: ACCEPT_BACKLOG });
  await once(server, "listening");
  const bound = server.address() as AddressInfo;
  return `${isTls ? "https" : "http"}://${bound.family === "IPv6" ? `[${bound.address}]` : bound.address}:${bound.port}`;
}

/** Resolves when nothing runs any more; after `drainMs` what still runs is cut. */
export async function drain(dataPlane: DataPlane, drainMs: number): Promise<void> {
  const { server } = dataPlane;
  dataPlane.drain();
  const closed = new Promise((resolve) => server.close(resolve));
  server.closeIdleConnections();
  const late = setTimeout(() => {
    dataPlane.end();
    setTimeout(() => server.closeAllConnections(), 1_000).unref();
  }, drainMs);
  const idle = setInterval(() => server.closeIdleConnections(), 100);
  await closed;
  clearTimeout(late);
  clearInterval(idle);
  dataPlane.end();
}
