/**
 * Looks at a provider's directory and says what it sees of the people who are known here: who is active, and who is in
 * which group. The slowest road, for providers that send nothing. A directory that cannot be read whole says nothing.
 */
import type { Principal, Voucher } from "../access/policy.ts";
import type { Clock } from "../kernel/clock.ts";
import { LongWork } from "../kernel/long-work.ts";
import type { DirectoryReader, DirectoryUser } from "./directory-pages.ts";
import type { Provider } from "./provider.ts";
import { UNKNOWN_WRITER } from "./reconcile.ts";
import type { Reconciler } from "./reconciler.ts";
import type { Said, Statement } from "./statement.ts";

export interface DirectoryPollPorts {
  readonly clock: Pick<Clock, "now">;
  readonly provider: Provider;
  /** Which attribute of its users is the subject of its tokens. */
  readonly subject: "id" | "externalId" | "userName";
  readonly directory: Pick<DirectoryReader, "users" | "groups">;
  readonly people: () => Iterable<Principal>;
  readonly reconciler: Pick<Reconciler, "hear">;
}

/** Every so many looks all users are read: only so is one noticed who was deleted. */
const WHOLE_EVERY = 10;
/** Clocks differ: what changed shortly before the last look is looked at again. */
const OVERLAP_MS = 120_000;
const STATEMENTS_AT_ONCE = 500;
/** More missing at once than this is a broken listing. */
const MISSING_SHARE = 0.2;
const MISSING_FEW = 3;

export class DirectoryPoll {
  readonly #ports: DirectoryPollPorts;
  /** The directory's id of each subject, as far as it was seen. */
  #ids = new Map<string, string>();
  #lastAt: number | null = null;
  #looks = 0;

  constructor(ports: DirectoryPollPorts) {
    this.#ports = ports;
  }

  /** Throws where the directory cannot be read, or what it says cannot be true; nothing was changed then. */
  async look(): Promise<void> {
    const { clock, directory, reconciler } = this.#ports;
    const at = clock.now();
    const isWhole = this.#lastAt === null || this.#looks % WHOLE_EVERY === 0;
    const users = await directory.users(isWhole ? null : (this.#lastAt ?? at) - OVERLAP_MS);
    const groups = await directory.groups();
    const work = new LongWork();
    const known = await this.#known(work);
    const seen = new Map(users.map((user) => [this.#subjectOf(user), user]));
    if (isWhole) {
      demandCredible(known, seen);
      this.#ids = new Map();
    }
    for (const [subject, { id }] of seen) if (subject !== null) this.#ids.set(subject, id);
    const groupsOf = new Map<string, string[]>();
    await work.each(groups, ({ name, members }) => {
      for (const id of name === "" ? [] : members) add(groupsOf, id, name);
    });
    const statements: Statement[] = [];
    await work.each(known, ([subject, candidates]) => {
      const id = this.#ids.get(subject);
      const user = seen.get(subject);
      const isGone = isWhole && !user;
      if (id === undefined && !isGone) return;
      const isActive = isGone ? false : user?.isActive;
      const says: Said = {
        ...(isActive === undefined ? {} : { isActive }),
        groups: { set: id === undefined ? [] : [...new Set(groupsOf.get(id))].toSorted() },
      };
      statements.push(this.#statement(subject, candidates, says, at));
    });
    for (let from = 0; from < statements.length; from += STATEMENTS_AT_ONCE)
      await reconciler.hear(statements.slice(from, from + STATEMENTS_AT_ONCE));
    this.#lastAt = at;
    this.#looks++;
  }

  /** People of this issuer, by subject. One subject may lead to several, by a mistake or by malice: all of them are looked at. */
  async #known(work: LongWork): Promise<ReadonlyMap<string, readonly Known[]>> {
    const { issuer, hasExternalIds } = this.#ports.provider;
    const known = new Map<string, Known[]>();
    await work.each(this.#ports.people(), ({ id, kind, external, bounds }) => {
      if (kind !== "person" || !external) return;
      const named = external.identities.find((one) => one.issuer === issuer)?.subject;
      const provisioned = hasExternalIds && external.scim?.isDeleted === false ? external.scim.externalId : null;
      const subject = named ?? provisioned;
      if (subject === null) return;
      const one = named === undefined ? { id, voucher: bounds?.identifier ?? UNKNOWN_WRITER } : { id };
      add(known, subject, one);
    });
    return known;
  }

  #subjectOf(user: DirectoryUser): string | null {
    return user[this.#ports.subject];
  }

  #statement(subject: string, candidates: readonly Known[], says: Said, at: number): Statement {
    const { issuer, name, hasExternalIds } = this.#ports.provider;
    const [only] = candidates.length === 1 ? candidates : [];
    return {
      source: "directory",
      by: `directory ${name}`,
      actor: "gateway",
      event: `look ${new Date(at).toISOString()}`,
      isOnce: false,
      at,
      subject: only ? { principal: only.id } : { issuer, subject, externalIds: hasExternalIds },
      says,
      ...(only?.voucher ? { voucher: only.voucher } : {}),
    };
  }
}

/** A person of a subject; with whose word ties it to the provider, where that is a provisioning client's alone. */
interface Known {
  readonly id: string;
  readonly voucher?: Voucher;
}

function add<T>(lists: Map<string, T[]>, name: string, value: T): void {
  const list = lists.get(name);
  if (list) list.push(value);
  else lists.set(name, [value]);
}

function demandCredible(known: ReadonlyMap<string, unknown>, seen: ReadonlyMap<string | null, DirectoryUser>): void {
  const missing = [...known.keys()].filter((subject) => !seen.has(subject)).length;
  if (missing > 0 && (seen.size === 0 || missing > Math.max(MISSING_FEW, known.size * MISSING_SHARE)))
    throw new Error(`${missing} of ${known.size} known people are missing in the directory: that is no departure`);
}
