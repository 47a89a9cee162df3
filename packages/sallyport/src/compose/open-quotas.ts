/**
 * Budgets over restarts. What was used is in a file, written every few seconds; what was recorded after that file is read
 * from the audit log at start, so that nothing is given twice after kill -9. A request that was running then is charged
 * what it had reserved.
 */
import { existsSync } from "node:fs";
import { readBounded } from "@sallyport/ledger/node";
import { parseModelName } from "@sallyport/protocol";
import type { Limits } from "../access/policy.ts";
import type { AuditRecord } from "../audit/audit-log.ts";
import type { EndListener } from "../dataplane/ending.ts";
import { causeOf } from "../kernel/log.ts";
import type { Log } from "../kernel/log.ts";
import { quotaBoundsOf } from "../limits/quota-bounds.ts";
import { QuotaBook } from "../limits/quota-book.ts";
import type { Amounts, QuotaBound } from "../limits/quota.ts";
import type { QuotaUse } from "../limits/quota-book.ts";
import { TokenEstimates } from "../limits/token-estimates.ts";
import { replaceDurably } from "../store/disk/durable-file.ts";
import type { Core } from "./core.ts";

export interface OpenQuotas {
  readonly book: QuotaBook;
  readonly tokens: TokenEstimates;
  readonly listener: EndListener;
  close(): Promise<void>;
}

interface KeptQuotas {
  /** Epoch ms. */
  readonly at: number;
  readonly uses: readonly QuotaUse[];
  /** Requests that had settled shortly before: their records may be younger than the file. */
  readonly settled: readonly string[];
}

const KEEP_MS = 5_000;
/** Records are written a little later than requests settle, and clocks are set back now and then. */
const SLACK_MS = 60_000;
const SETTLED_MAX = 100_000;
const FILE_BYTES_MAX = 256 * 1024 * 1024;
const PAGE = 2_000;
/** Without a file: as far back as the longest window. */
const LONGEST_WINDOW_MS = 31 * 86_400_000;

