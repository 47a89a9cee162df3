/** Server-sent events out of bytes as they come (WHATWG HTML, section 9.2.6), as far as this API uses them. */
export interface ServerSentEvent {
  /** `message` unless it was named. */
  readonly event: string;
  readonly data: string;
}

/** An event longer than that is none of ours. */
const EVENT_CHARS_MAX = 16 * 1024 * 1024;

/** Comments, which only show that the connection lives, are passed over. Throws where an event has no end. */
export async function* readEvents(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<ServerSentEvent> {
  const decoder = new TextDecoder();
  let held = "";
  for await (const chunk of chunks) {
    held += decoder.decode(chunk, { stream: true });
    const parts = held.split("\n\n");
    held = parts.pop() ?? "";
    if (held.length > EVENT_CHARS_MAX) throw new Error("the server sends an event without an end");
    for (const part of parts) {
      const event = eventOf(part);
      if (event) yield event;
    }
  }
}

function eventOf(part: string): ServerSentEvent | undefined {
  let event = "message";
  const data: string[] = [];
  for (const line of part.split("\n")) {
    const [, name, value = ""] = /^([a-z]+):? ?(.*)$/s.exec(line) ?? [];
    if (name === "event") event = value;
    if (name === "data") data.push(value);
  }
  return data.length === 0 ? undefined : { event, data: data.join("\n") };
}
