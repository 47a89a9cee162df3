/**
 * A large change on its way to the writer: what is posted in one piece is copied in one turn of the thread of requests, so
 * it goes in parts. The writer begins with it when the last part is there: it is committed whole or not at all.
 */
import { encodeEvent } from "@sallyport/ledger";
import type { Change, Operation } from "../../changes/change.ts";
import { LongWork } from "../../kernel/long-work.ts";
import type { ChangePart, EncodedChange } from "./writer-messages.ts";

/** Operations, and events, of one part. */
const PART_LENGTH = 100;

export function needsParts({ operations, events }: Change): boolean {
  return Math.max(operations.length, events.length) > PART_LENGTH;
}

/** Posts all but the last part, in slices, and answers the last. `post` throws where the writer is gone. */
export async function postParts(
  id: number,
  { operations, events }: Change,
  post: (part: ChangePart) => void,
  work = new LongWork(),
): Promise<ChangePart> {
  const length = Math.max(operations.length, events.length);
  for (let from = 0; ; from += PART_LENGTH) {
    const part = {
      id,
      operations: operations.slice(from, from + PART_LENGTH),
      events: events.slice(from, from + PART_LENGTH).map(encodeEvent),
    };
    if (from + PART_LENGTH >= length) return part;
    post(part);
    const resting = work.rest();
    if (resting) await resting;
  }
}

/** The writer's side: parts until their change comes. */
export class ChangeParts {
  readonly #begun = new Map<number, { operations: Operation[]; events: string[] }>();

  add({ id, operations, events }: ChangePart): void {
    const begun = this.#begun.get(id) ?? { operations: [], events: [] };
    begun.operations.push(...operations);
    begun.events.push(...events);
    this.#begun.set(id, begun);
  }

  /** The change with the parts that came before it. */
  whole(last: EncodedChange): EncodedChange {
    const begun = this.#begun.get(last.id);
    if (!begun) return last;
    this.#begun.delete(last.id);
    return {
      ...last,
      operations: [...begun.operations, ...last.operations],
      events: [...begun.events, ...last.events],
    };
  }
}
