/**
 * A connection to an upstream that is read at most about once a millisecond while chunks come faster than that. Tokens
 * come further apart, so each is read when it comes. A server that sends faster (bursts, small models, benches) has its
 * chunks gathered by the kernel meanwhile: one read, one parse and one write for several. Nothing that was read is held back.
 */
import { Socket } from "node:net";
import type { UpstreamTls } from "../../access/upstream-state.ts";
import { buildConnector, errors } from "./undici.ts";
import type { Connector } from "./undici.ts";
import { refuseAddress, upstreamLookup } from "./upstream-lookup.ts";

/** Timers count whole milliseconds: what comes right after something else waits for one to two. */
const PACE_MS = 1;
/** Reads closer to each other than this are a burst. */
const BURST_GAP_MS = 2;
/** After a read of so much there is a bulk to carry, and nothing to gain by waiting. */
const BULK_BYTES = 16 * 1024;
const KEEP_ALIVE_MS = 60_000;
const HIGH_WATER = 64 * 1024;

/** One timer for all connections: those that were read since the last beat are read again from the next on. */
class Beat {
  #waiting: PacedSocket[] = [];

  join(socket: PacedSocket): void {
    if (this.#waiting.push(socket) === 1) setTimeout(this.#strike, PACE_MS).unref();
  }

  readonly #strike = (): void => {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const socket of waiting) socket.readOn();
  };
}

const beat = new Beat();

export class PacedSocket extends Socket {
  #isResting = false;
  #lastReadMs = -Infinity;

  constructor() {
    super({ readableHighWaterMark: HIGH_WATER, writableHighWaterMark: HIGH_WATER } as object);
  }

  /** What a read brought. False stops reading: that costs the kernel two calls, so it is not done after each read. */
  override push(chunk: unknown, encoding?: BufferEncoding): boolean {
    const hasRoom = super.push(chunk, encoding);
    if (!(chunk instanceof Uint8Array)) return hasRoom;
    if (chunk.length >= BULK_BYTES) {
      // The rest of a bulk may be small: it is no burst.
      this.#lastReadMs = -Infinity;
      return hasRoom;
    }
    const nowMs = performance.now();
    const isBurst = nowMs - this.#lastReadMs < BURST_GAP_MS;
    this.#lastReadMs = nowMs;
    if (!isBurst || !hasRoom) return hasRoom;
    this.#isResting = true;
    beat.join(this);
    return false;
  }

  override _read(size: number): void {
    if (!this.#isResting) super._read(size);
  }

  /** The rest is over: with the beat, and where what came before was the end of an answer. */
  readOn(): void {
    if (!this.#isResting) return;
    this.#isResting = false;
    if (!this.destroyed) super._read(0);
  }

  /** The pool releases a connection that is idle: it must notice a close by the other side before it uses it again. */
  override unref(): this {
    this.readOn();
    return super.unref();
  }

  override _write(chunk: unknown, encoding: BufferEncoding, then: (error?: Error | null) => void): void {
    this.#begin();
    super._write(chunk, encoding, then);
  }

  /** A new request: its answer is no part of what came before. */
  #begin(): void {
    this.#lastReadMs = -Infinity;
    this.readOn();
  }

  override _writev(chunks: { chunk: unknown; encoding: BufferEncoding }[], then: (error?: Error | null) => void): void {
    this.#begin();
    super._writev!(chunks, then);
  }
}

/** How a pool connects: with paced sockets, or over TLS as its library does. */
export function pacedConnector(timeoutMs: number, tls: UpstreamTls | null = null): Connector {
  const client = tls?.client;
  const overTls = buildConnector({
    timeout: timeoutMs,
    lookup: upstreamLookup,
    ...(tls?.ca ? { ca: tls.ca } : {}),
    ...(client ? { cert: client.certificate, key: client.key.reveal() } : {}),
  });
  return (options, callback) => {
    const forbidden = refuseAddress(options.hostname);
    if (forbidden) return callback(forbidden, null);
    if (options.protocol === "https:") return overTls(options, callback);
    const socket = new PacedSocket();
    const late = setTimeout(() => socket.destroy(new errors.ConnectTimeoutError()), timeoutMs);
    const onError = (error: Error): void => {
      clearTimeout(late);
      callback(error, null);
    };
    socket.setNoDelay(true).setKeepAlive(true, KEEP_ALIVE_MS);
    socket.once("error", onError).once("connect", () => {
      clearTimeout(late);
      socket.off("error", onError);
      callback(null, socket);
    });
    socket.connect({ host: options.hostname, port: Number(options.port || 80), lookup: upstreamLookup });
  };
}
