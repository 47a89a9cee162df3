/** A signal whose subject could be several users: all of them were stopped, and the sender is informed. */
import type { ReconcilerAnswer } from "./reconciler.ts";

export class AmbiguousSubject {
  /** How many people were stopped. */
  readonly people: number;
  /** It did not fail. */
  readonly failure = undefined;

  constructor(people: number) {
    this.people = people;
  }
}

/** Undefined where one person was meant for certain. */
export function ambiguousOf({ ambiguous = 0 }: Pick<ReconcilerAnswer, "ambiguous">): AmbiguousSubject | undefined {
  return ambiguous > 1 ? new AmbiguousSubject(ambiguous) : undefined;
}
