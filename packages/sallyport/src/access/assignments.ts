/**
 * All assignments, and how they are found: by id, by who is assigned, by the role that is given. Immutable: `with()` gives
 * the next one and costs what changed.
 */
import { OrderedMap } from "../kernel/ordered-map.ts";
import type { Assignment, Principal } from "./policy.ts";

export class Assignments implements Iterable<Assignment> {
  readonly #byId: OrderedMap<Assignment>;
  readonly #bySubject: OrderedMap<Assignment>;
  readonly #byRole: OrderedMap<Assignment>;

  private constructor(byId: OrderedMap<Assignment>, bySubject: OrderedMap<Assignment>, byRole: OrderedMap<Assignment>) {
    this.#byId = byId;
    this.#bySubject = bySubject;
    this.#byRole = byRole;
  }

  static readonly none = new Assignments(OrderedMap.empty(), OrderedMap.empty(), OrderedMap.empty());

  static of(assignments: Iterable<Assignment>): Assignments {
    const byId = OrderedMap.of(entriesById(assignments));
    return new Assignments(
      byId,
      OrderedMap.of(entriesOf(byId, (one) => [subjectPrefix(one.subject) + one.id])),
      OrderedMap.of(entriesOf(byId, (one) => one.right.roles.map((role) => rolePrefix(role) + one.id))),
    );
  }

  get size(): number {
    return this.#byId.size;
  }

  get(id: string): Assignment | undefined {
    return this.#byId.get(id);
  }

  /** Those whose subject is the principal or a group it is in. Whether each counts is for `holding.ts` to say. */
  about({ id, groups }: Pick<Principal, "id" | "groups">): Assignment[] {
    const found = [...this.#bySubject.startingWith(subjectPrefix({ principal: id }))];
    for (const group of new Set(groups)) found.push(...this.ofGroup(group));
    return found;
  }

  ofGroup(group: string): Assignment[] {
    return [...this.#bySubject.startingWith(subjectPrefix({ group }))];
  }

  naming(role: string): Assignment[] {
    return [...this.#byRole.startingWith(rolePrefix(role))];
  }

  /** With these assignments instead; `null` takes one out. */
  with(changes: Iterable<readonly [string, Assignment | null]>): Assignments {
    const wanted = new Map(changes);
    const subjects: [string, Assignment | undefined][] = [];
    const roles: [string, Assignment | undefined][] = [];
    const note = (assignment: Assignment, now: Assignment | undefined): void => {
      const { id, subject, right } = assignment;
      subjects.push([subjectPrefix(subject) + id, now]);
      for (const role of right.roles) roles.push([rolePrefix(role) + id, now]);
    };
    for (const [id, after] of wanted) {
      const before = this.#byId.get(id);
      if (before) note(before, undefined);
      if (after) note(after, after);
    }
    const ids = [...wanted].map(([id, after]) => [id, after ?? undefined] as const);
    return new Assignments(this.#byId.with(ids), this.#bySubject.with(subjects), this.#byRole.with(roles));
  }

  /** Those whose id is greater, for paging. */
  after(id: string): Generator<[string, Assignment]> {
    return this.#byId.after(id);
  }

  /** In the order of their ids. */
  [Symbol.iterator](): Generator<Assignment> {
    return this.#byId.values();
  }
}

function* entriesById(assignments: Iterable<Assignment>): Generator<[string, Assignment]> {
  for (const one of assignments) yield [one.id, one];
}

/** Each under its names. */
function* entriesOf(
  byId: OrderedMap<Assignment>,
  namesOf: (one: Assignment) => readonly string[],
): Generator<[string, Assignment]> {
  for (const one of byId.values()) for (const name of namesOf(one)) yield [name, one];
}

/** With its length, so that no name runs into the id behind it. */
function subjectPrefix(subject: Assignment["subject"]): string {
  const [kind, name] = "group" in subject ? ["group", subject.group] : ["principal", subject.principal];
  return `${kind} ${name.length}:${name} `;
}

function rolePrefix(role: string): string {
  return `${role.length}:${role} `;
}
