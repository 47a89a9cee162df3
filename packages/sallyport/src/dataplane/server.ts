/**
 * The data plane's listener: node's HTTP parser in its strict setting, bounds on headers and time, and one pipeline for
 * everything that arrives. What the parser itself rejects is answered here in plain JSON.
 */
import { createServer as createPlainServer } from "node:http";
import type { IncomingMessage, Server, ServerOptions, ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { Socket } from "node:net";
import type { SecureContextOptions } from "node:tls";
import { problems } from "@sallyport/protocol";
import type { ProblemCode } from "@sallyport/protocol";
import type { Clock } from "../kernel/clock.ts";
import { randomBase62 } from "../kernel/ids.ts";
import { isTrusted } from "../listener/client-address.ts";
import { normalizeAddress } from "../kernel/network-list.ts";
import type { AddressRules } from "../listener/client-address.ts";
import type { ConnectionSeats } from "../listener/connection-seats.ts";
import type { Connections } from "./connections.ts";
import { Exchange } from "./exchange.ts";

export const HEADER_BYTES_MAX = 16 * 1024;
const HEADERS_TIMEOUT_MS = 10_000;
const KEEP_ALIVE_MS = 65_000;
const HANDSHAKE_TIMEOUT_MS = 10_000;
/** So long a client has to read why its connection is closed. */
const RAW_LINGER_MS = 1_000;

export interface DataServerPorts {
  readonly clock: Clock;
  readonly addresses: AddressRules;
  readonly connections: Connections;
  readonly seats: ConnectionSeats;
  readonly run: (exchange: Exchange) => Promise<void>;
  /** A request that the HTTP parser rejected, for the aggregates. */
  readonly refusedByParser: (code: ProblemCode, address: string) => void;
}

export function createDataServer(ports: DataServerPorts, tls: SecureContextOptions | null): Server {
  const options: ServerOptions = {
    maxHeaderSize: HEADER_BYTES_MAX,
    headersTimeout: HEADERS_TIMEOUT_MS,
    // Bodies have separate bounds (read-body, blob-body; connections for unwanted ones): a large blob may take longer
    // than any fixed time for a whole request.
    requestTimeout: 0,
    keepAliveTimeout: KEEP_ALIVE_MS,
    connectionsCheckingInterval: 2_000,
    insecureHTTPParser: false,
    requireHostHeader: true,
    joinDuplicateHeaders: false,
    noDelay: true,
  };
  const server = tls
    ? createTlsServer({ ...options, ...tls, handshakeTimeout: HANDSHAKE_TIMEOUT_MS })
    : createPlainServer(options);
  const { addresses, clock, connections, seats, run } = ports;

  function accept(request: IncomingMessage, response: ServerResponse, expectsContinue: boolean): void {
    connections.enter(request, response, () => begin(request, response, expectsContinue));
  }

  function begin(request: IncomingMessage, response: ServerResponse, expectsContinue: boolean): Exchange {
    const exchange = new Exchange(
      request,
      response,
      `req_${randomBase62(16)}`,
      clock.now(),
      clock.monotonic(),
      expectsContinue,
    );
    void run(exchange);
    return exchange;
  }

  /** Nothing is written into a running response: its reader would take it for a part of it. */
  function answerOrClose(socket: Socket, code: ProblemCode): void {
    if (connections.isBusy(socket)) socket.on("error", () => {}).destroy();
    else answerRaw(socket, code);
  }
  // Node would silently drop the lines above a count; too many are rejected (admit) by what was sent.
  server.maxHeadersCount = 0;
  server.on("connection", (socket: Socket) => {
    // Behind a proxy no other peer is served (R16): its connection is dropped without a response.
    if (addresses.trusted !== null && !isTrusted(addresses, normalizeAddress(socket.remoteAddress ?? "")))
      socket.destroy();
    else seats.enter(socket);
  });
  server.on("request", (request, response) => accept(request, response, false));
  server.on("checkContinue", (request: IncomingMessage, response: ServerResponse) => accept(request, response, true));
  server.on("checkExpectation", (_request: IncomingMessage, response: ServerResponse) => {
    response.writeHead(417, { "content-length": "0", connection: "close" }).end();
  });
  // No listener for `upgrade`: an offer to speak another protocol (Java's HttpClient makes one of h2c with each first
  // request) may be ignored, and the request is then served as any other (RFC 9110, 7.8).
  server.on("connect", (_request: IncomingMessage, socket: Socket) => answerOrClose(socket, "target_malformed"));
  server.on("clientError", (error: NodeJS.ErrnoException, socket: Socket) => {
    // A broken connection is not a malformed request: what ran on it ends by itself.
    if (error.code === "ECONNRESET" || error.code === "EPIPE") return void socket.destroy();
    const code = parserRefusal(error);
    ports.refusedByParser(code, normalizeAddress(socket.remoteAddress ?? ""));
    answerOrClose(socket, code);
  });
  return server;
}

function parserRefusal(error: NodeJS.ErrnoException): ProblemCode {
  if (error.code === "HPE_HEADER_OVERFLOW") return "headers_too_large";
  if (error.code === "ERR_HTTP_REQUEST_TIMEOUT") return "request_timeout";
  return "header_malformed";
}

/** An answer without a request: written to the socket, which is then closed. */
function answerRaw(socket: Socket, code: ProblemCode): void {
  // Node releases the socket of a CONNECT, its error listener included: a reset would end the program.
  socket.on("error", () => socket.destroy());
  if (!socket.writable || socket.destroyed) {
    socket.destroy();
    return;
  }
  // Keep reading, so that its end is noticed, but not for long: such a socket is in no list and would stay open
  // forever.
  socket.resume();
  setTimeout(() => socket.destroy(), RAW_LINGER_MS).unref();
  const { status, title, remedy } = problems[code];
  const body = JSON.stringify({ error: `${title}; ${remedy}`, code });
  socket.end(
    `HTTP/1.1 ${status} Refused\r\ncontent-type: application/json; charset=utf-8\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  );
}
