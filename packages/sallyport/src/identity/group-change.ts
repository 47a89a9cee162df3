/** Groups of one person after a statement: which there are, which of them a directory speaks of, and where each counts. */
import type { External, Membership, Principal, Voucher } from "../access/policy.ts";
import type { GroupChange, Statement } from "./statement.ts";

/** Most groups a person may be in. */
export const GROUPS_MAX = 256;

export interface ChangedGroups {
  readonly all: readonly string[];
  readonly given: readonly string[];
  readonly memberships: readonly Membership[];
}

/**
 * A group a directory speaks of is the directory's from then on; those it never named stay as they were given here. Who
 * speaks for some environments takes away there only, and what it gives counts as far as its delegation scope.
 */
export function changeGroups(
  { groups, bounds }: Principal,
  external: External,
  { set, add = [], remove = [] }: GroupChange,
  { within, voucher }: Pick<Statement, "within" | "voucher">,
  environments: readonly string[],
): ChangedGroups {
  const asked = set ?? [...external.groups, ...add];
  const given = new Set(asked.filter((group) => !remove.includes(group)));
  const taken = set ? external.groups.filter((group) => !given.has(group)) : remove;
  const memberships = new Memberships(groups, bounds?.memberships ?? []);
  for (const group of taken) {
    if (within === undefined) memberships.end(group);
    else if (memberships.narrow(group, within, environments)) given.add(group);
  }
  for (const group of set ?? add) if (given.has(group)) memberships.begin(group, voucher);
  const local = groups.filter(
    (group) => !external.groups.includes(group) && !given.has(group) && !remove.includes(group),
  );
  const order = [...groups.filter((group) => given.has(group) || local.includes(group)), ...given];
  const all = [...new Set(order)].slice(0, GROUPS_MAX);
  return {
    all,
    given: [...given].filter((group) => all.includes(group)),
    memberships: memberships.kept.filter(({ group }) => all.includes(group)),
  };
}

/** Some group that stays counts in fewer places than before. */
export function areNarrowed(before: Principal, memberships: readonly Membership[]): boolean {
  return before.groups.some((group) => {
    const held = (before.bounds?.memberships ?? []).filter((one) => one.group === group);
    const next = memberships.filter((one) => one.group === group);
    // None = everywhere. A removed group is reported by the code that compares the groups.
    if (next.length === 0) return false;
    return held.length === 0 || held.some((one) => !next.some(({ voucher }) => isWithin(one.voucher, voucher)));
  });
}

/** The wide voucher counts wherever the narrow one does, for at least as much. */
function isWithin(narrow: Voucher, wide: Voucher): boolean {
  const { environments } = wide;
  const isPlace =
    environments === "*" ||
    (narrow.environments !== "*" && narrow.environments.every((name) => environments.includes(name)));
  const isScope = wide.mayGrant === "*" || JSON.stringify(narrow.mayGrant) === JSON.stringify(wide.mayGrant);
  return isPlace && isScope && (narrow.agentOf === undefined || narrow.agentOf === wide.agentOf);
}

class Memberships {
  readonly #groups: ReadonlySet<string>;
  kept: Membership[];

  constructor(groups: readonly string[], kept: readonly Membership[]) {
    this.#groups = new Set(groups);
    this.kept = [...kept];
  }

  end(group: string): void {
    this.kept = this.kept.filter((one) => one.group !== group);
  }

  /** Takes the group away in those environments. True where it still counts somewhere else. */
  narrow(group: string, within: readonly string[], environments: readonly string[]): boolean {
    if (!this.#groups.has(group)) return false;
    const held = this.kept.filter((one) => one.group === group);
    const everywhere: Voucher = { by: "everywhere", environments: "*", mayGrant: "*" };
    const left = (held.length > 0 ? held : [{ group, voucher: everywhere }])
      .map(({ voucher }) => ({ group, voucher: withoutEnvironments(voucher, within, environments) }))
      .filter(({ voucher }) => voucher.environments.length > 0);
    this.end(group);
    this.kept.push(...left);
    return left.length > 0;
  }

  begin(group: string, voucher: Voucher | undefined): void {
    const held = this.kept.filter((one) => one.group === group);
    // It counts everywhere already: a narrower word for it takes nothing away.
    if (this.#groups.has(group) && held.length === 0) return;
    const isUnbounded = voucher?.environments === "*" && voucher.mayGrant === "*";
    if (voucher === undefined || isUnbounded) return this.end(group);
    // What the new word covers need not be kept beside it: keys are replaced, and their words would heap up.
    this.kept = this.kept.filter(
      (one) => one.group !== group || (one.voucher.by !== voucher.by && !isWithin(one.voucher, voucher)),
    );
    this.kept.push({ group, voucher });
  }
}

function withoutEnvironments(voucher: Voucher, within: readonly string[], environments: readonly string[]): Voucher {
  const held = voucher.environments === "*" ? environments : voucher.environments;
  return { ...voucher, environments: held.filter((name) => !within.includes(name)) };
}
