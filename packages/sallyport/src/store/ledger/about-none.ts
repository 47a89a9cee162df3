/** A record about an environment that does not exist stands in the log of `system`, with what was asked for as a field. */
import { encodeEvent } from "@sallyport/protocol";
import type { EncodableEvent } from "@sallyport/protocol";
import { SYSTEM_LOG } from "./ledger-logs.ts";

const ASKED_MAX = 64;

/** `eventText` is what `encodeEvent()` made. */
export function aboutNone(eventText: string): string {
  const event = JSON.parse(eventText) as EncodableEvent;
  const asked = event.environment.slice(0, ASKED_MAX);
  return encodeEvent({ ...event, environment: SYSTEM_LOG, fields: { ...event.fields, asked_environment: asked } });
}
