/**
 * The clients' connections. Whether a client is still there is asked of its socket, never of a response: the response of
 * a pipelined request has no socket while another one is written, and never hears that the connection closed. Each
 * socket has one listener for all of its requests, and one request runs on it at a time.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Clock } from "../kernel/clock.ts";
import { pipelinedOn, whenAlone } from "../listener/one-at-a-time.ts";
import type { ConnectionSeats } from "../listener/connection-seats.ts";
import type { Exchange } from "./exchange.ts";

/** A client that reads must take so much in the time of a stall: a drip is no reading. */
const STALL_BYTES_MIN = 16 * 1024;
/** For answers before the environment is known. */
const READER_STALL_MS = 60_000;
/** How long the rest of an unwanted body may still arrive before its connection is closed. */
const UNWANTED_BODY_MS = 5_000;
/** So long a connection may stay open that was ended here. */
const ENDED_MS = 5_000;

class Connection {
  exchange: Exchange | null = null;
  /** Of the sent bytes, those the system had taken, and when that was seen. */
  takenBytes = 0;
  takenAtMs = 0;
  /** When it was first seen to have nothing to do but to go away; 0 = it has. */
  overAtMs = 0;
  isGone = false;
  /** The key of a request that was served on it before. */
  owner: string | null = null;

  /** Whose key was proved on it last; null where none was. */
  readonly provenOwner = (): string | null => {
    const key = this.exchange?.key;
    return key ? `${key.environment}/${key.id}` : this.owner;
  };
}

export class Connections {
  readonly #bySocket = new Map<Socket, Connection>();
  readonly #clock: Pick<Clock, "monotonic">;
  readonly #seats: Pick<ConnectionSeats, "whoProves">;

  constructor(clock: Pick<Clock, "monotonic">, seats: Pick<ConnectionSeats, "whoProves">) {
    this.#clock = clock;
    this.#seats = seats;
  }

  get size(): number {
    return this.#bySocket.size;
  }

  /** Runs a request when its turn on the connection has come. */
  enter(request: IncomingMessage, response: ServerResponse, begin: () => Exchange): void {
    const connection = this.#connectionOf(request.socket);
    whenAlone(request, response, () => {
      if (connection.isGone) return;
      connection.owner = connection.provenOwner();
      connection.exchange = begin();
    });
  }

  /**
   * A response on this connection is due or under way: nothing may be written that would be taken for it. Errors in the
   * body of an unanswered request belong to that request.
   */
  isBusy(socket: Socket): boolean {
    const connection = this.#bySocket.get(socket);
    if (!connection?.exchange) return false;
    const { request, response, isSettled } = connection.exchange;
    if (pipelinedOn(socket) > 0) return true;
    if (isSettled && response.writableFinished) return false;
    return request.complete || response.headersSent;
  }

  /** Disconnects clients that do not read what was sent, or keep sending what is not read. */
  sweep(): void {
    const nowMs = this.#clock.monotonic();
    for (const [socket, connection] of this.#bySocket) {
      if (this.#isOverFor(connection, socket, nowMs)) {
        socket.destroy();
        continue;
      }
      if (socket.writableLength === 0) {
        connection.takenAtMs = 0;
        const { exchange } = connection;
        // A connection that rests does not keep the request it served last, nor its body.
        if (exchange?.isSettled && exchange.response.writableFinished && exchange.request.complete) {
          connection.owner = connection.provenOwner();
          connection.exchange = null;
        }
        continue;
      }
      const taken = socket.bytesWritten - socket.writableLength + takenOfWrite(socket);
      if (connection.takenAtMs === 0 || taken - connection.takenBytes >= STALL_BYTES_MIN) {
        connection.takenBytes = taken;
        connection.takenAtMs = nowMs;
        continue;
      }
      const stallMs = connection.exchange?.right?.environment.readerStallMs ?? READER_STALL_MS;
      if (nowMs - connection.takenAtMs < stallMs) continue;
      if (connection.exchange) connection.exchange.isStalled = true;
      socket.destroy();
    }
  }

  /** Its request is answered and its body still comes, or it was ended here and does not close. */
  #isOverFor(connection: Connection, socket: Socket, nowMs: number): boolean {
    const { exchange } = connection;
    const isUnwanted = exchange !== null && exchange.isSettled && !exchange.request.complete;
    if (!isUnwanted && !socket.writableEnded) {
      connection.overAtMs = 0;
      return false;
    }
    if (connection.overAtMs === 0) connection.overAtMs = nowMs;
    return nowMs - connection.overAtMs >= (isUnwanted ? UNWANTED_BODY_MS : ENDED_MS) && socket.writableLength === 0;
  }

  #connectionOf(socket: Socket): Connection {
    const known = this.#bySocket.get(socket);
    if (known) return known;
    const connection = new Connection();
    this.#bySocket.set(socket, connection);
    this.#seats.whoProves(socket, connection.provenOwner);
    const onGone = (): void => {
      if (connection.isGone) return;
      connection.isGone = true;
      connection.exchange?.leave();
    };
    const onClosed = (): void => {
      this.#bySocket.delete(socket);
      onGone();
    };
    // A client that closes its half of the connection has gone, as for node itself. Unread data keeps the socket open,
    // so it is still checked.
    socket.once("end", onGone).once("close", onClosed);
    if (socket.destroyed) onClosed();
    return connection;
  }
}

/** What the system took of the write that is under way; node counts a write when all of it is taken. */
function takenOfWrite(socket: Socket): number {
  const handle = (socket as unknown as { _handle?: { writeQueueSize?: number } | null })._handle;
  const inWrite = socket.writableLength;
  return Math.max(0, inWrite - (handle?.writeQueueSize ?? inWrite));
}
