/** The event types of the ledger, by name: completion offers them. */
import { eventTypes } from "../audit/event.ts";

export const eventNames: readonly string[] = Object.keys(eventTypes);
