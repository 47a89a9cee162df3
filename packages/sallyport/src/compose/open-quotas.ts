/**
 * Budgets over restarts. What was used is in a file, written every few seconds; what was recorded after that file is read
 * from the audit log at start, so that nothing is given twice after kill -9. A request that ran then is charged what it
 * had reserved when the file was written or, if it began later, when it began.
 */
import { parseModelName } from "@sallyport/protocol";
import type { Limits } from "../access/policy.ts";
import type { AuditRecord } from "../audit/audit-log.ts";
import { causeOf } from "../kernel/log.ts";
import type { Log } from "../kernel/log.ts";
import { quotaBoundsOf } from "../limits/quota-bounds.ts";
import { QuotaBook } from "../limits/quota-book.ts";
import type { Amounts, QuotaBound } from "../limits/quota.ts";
import type { OpenUse } from "../limits/quota-book.ts";
import { reservedAmounts, usedAmounts } from "../limits/recorded-amounts.ts";
import { TokenEstimates } from "../limits/token-estimates.ts";
import type { Core } from "./core.ts";
import { keepQuotas, readKeptQuotas } from "./kept-quotas.ts";
import type { KeptQuotas } from "./kept-quotas.ts";

export interface OpenQuotas {
  readonly book: QuotaBook;
  readonly tokens: TokenEstimates;
  close(): Promise<void>;
}

const KEEP_MS = 5_000;
/** Records are written a little later than requests settle, and clocks are set back now and then. */
const SLACK_MS = 60_000;
const SETTLED_MAX = 100_000;
const PAGE = 2_000;
/** Without a file: as far back as the longest window. */
const LONGEST_WINDOW_MS = 31 * 86_400_000;

export async function openQuotas(core: Core, path: string, log: Log): Promise<OpenQuotas> {
  const { clock } = core;
  // Ids by the time of their end, the oldest first.
  const settled = new Map<string, number>();
  let isChanged = false;
  const book = new QuotaBook({
    now: () => clock.now(),
    onUsedUp: (bound) => {
      const { account, name, amount } = bound;
      log.warn({ account, budget: name, amount, soft: bound.isSoft }, "a budget is used up");
      core.changes
        .inTurn(() => core.changes.change({ operations: [], events: [usedUpEvent(bound, clock.now())] }))
        .catch((cause: unknown) => log.error({ cause: causeOf(cause) }, "a used-up budget could not be recorded"));
    },
    onSettled(request) {
      isChanged = true;
      settled.set(request, clock.now());
    },
  });
  const tokens = new TokenEstimates();
  const kept = readKeptQuotas(path, log);
  if (kept) book.restore(kept.uses);
  if (kept || hasBudgets(core)) await foldSince(core, book, kept, clock.now());

  const keepNow = async (): Promise<void> => {
    if (!isChanged && book.open === 0) return;
    isChanged = false;
    const at = clock.now();
    for (const [id, endedAt] of settled) {
      if (at - endedAt < SLACK_MS && settled.size <= SETTLED_MAX) break;
      settled.delete(id);
    }
    try {
      await keepQuotas(path, { at, uses: book.uses(), open: book.openUses(), settled: [...settled.keys()] });
    } catch (cause) {
      isChanged = true;
      log.warn({ cause: causeOf(cause) }, "what was used of budgets could not be kept");
    }
  };
  let keeping: Promise<void> = Promise.resolve();
  const keep = (): Promise<void> => (keeping = keeping.then(keepNow));
  const timer = setInterval(() => void keep(), KEEP_MS).unref();
  return {
    book,
    tokens,
    async close() {
      clearInterval(timer);
      await keep();
    },
  };
}

function usedUpEvent({ environment, account, name, amount, isSoft }: QuotaBound, at: number) {
  return {
    type: "quota.reached",
    at,
    environment,
    actor: "gateway",
    fields: { account, budget: name, amount, is_soft: isSoft },
  } as const;
}

/**
 * The file is written with the first request that has limits. Where it is missing and policy has none, there was none:
 * nothing is looked for.
 */
function hasBudgets(core: Core): boolean {
  const { environments, roles } = core.snapshot();
  const isLimited = (limits: Limits): boolean => Object.keys(limits).length > 0;
  for (const { limits, quotas } of environments.values()) if (quotas || isLimited(limits)) return true;
  for (const { limits } of roles.values()) if (isLimited(limits)) return true;
  return false;
}

/** A request without an end so far. */
interface Unended {
  readonly images: number;
  readonly charge: () => void;
}

/** Books what the audit log has and the file does not. */
async function foldSince(core: Core, book: QuotaBook, kept: KeptQuotas | undefined, now: number): Promise<void> {
  const since = kept ? kept.at - SLACK_MS : now - LONGEST_WINDOW_MS;
  const known = new Set(kept?.settled);
  const unended = new Map(kept?.open.map((one) => [one.request, keptUnended(book, one)]));
  const types = ["request.intent", "request.outcome"];
  for (let after = 0, isMore = true; isMore;) {
    const page = await core.audit.read({ types, since, after, limit: PAGE, order: "oldest" });
    for (const record of page.records) {
      const id = String(record.fields["request"]);
      if (known.has(id)) continue;
      const open = unended.get(id);
      if (record.type === "request.intent") {
        if (!open) unended.set(id, recordedUnended(core, book, record));
        continue;
      }
      if (open || kept === undefined || record.at > kept.at)
        bookRecord(core, book, record, usedAmounts(record.fields, open?.images));
      unended.delete(id);
    }
    isMore = page.records.length > 0 && page.through > after;
    after = page.through;
  }
  for (const { charge } of unended.values()) charge();
}

function keptUnended(book: QuotaBook, { uses }: OpenUse): Unended {
  const images = Math.max(0, ...uses.filter(({ budget }) => budget === "images").map(({ used }) => used));
  return { images, charge: () => book.restore(uses) };
}

function recordedUnended(core: Core, book: QuotaBook, record: AuditRecord): Unended {
  const amounts = reservedAmounts(record.fields);
  return { images: amounts.images ?? 0, charge: () => bookRecord(core, book, record, amounts) };
}

function bookRecord(core: Core, book: QuotaBook, record: AuditRecord, amounts: Amounts): void {
  const key = core.keys.find(record.environment, record.actor.slice("key:".length));
  const right = key && core.snapshot().rightOf(key);
  if (!right || right.limits.length === 0) return;
  const model = typeof record.fields["model"] === "string" ? (parseModelName(record.fields["model"]) ?? null) : null;
  for (const bound of quotaBoundsOf(right.environment, right.limits, key.id, model))
    book.bookAt(bound, amounts[bound.name] ?? 0, record.at);
}
