/** A connection to the database that can fall silent without being closed, as a network does. */
import { once } from "node:events";
import { connect, createServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";

export interface Link {
  readonly port: number;
  /** Whether what is sent in this direction arrives. */
  toServer: boolean;
  toClient: boolean;
  /** What was held up arrives now. */
  deliver(): void;
  close(): Promise<void>;
}

/** Both ends stay open until `close()`, also where the other one has gone: nothing of that arrives either. */
export async function openLink(serverPort: number): Promise<Link> {
  const sockets: Socket[] = [];
  const held: (() => void)[] = [];
  const server = createServer((client) => {
    const upstream = connect(serverPort, "127.0.0.1");
    sockets.push(client, upstream);
    const pass = (from: Socket, to: Socket, arrives: () => boolean): void => {
      const sent = (send: () => void): void => void (arrives() ? send() : held.push(send));
      from.on("data", (bytes) => sent(() => to.write(bytes)));
      from.on("close", () => sent(() => to.end()));
      from.on("error", () => {});
    };
    pass(client, upstream, () => link.toServer);
    pass(upstream, client, () => link.toClient);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const link: Link = {
    port: (server.address() as AddressInfo).port,
    toServer: true,
    toClient: true,
    deliver() {
      link.toServer = link.toClient = true;
      for (const send of held.splice(0)) send();
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
  return link;
}
