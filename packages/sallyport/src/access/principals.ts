/**
 * All principals, and how they are found: by id, by what people and directories call them, by their groups. Immutable:
 * `with()` gives the next one and costs what changed.
 */
import { OrderedMap } from "../kernel/ordered-map.ts";
import type { Principal } from "./policy.ts";

/**
 * What a principal is called by. `identity` is `issuer` and `subject`; `issuer` is any identity of that provider;
 * `user_name`, `external_id` and `email` are a provisioning client's words. Names, user names and addresses are found in
 * any case: who needs the exact text compares it.
 */
export type CalledBy = "name" | "identity" | "issuer" | "user_name" | "external_id" | "email" | "group";

const NONE: readonly never[] = [];

export class Principals implements ReadonlyMap<string, Principal> {
  readonly #byId: OrderedMap<Principal>;
  readonly #byName: OrderedMap<Principal>;

  private constructor(byId: OrderedMap<Principal>, byName: OrderedMap<Principal>) {
    this.#byId = byId;
    this.#byName = byName;
  }

  static readonly none = new Principals(OrderedMap.empty(), OrderedMap.empty());

  static of(principals: Iterable<Principal>): Principals {
    const byId = OrderedMap.of(entriesById(principals));
    return new Principals(byId, OrderedMap.of(entriesByName(byId)));
  }

  get size(): number {
    return this.#byId.size;
  }

  get(id: string): Principal | undefined {
    return this.#byId.get(id);
  }

  has(id: string): boolean {
    return this.#byId.has(id);
  }

  /** In the order of their ids. `parts` are one text, or issuer and subject of an `identity`. */
  called(by: CalledBy, ...parts: readonly string[]): Principal[] {
    return [...this.#byName.startingWith(prefixOf(by, parts))];
  }

  /** With these principals instead; `null` takes one out. */
  with(changes: Iterable<readonly [string, Principal | null]>): Principals {
    const wanted = new Map(changes);
    const names: [string, Principal | undefined][] = [];
    for (const [id, after] of wanted) {
      for (const name of namesOf(this.#byId.get(id))) names.push([name, undefined]);
      for (const name of namesOf(after)) names.push([name, after ?? undefined]);
    }
    const ids = [...wanted].map(([id, after]) => [id, after ?? undefined] as const);
    return new Principals(this.#byId.with(ids), this.#byName.with(names));
  }

  /** Principals whose id is greater, for paging. */
  after(id: string): Generator<[string, Principal]> {
    return this.#byId.after(id);
  }

  entries(): Generator<[string, Principal]> {
    return this.#byId.entries();
  }

  keys(): Generator<string> {
    return this.#byId.keys();
  }

  values(): Generator<Principal> {
    return this.#byId.values();
  }

  [Symbol.iterator](): Generator<[string, Principal]> {
    return this.#byId.entries();
  }

  forEach(visit: (value: Principal, key: string, map: ReadonlyMap<string, Principal>) => void): void {
    for (const [id, principal] of this) visit(principal, id, this);
  }
}

function* entriesById(principals: Iterable<Principal>): Generator<[string, Principal]> {
  for (const one of principals) yield [one.id, one];
}

function* entriesByName(byId: OrderedMap<Principal>): Generator<[string, Principal]> {
  for (const one of byId.values()) for (const name of namesOf(one)) yield [name, one];
}

/** Parts cannot run into each other: each is written with its length. */
function prefixOf(by: CalledBy, parts: readonly string[]): string {
  const folded =
    by === "name" || by === "user_name" || by === "email" ? parts.map((part) => part.toLowerCase()) : parts;
  return `${by}${folded.map((part) => ` ${part.length}:${part}`).join("")} `;
}

function namesOf(principal: Principal | null | undefined): readonly string[] {
  if (!principal) return NONE;
  const { id, name, groups, external } = principal;
  const names = [prefixOf("name", [name]), ...groups.map((group) => prefixOf("group", [group]))];
  for (const { issuer, subject } of external?.identities ?? NONE)
    names.push(prefixOf("identity", [issuer, subject]), prefixOf("issuer", [issuer]));
  const scim = external?.scim;
  if (scim) {
    names.push(prefixOf("user_name", [scim.userName]), ...scim.emails.map(({ value }) => prefixOf("email", [value])));
    if (scim.externalId !== null) names.push(prefixOf("external_id", [scim.externalId]));
  }
  return names.map((one) => one + id);
}