export async function openQuotas(core: Core, path: string, log: Log): Promise<OpenQuotas> {
  const { clock } = core;
  const book = new QuotaBook({
    now: () => clock.now(),
    onUsedUp: (bound) => {
      const { account, name, amount } = bound;
      log.warn({ account, budget: name, amount, soft: bound.isSoft }, "a budget is used up");
      core.changes
        .inTurn(() => core.changes.change({ operations: [], events: [usedUpEvent(bound, clock.now())] }))
        .catch((cause: unknown) => log.error({ cause: causeOf(cause) }, "a used-up budget could not be recorded"));
    },
  });
  const tokens = new TokenEstimates();
  const kept = readKept(path, log);
  if (kept) book.restore(kept.uses);
  if (kept || hasBudgets(core)) await foldSince(core, book, kept, clock.now());

  // Ids by the time of their end, the oldest first.
  const settled = new Map<string, number>();
  let isChanged = false;
  const keepNow = async (): Promise<void> => {
    if (!isChanged) return;
    isChanged = false;
    const at = clock.now();
    for (const [id, endedAt] of settled) {
      if (at - endedAt < SLACK_MS && settled.size <= SETTLED_MAX) break;
      settled.delete(id);
    }
    const text = JSON.stringify({ at, uses: book.uses(), settled: [...settled.keys()] } satisfies KeptQuotas);
    try {
      await replaceDurably(path, oneChunk(text));
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
    listener: {
      ended(exchange) {
        if (exchange.right === null || exchange.right.limits.length === 0) return;
        isChanged = true;
        settled.set(exchange.id, clock.now());
      },
    },
    async close() {
      clearInterval(timer);
      await keep();
    },
  };
}

function usedUpEvent({ account, name, amount, isSoft }: QuotaBound, at: number) {
  const environment = account.split(" ")[0]!;
  return {
    type: "quota.reached",
    at,
    environment,
    actor: "gateway",
    fields: { account, budget: name, amount, is_soft: isSoft },
  } as const;
}

/** Undefined without a file, or with one that cannot be read: then the audit log is read further back. */
function readKept(path: string, log: Log): KeptQuotas | undefined {
  if (!existsSync(path)) return undefined;
  try {
    const kept = JSON.parse(readBounded(path, FILE_BYTES_MAX)?.toString("utf8") ?? "") as Partial<KeptQuotas>;
    const { at, uses, settled } = kept;
    if (typeof at === "number" && Array.isArray(uses) && uses.every(isUse) && Array.isArray(settled))
      return { at, uses, settled: settled as string[] };
  } catch (cause) {
    log.warn({ cause: causeOf(cause) }, "the file of used budgets cannot be read");
  }
  log.warn("what was used of budgets is read from the audit log: its file is damaged");
  return undefined;
}

function isUse(value: unknown): value is QuotaUse {
  if (typeof value !== "object" || value === null) return false;
  const { name, startMs, endMs, used } = value as Record<string, unknown>;
  return typeof name === "string" && [startMs, endMs, used].every((one) => typeof one === "number" && one >= 0);
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

/** Books what the audit log has and the file does not. */
async function foldSince(core: Core, book: QuotaBook, kept: KeptQuotas | undefined, now: number): Promise<void> {
  const since = kept ? kept.at - SLACK_MS : now - LONGEST_WINDOW_MS;
  const known = new Set(kept?.settled);
  const running = new Map<string, AuditRecord>();
  const types = ["request.intent", "request.outcome"];
  for (let after = 0, isMore = true; isMore;) {
    const page = await core.audit.read({ types, since, after, limit: PAGE, order: "oldest" });
    for (const record of page.records) {
      const id = String(record.fields["request"]);
      if (record.type === "request.intent") running.set(id, record);
      else {
        const isYounger = kept === undefined || record.at > kept.at;
        if (!known.has(id) && (isYounger || running.has(id))) bookRecord(core, book, record, usedOf(record));
        running.delete(id);
      }
    }
    isMore = page.records.length > 0 && page.through > after;
    after = page.through;
  }
  for (const [id, record] of running) if (!known.has(id)) bookRecord(core, book, record, reservedOf(record));
}

function bookRecord(core: Core, book: QuotaBook, record: AuditRecord, used: Amounts): void {
  const key = core.keys.find(record.environment, record.actor.slice("key:".length));
  const right = key && core.snapshot().rightOf(key);
  if (!right || right.limits.length === 0) return;
  const model = typeof record.fields["model"] === "string" ? (parseModelName(record.fields["model"]) ?? null) : null;
  const zone = right.environment.quotas?.zone ?? "UTC";
  for (const bound of quotaBoundsOf(right.limits, `${key.environment} key ${key.id}`, model, zone))
    book.bookAt(bound, used[bound.name] ?? 0, record.at);
}

function usedOf({ fields }: AuditRecord): Amounts {
  const [inputTokens, outputTokens] = [numberOf(fields["input_tokens"]), numberOf(fields["output_tokens"])];
  const [compute, bytes] = [numberOf(fields["compute_ms"]), numberOf(fields["bytes"])];
  return { requests: 1, inputTokens, outputTokens, tokens: inputTokens + outputTokens, compute, bytes };
}

function reservedOf({ fields }: AuditRecord): Amounts {
  const tokens = numberOf(fields["reserved_tokens"]);
  return {
    requests: 1,
    tokens,
    outputTokens: tokens,
    compute: numberOf(fields["reserved_ms"]),
    bytes: numberOf(fields["bytes"]),
  };
}

function numberOf(value: unknown): number {
  return typeof value === "number" && Number.isFinite(value) && value > 0 ? value : 0;
}

async function* oneChunk(text: string): AsyncGenerator<Buffer> {
  yield Buffer.from(text);
}
