/** Reads server-sent events (WHATWG HTML, 9.2) out of the pieces in which they come. */
export interface TextEvent {
  readonly event: string;
  readonly id: string | null;
  readonly data: string;
}

/** No event of ours is nearly so long. */
const HELD_MAX = 4 * 1024 * 1024;

export class EventText {
  #held = "";

  /** The events that are whole now. Throws where what comes is no stream of events. */
  add(piece: string): TextEvent[] {
    this.#held += piece;
    if (this.#held.length > HELD_MAX) throw new Error("an event is too long");
    const blocks = this.#held.split("\n\n");
    this.#held = blocks.pop() ?? "";
    return blocks.flatMap((block) => {
      const fields = new Map<string, string>();
      for (const line of block.split("\n")) {
        const colon = line.indexOf(":");
        if (colon > 0) fields.set(line.slice(0, colon), line.slice(colon + 1).replace(/^ /, ""));
      }
      const data = fields.get("data");
      if (data === undefined) return [];
      return [{ event: fields.get("event") ?? "message", id: fields.get("id") ?? null, data }];
    });
  }
}
