/**
 * An event whose record would be longer than an entry of a log may be: what is long in it is left out, and it says so.
 * Happens to policies with hundreds of changes; the rest of the event stays what it was.
 */
import { hash } from "node:crypto";
import { encodeEvent } from "@sallyport/protocol";
import type { EncodableEvent, EventValue } from "@sallyport/protocol";

const TEXT_MAX = 512;
const LIST_MAX = 64;

/** `eventText` is what `encodeEvent()` made. */
export function shortenEvent(eventText: string): string {
  const event = JSON.parse(eventText) as EncodableEvent;
  const fields: Record<string, EventValue> = {};
  for (const [name, value] of Object.entries(event.fields)) fields[name] = shorten(value);
  return encodeEvent({
    ...event,
    fields: {
      ...fields,
      is_shortened: true,
      whole_bytes: Buffer.byteLength(eventText),
      whole_sha256: hash("sha256", eventText, "hex"),
    },
  });
}

function shorten(value: EventValue): EventValue {
  if (typeof value === "string") return value.slice(0, TEXT_MAX);
  if (typeof value !== "object" || value === null) return value;
  return value.slice(0, LIST_MAX).map((text) => text.slice(0, TEXT_MAX));
}
