/**
 * What may spend the disk's reserve: changes that take rights away, and the gateway's own start and stop. Everything else
 * waits until there is room, so that nobody can make keys until no revocation fits any more.
 */
import type { EncodedChange } from "./writer-messages.ts";

export function maySpendReserve({ operations, events, isNarrowing }: EncodedChange): boolean {
  return isNarrowing || (operations.length === 0 && events.every((event) => event.startsWith('{"type":"server.')));
}
