/**
 * All assignments by who could hold them, for whoever asks about many principals: the holdings of ten thousand people
 * among a hundred thousand assignments are found without looking at all assignments for each. Pure.
 */
import type { LongWork } from "../kernel/long-work.ts";
import { holds } from "./holding.ts";
import type { ScopePolicy } from "./holding.ts";
import type { Assignment, Principal } from "./policy.ts";

export class HoldingsIndex {
  readonly #policy: ScopePolicy;
  readonly #byPrincipal = new Map<string, Assignment[]>();
  readonly #byGroup = new Map<string, Assignment[]>();

  private constructor(policy: ScopePolicy) {
    this.#policy = policy;
  }

  /** Built in slices; the policy must not change meanwhile. */
  static async build(
    policy: ScopePolicy & { readonly assignments: readonly Assignment[] },
    work: LongWork,
  ): Promise<HoldingsIndex> {
    const index = new HoldingsIndex(policy);
    await work.each(policy.assignments, (assignment) => index.#add(assignment));
    return index;
  }

  #add(assignment: Assignment): void {
    const { subject } = assignment;
    const [lists, name] = "group" in subject ? [this.#byGroup, subject.group] : [this.#byPrincipal, subject.principal];
    const list = lists.get(name);
    if (list) list.push(assignment);
    else lists.set(name, [assignment]);
  }

  /** What the principal holds, whether or not it may act at present: its own first. */
  holdingsOf(principal: Principal): Assignment[] {
    const { id, groups } = principal;
    const byGroups = [...new Set(groups)].flatMap((group) => this.#byGroup.get(group) ?? []);
    return [...(this.#byPrincipal.get(id) ?? []), ...byGroups].filter((one) => holds(principal, one, this.#policy));
  }
}
