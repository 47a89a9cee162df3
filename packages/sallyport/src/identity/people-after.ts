/** People with some of them changed, without a copy of all: one change among ten thousand people costs what one costs. */
import type { Principal } from "../access/policy.ts";

/** As a map of them by id is read. */
export interface People {
  get(id: string): Principal | undefined;
  values(): Iterable<Principal>;
}

export class PeopleAfter implements People {
  readonly #before: People;
  readonly #changed = new Map<string, Principal>();

  constructor(before: People, ...changed: readonly Principal[]) {
    this.#before = before;
    for (const person of changed) this.put(person);
  }

  put(person: Principal): void {
    this.#changed.set(person.id, person);
  }

  get(id: string): Principal | undefined {
    return this.#changed.get(id) ?? this.#before.get(id);
  }

  /** In the order of before; those who are new come last. */
  *values(): Generator<Principal> {
    const unseen = new Map(this.#changed);
    for (const person of this.#before.values()) {
      yield this.#changed.get(person.id) ?? person;
      unseen.delete(person.id);
    }
    yield* unseen.values();
  }
}
