/** Server-sent events out of bytes as they come (WHATWG HTML, section 9.2.6). */
export interface ServerSentEvent {
  /** `message` unless it was named. */
  readonly event: string;
  readonly data: string;
}

/** A longer event is not ours. */
const EVENT_CHARS_MAX = 16 * 1024 * 1024;

/**
 * Lines end with CRLF, LF or CR. Comments, which only show that the connection lives, and an event without its empty
 * line at the end of the stream are passed over. Throws where an event has no end.
 */
export async function* readEvents(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<ServerSentEvent> {
  // It takes a byte order mark away, where one stands at the beginning.
  const decoder = new TextDecoder();
  const event = new EventLines();
  const line: string[] = [];
  let size = 0;
  let endsWithCr = false;
  for await (const chunk of chunks) {
    const text = decoder.decode(chunk, { stream: true });
    let start = 0;
    for (let at = 0; at < text.length; at++) {
      const character = text.charCodeAt(at);
      const isSecondHalf = endsWithCr && character === LF;
      endsWithCr = character === CR;
      if (isSecondHalf) start = at + 1;
      if (isSecondHalf || (character !== LF && character !== CR)) continue;
      line.push(text.slice(start, at));
      start = at + 1;
      const whole = line.length === 1 ? line[0]! : line.join("");
      line.length = 0;
      if (whole !== "") event.add(whole);
      else {
        size = 0;
        const read = event.take();
        if (read) yield read;
      }
    }
    if (start < text.length) line.push(text.slice(start));
    size += text.length;
    if (size > EVENT_CHARS_MAX) throw new Error("the server sends an event without an end");
  }
}

const LF = 0x0a;
const CR = 0x0d;

/** The lines of one event, gathered until its end. */
class EventLines {
  #name = "";
  #data: string[] = [];

  add(line: string): void {
    const colon = line.indexOf(":");
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(line[colon + 1] === " " ? colon + 2 : colon + 1);
    if (field === "event") this.#name = value;
    else if (field === "data") this.#data.push(value);
  }

  /** The event, where it carries data; the next one begins. */
  take(): ServerSentEvent | undefined {
    const read = this.#data.length === 0 ? undefined : { event: this.#name || "message", data: this.#data.join("\n") };
    this.#name = "";
    this.#data = [];
    return read;
  }
}
