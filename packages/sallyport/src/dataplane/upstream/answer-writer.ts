/**
 * Writes an answer's body. Of a chunked answer the frames (RFC 9112, 7.1) are made here, one buffer and one write for
 * all that came together: node's own way makes three writes of each and gathers them again, which was a third of the cost of a stream.
 */
import type { ServerResponse } from "node:http";

const CRLF = 0x0a0d;
const LAST_CHUNK = "0\r\n";

export class AnswerWriter {
  readonly #response: ServerResponse;
  readonly #isChunked: boolean;

  /** Call after `writeHead`: by then node has decided whether the answer is chunked (it is not for HTTP/1.0 and HEAD). */
  constructor(response: ServerResponse) {
    this.#response = response;
    this.#isChunked = response.chunkedEncoding;
    // The head says chunked; from here on the frames are ours.
    response.chunkedEncoding = false;
  }

  /** False when the caller reads slower than the model writes: wait for `drain`. */
  write(bytes: Uint8Array): boolean {
    // An empty chunk would be the last one.
    if (bytes.length === 0) return !this.#response.writableNeedDrain;
    return this.#response.write(this.#isChunked ? frame(bytes, "") : bytes);
  }

  /** Ends the answer, with its last bytes in the same write. `trailer` is one trailer field, or empty (RFC 9112, 7.1.2). */
  end(bytes: Uint8Array | null, trailer = ""): void {
    const hasBytes = bytes !== null && bytes.length > 0;
    const last = trailer === "" ? `${LAST_CHUNK}\r\n` : `${LAST_CHUNK}${trailer}\r\n\r\n`;
    if (!this.#isChunked) this.#response.end(hasBytes ? bytes : undefined);
    else if (hasBytes) this.#response.end(frame(bytes, last));
    else this.#response.end(last, "latin1");
  }
}

function frame(bytes: Uint8Array, after: string): Buffer {
  const size = bytes.length.toString(16);
  const start = size.length + 2;
  const framed = Buffer.allocUnsafe(start + bytes.length + 2 + after.length);
  framed.write(size, 0, "latin1");
  framed.writeUInt16LE(CRLF, size.length);
  framed.set(bytes, start);
  framed.writeUInt16LE(CRLF, start + bytes.length);
  framed.write(after, start + bytes.length + 2, "latin1");
  return framed;
}
