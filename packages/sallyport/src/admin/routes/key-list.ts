/**
 * The list of keys. All keys come straight from the store, in its order. A search, a filter or another order asks the
 * index of keys which ones they are; then only those are read.
 */
import { Problem, SYSTEM_REALM, withoutSecret } from "@sallyport/protocol";
import type { Answer, ListedKey } from "@sallyport/contract";
import { administers } from "../../access/attenuation.ts";
import {
  isOnOldSecret,
  LAST_PART,
  NEAR_EXPIRY_MS,
  NEVER_USED_MS,
  UNUSED_MS,
} from "../../access/posture/key-findings.ts";
import { LongWork } from "../../kernel/long-work.ts";
import type { KeyRecord } from "../../keys/key.ts";
import type { KeyRisk } from "../../keys/search/select-page.ts";
import { dayOf } from "../../usage/usage-row.ts";
import type { Call } from "../call.ts";
import { everyKey } from "../each-key.ts";
import { demandKnownEnvironment, knownPrincipal } from "../known-filter.ts";
import { isoTime, viewKey } from "../views.ts";

const PAGE_DEFAULT = 200;
const SEARCHED_PAGE_MAX = 100;
/** Keys are counted up to here: a larger number says no more. */
const COUNTED_MAX = 10_000;
/** Of which a list shows the number of requests. */
const RECENT_DAYS = 30;

type Listed = Answer<"keys.list">;
interface FoundKeys extends Pick<Listed, "next" | "total"> {
  readonly keys: readonly KeyRecord[];
}

/** The same bounds as the findings of these names. */
const RISKS: { readonly [R in NonNullable<Call<"keys.list">["query"]["risk"]>]: KeyRisk } = {
  expiring: { is: "expiring", withinMs: NEAR_EXPIRY_MS, lastPart: LAST_PART },
  idle: { is: "idle", unusedMs: UNUSED_MS, neverUsedMs: NEVER_USED_MS },
  old_secret: { is: "old_secret" },
};

export async function listKeys(call: Call<"keys.list">): Promise<Listed> {
  const { ports, query } = call;
  const { environment, search, state, risk, sort } = query;
  if (environment !== undefined) demandKnownEnvironment(call, environment);
  const owner = query.owner === undefined ? undefined : knownPrincipal(call, query.owner);
  const isSearched = [search, state, risk, sort].some((asked) => asked !== undefined);
  const work = new LongWork();
  const found = await (isSearched ? searchedKeys(call, owner, work) : storedKeys(call, owner, work));
  const { keys, next, total } = found;
  const now = ports.clock.now();
  const today = dayOf(now);
  const requests = await ports.usage.requestsOf(
    keys.map(({ environment: name, id }) => ({ environment: name, id })),
    today - RECENT_DAYS + 1,
    today,
  );
  const { principals } = ports.snapshot();
  const ownerName = (id: string | null): string | null => (id === null ? null : (principals.get(id)?.name ?? null));
  let at = 0;
  const shown = await work.flatMap(keys, (key): ListedKey[] => {
    const days = requests[at++] ?? [];
    const lastUses = whole(() => ports.uses.lastUses(key.environment, key.id));
    return [
      {
        ...viewKey(key, now),
        ownerName: ownerName(key.owner),
        lastUsedAt: lastTime(lastUses),
        isOnOldSecret: lastUses !== undefined && isOnOldSecret(key.secrets, lastUses),
        recentRequests: days.reduce((sum, day) => sum + day, 0),
        recentDays: [...days],
      },
    ];
  });
  return { keys: shown, next, total };
}

/** All of the caller's, in the order of the store. */
async function storedKeys(call: Call<"keys.list">, owner: string | undefined, work: LongWork): Promise<FoundKeys> {
  const { ports, caller, query } = call;
  const { environment, after, limit = PAGE_DEFAULT } = query;
  const found: KeyRecord[] = [];
  const filter = {
    ...(environment === undefined ? {} : { environment }),
    ...(owner === undefined ? {} : { owner }),
    ...(after === undefined ? {} : { after }),
  };
  for await (const key of everyKey(ports, filter, work)) {
    // Admin keys have a separate list.
    if (key.environment === SYSTEM_REALM || !administers(caller.issuer.right, key.environment)) continue;
    found.push(key);
    if (found.length > limit) break;
  }
  const keys = found.slice(0, limit);
  const last = keys.at(-1);
  return { keys, next: last && found.length > limit ? `${last.environment}/${last.id}` : null, total: null };
}

async function searchedKeys(call: Call<"keys.list">, owner: string | undefined, work: LongWork): Promise<FoundKeys> {
  const { ports, caller, query } = call;
  const { environment, state, risk, sort = "id", after, limit = SEARCHED_PAGE_MAX } = query;
  const search = query.search === undefined ? undefined : withoutSecret(query.search);
  const { places, total, next } = await ports.keyIndex.search(
    {
      now: ports.clock.now(),
      isVisible: (name) => (environment ?? name) === name && administers(caller.issuer.right, name),
      ...(owner === undefined ? {} : { owner }),
      ...(search === undefined ? {} : { search }),
      ...(state === undefined ? {} : { state }),
      ...(risk === undefined ? {} : { risk: RISKS[risk] }),
      order: sort,
      ...(after === undefined ? {} : { after }),
      limit: Math.min(limit, SEARCHED_PAGE_MAX),
    },
    work,
  );
  const keys = await work.flatMap(places, ({ environment: name, id }) => {
    const key = whole(() => ports.storedKey(name, id));
    return key ? [key] : [];
  });
  const count = Math.min(total, COUNTED_MAX);
  return { keys, next, total: { count, isAtLeast: total > count } };
}

/** Null for one that was never used, and where what is stored of its uses is damaged. */
function lastTime(lastUses: ReadonlyMap<number, number> | undefined): string | null {
  const last = Math.max(0, ...(lastUses?.values() ?? []));
  return last === 0 ? null : isoTime(last);
}

/** Undefined for what is damaged: it is reported elsewhere, and the others are shown. */
function whole<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (problem) {
    if (problem instanceof Problem && problem.code === "record_damaged") return undefined;
    throw problem;
  }
}
