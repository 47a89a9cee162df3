/**
 * The admin API's two entrances: a TCP listener for holders of admin keys and a Unix socket in the data directory for
 * the operating-system user. Both bound headers and time; the TCP listener only accepts known host names.
 */
import { chmodSync } from "node:fs";
import { createServer as createPlainServer } from "node:http";
import type { IncomingMessage, RequestListener, Server, ServerOptions } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { Server as TlsServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import type { SecureContextOptions } from "node:tls";
import { getRequestListener } from "@hono/node-server";
import type { HttpBindings } from "@hono/node-server";
import { Problem } from "@sallyport/protocol";
import { currentUser } from "../kernel/current-user.ts";
import { whenAlone } from "../listener/one-at-a-time.ts";
import { clientAddress, isTrusted } from "../listener/client-address.ts";
import { normalizeAddress } from "../kernel/network-list.ts";
import type { AddressRules } from "../listener/client-address.ts";
import { ACCEPT_BACKLOG, ConnectionSeats } from "../listener/connection-seats.ts";
import { headerLines, headerRefusal } from "../listener/header-form.ts";
import type { HostNames } from "../listener/host-names.ts";
import type { AdminApp } from "./app.ts";
import type { AdminCaller } from "./caller.ts";
import { answerProblem } from "./problem-answer.ts";
import { arrivesAt } from "./request-body.ts";
import { clearStaleSocket } from "./stale-socket.ts";

export interface AdminServerPorts {
  readonly app: AdminApp;
  /** Names answered on TCP; the socket has no name to be rebound. */
  readonly hosts: HostNames;
  readonly tls: SecureContextOptions | null;
  /** `<data>/admin.sock`; null = no socket. */
  readonly socketPath: string | null;
  /** With trusted proxies, every other peer is dropped (R16); a listener on loopback has no such peers. */
  readonly addresses: AddressRules;
  /** The most connections of each listener. */
  readonly connectionsMax: { readonly tcp: number; readonly socket: number };
}

export interface AdminServer {
  /** Opens the TCP listener and the socket, or neither. Port 0 = any free port. */
  listen(address: { readonly host: string; readonly port: number }): Promise<void>;
  /** `http://127.0.0.1:11436`, with the port really bound. Call after `listen`. */
  url(): string;
  /** New certificates for new connections; does nothing on a plain listener. */
  setSecureContext(tls: SecureContextOptions): void;
  /** Takes no new connection, ends idle ones and lets running answers finish. */
  close(): Promise<void>;
}

const LIMITS: ServerOptions = {
  maxHeaderSize: 16 * 1024,
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  keepAliveTimeout: 5_000,
  connectionsCheckingInterval: 2_000,
  insecureHTTPParser: false,
  requireHostHeader: true,
  joinDuplicateHeaders: false,
};
/** No escapes, no empty or climbing segments: the path that is matched is the path that was sent (R3). */
const TARGET =
  /^(?!.*\/\/)(?!.*\/\.\.?(?:[/?]|$))\/(?:scim\/v2\/Schemas\/urn:[A-Za-z0-9:._-]+|[A-Za-z0-9/._-]*)(?:\?[^#]*)?$/;
const TARGET_MAX = 4_096;
const HANDSHAKE_TIMEOUT_MS = 10_000;
/** The longest a running answer may hold up closing. */
const CLOSE_MS = 5_000;

export function createAdminServer(ports: AdminServerPorts): AdminServer {
  const { app, hosts, tls, socketPath, addresses, connectionsMax } = ports;
  const seats = new ConnectionSeats({ capacity: connectionsMax.tcp, isShared: (peer) => isTrusted(addresses, peer) });
  const socketSeats = new ConnectionSeats({ capacity: connectionsMax.socket, isShared: () => true });
  /** By connection, who proved to be its caller last. */
  const proven = new WeakMap<Socket, string>();

  const overTcp = listenerOf((incoming) => {
    const { rawHeaders, socket: connection } = incoming;
    const problem = formProblem(incoming);
    if (problem) return problem;
    if (!hosts.has(headerLines(rawHeaders, "host")[0] ?? "")) return new Problem("host_unknown");
    const address = clientAddress(addresses, incoming);
    seats.whoProves(connection, () => proven.get(connection) ?? null);
    const onProven = (actor: string): void => void proven.set(connection, actor);
    return { kind: "tcp", rawHeaders, onProven, ...(address === undefined ? {} : { address }) };
  });
  const overSocket = listenerOf((incoming) => formProblem(incoming) ?? { kind: "socket", user: currentUser() });
  const tcp: Server | TlsServer = tls
    ? createTlsServer({ ...LIMITS, ...tls, handshakeTimeout: HANDSHAKE_TIMEOUT_MS }, overTcp)
    : createPlainServer(LIMITS, overTcp);
  const socket = createPlainServer(LIMITS, overSocket);
  // Node would silently drop the lines above a count; too many are rejected by what was sent.
  for (const server of [tcp, socket]) server.maxHeadersCount = 0;
  tcp.on("connection", (peer: Socket) => {
    const isBehindProxy =
      addresses.trusted !== null && !isLoopback((tcp.address() as AddressInfo | null)?.address ?? "");
    if (isBehindProxy && !isTrusted(addresses, normalizeAddress(peer.remoteAddress ?? ""))) peer.destroy();
    else seats.enter(peer);
  });
  socket.on("connection", (peer: Socket) => void socketSeats.enter(peer));

  function listenerOf(judge: (incoming: IncomingMessage) => AdminCaller | Problem): RequestListener {
    const listener = getRequestListener(
      (request, env) => {
        const { incoming } = env as HttpBindings;
        arrivesAt(request, incoming);
        const caller = judge(incoming);
        return caller instanceof Problem ? answerProblem(caller) : app.handle(request, caller);
      },
      { overrideGlobalObjects: false },
    );
    return (incoming, outgoing) => whenAlone(incoming, outgoing, () => void listener(incoming, outgoing));
  }

  return {
    async listen({ host, port }) {
      await opened(tcp, () => tcp.listen({ port, host, backlog: ACCEPT_BACKLOG }));
      if (socketPath === null) return;
      try {
        await clearStaleSocket(socketPath);
        await opened(socket, () => socket.listen({ path: socketPath, backlog: ACCEPT_BACKLOG }));
        chmodSync(socketPath, 0o600);
      } catch (cause) {
        await Promise.all([closed(tcp), closed(socket)]);
        throw cause;
      }
    },
    url() {
      const { address, port, family } = tcp.address() as AddressInfo;
      return `${tls ? "https" : "http"}://${family === "IPv6" ? `[${address}]` : address}:${port}`;
    },
    setSecureContext(next) {
      if ("setSecureContext" in tcp) tcp.setSecureContext(next);
    },
    async close() {
      await Promise.all([closed(tcp), closed(socket)]);
    },
  };
}

function isLoopback(address: string): boolean {
  return address === "::1" || address.startsWith("127.");
}

function formProblem({ url = "", rawHeaders }: IncomingMessage): Problem | undefined {
  const refusal = headerRefusal(rawHeaders);
  if (refusal) return new Problem(refusal.code, refusal.detail);
  if (url.length > TARGET_MAX) return new Problem("target_too_long");
  return TARGET.test(url) ? undefined : new Problem("target_malformed");
}

function opened(server: Server, open: () => void): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.once("listening", () => {
      server.off("error", reject);
      resolve();
    });
    open();
  });
}

function closed(server: Server): Promise<void> {
  if (!server.listening) return Promise.resolve();
  return new Promise((resolve) => {
    const cut = setTimeout(() => server.closeAllConnections(), CLOSE_MS);
    server.close(() => {
      clearTimeout(cut);
      resolve();
    });
    server.closeIdleConnections();
  });
}
