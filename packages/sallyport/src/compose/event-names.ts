/** The event types of the audit log, by name, for completion. */
import { eventTypes } from "../audit/event.ts";

export const eventNames: readonly string[] = Object.keys(eventTypes);
