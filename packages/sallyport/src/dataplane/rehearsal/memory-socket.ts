/** Two ends of a connection that exists in memory only: what one end writes, the other reads. No port, no file descriptor. */
import { Duplex } from "node:stream";

export class MemorySocket extends Duplex {
  /** What the listener reads of a socket: a rehearsal calls from this machine. */
  readonly remoteAddress = "127.0.0.1";
  readonly remotePort = 0;
  #peer: MemorySocket | null = null;

  static pair(): [MemorySocket, MemorySocket] {
    const [near, far] = [new MemorySocket(), new MemorySocket()];
    near.#peer = far;
    far.#peer = near;
    return [near, far];
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: BufferEncoding, then: () => void): void {
    this.#peer?.push(chunk);
    // Never within the call, as with a socket of the system.
    process.nextTick(then);
  }

  override _writev(chunks: { chunk: Buffer }[], then: () => void): void {
    this.#peer?.push(Buffer.concat(chunks.map(({ chunk }) => chunk)));
    process.nextTick(then);
  }

  override _final(then: () => void): void {
    this.#peer?.push(null);
    then();
  }

  override _destroy(cause: Error | null, then: (cause: Error | null) => void): void {
    if (this.#peer && !this.#peer.readableEnded) this.#peer.push(null);
    this.#peer = null;
    then(cause);
  }
}

/** Makes pairs and remembers both ends, so that all can be closed. */
export class MemorySockets {
  readonly #made: MemorySocket[] = [];

  pair(): [MemorySocket, MemorySocket] {
    const pair = MemorySocket.pair();
    for (const socket of pair) this.#made.push(socket.on("error", () => {}));
    return pair;
  }

  close(): void {
    for (const socket of this.#made) socket.destroy();
  }
}
