/**
 * One request of a connection runs at a time, in the order in which they came. The response of a pipelined request has no
 * socket while another one is written: it never hears that the connection closed, and what runs for it would never end.
 * And no more than one begins in one turn of the event loop: a connection with a hundred requests in its buffer would else
 * hold up everybody who has one, a revocation included.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";

/** Requests that may follow on a connection before the present one is answered, and the largest body of one. */
const PIPELINED_MAX = 128;
const PIPELINED_BODY_MAX = 8 * 1024;

/** So long a client has to read the answers that were sent before. */
const ENDED_MS = 5_000;

const waiting = new WeakMap<Socket, number>();

/** How many requests of a connection wait for the present one. */
export function pipelinedOn(socket: Socket): number {
  return waiting.get(socket) ?? 0;
}

/**
 * Begins when the connection is the request's: at once, unless it was pipelined; never if the connection closes before.
 * A connection ends after the response to a request that offered an upgrade: Node drops the bytes that came with such a
 * request, and would read the rest as a new request.
 */
export function whenAlone(request: IncomingMessage, response: ServerResponse, begin: () => void): void {
  if (request.headers.upgrade !== undefined) response.shouldKeepAlive = false;
  if (response.socket !== null) return begin();
  const { socket } = request;
  const before = pipelinedOn(socket);
  // A long body would fill the socket's buffer and hide that the client has gone: the connection ends after its answer.
  if (before >= PIPELINED_MAX || hasLongBody(request)) {
    request.resume();
    response.once("socket", (own: Socket) => {
      own.end();
      // Its client may keep the other half open for as long as it likes.
      setTimeout(() => own.destroy(), ENDED_MS).unref();
    });
    return;
  }
  waiting.set(socket, before + 1);
  response.once("socket", () => {
    setImmediate(() => {
      waiting.set(socket, pipelinedOn(socket) - 1);
      begin();
    });
  });
}

function hasLongBody({ headers }: IncomingMessage): boolean {
  if (headers["transfer-encoding"] !== undefined) return true;
  return Number(headers["content-length"] ?? 0) > PIPELINED_BODY_MAX;
}
