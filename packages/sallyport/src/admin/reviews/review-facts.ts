/** What is known of the use and life of a review's subjects: for all of an environment at once, or of one. */
import { Problem } from "@sallyport/protocol";
import { isDisabledIn } from "../../access/holding.ts";
import type { AuditFilter, AuditRecord } from "../../audit/audit-log.ts";
import { expiryOf } from "../../keys/key.ts";
import type { KeyRecord } from "../../keys/key.ts";
import type { PopulationEntry, ReviewEvidence } from "../../reviews/review.ts";
import { dayOf } from "../../usage/usage-row.ts";
import type { AdminPorts } from "../ports.ts";
import { grantsOf } from "./review-subject.ts";
import type { FoundSubject } from "./review-subject.ts";

export const EVIDENCE_DAYS = 90;
const DAY_MS = 86_400_000;
const OPENS_MAX = 50;
const PAGE = 1_000;
/** Older assignments and alerts are not looked for. */
const READS_MAX = 20;

export interface UseSum {
  readonly requests: number;
  readonly lastAt: number;
}

export interface SubjectFacts {
  /** Who assigned or created it, by the audit log; null = not known. Keys say it themselves. */
  readonly issuers: ReadonlyMap<string, string>;
  readonly ofKeys: ReadonlyMap<string, UseSum>;
  readonly ofPrincipals: ReadonlyMap<string, UseSum>;
  /** Alerts by key. */
  readonly alerts: ReadonlyMap<string, number>;
}

type FactPorts = Pick<AdminPorts, "audit" | "usage" | "clock" | "snapshot" | "uses">;

/** `only`: of one key or principal; who issued it is known then. */
export async function readFacts(
  ports: FactPorts,
  environment: string,
  only: { readonly key?: string; readonly principal?: string } = {},
): Promise<SubjectFacts> {
  const isOne = only.key !== undefined || only.principal !== undefined;
  const since = ports.clock.now() - EVIDENCE_DAYS * DAY_MS;
  const alerts = new Map<string, number>();
  const alertsOf = {
    type: "anomaly.detected",
    environment,
    since,
    ...(only.key === undefined ? {} : { key: only.key }),
  };
  if (only.principal === undefined)
    for (const { fields } of await recordsOf(ports, alertsOf))
      count(alerts, typeof fields["key"] === "string" ? fields["key"] : "");
  const issuers = new Map<string, string>();
  if (!isOne)
    // Newest first: who assigned it last is who is asked about it.
    for (const { type, actor, fields } of await recordsOf(ports, {
      types: ["assignment.created", "principal.created"],
    })) {
      const id = type === "assignment.created" ? (fields["assignment"] ?? fields["name"]) : fields["principal"];
      const subject = `${type === "assignment.created" ? "assignment" : "service"}:${String(id)}`;
      if (!issuers.has(subject)) issuers.set(subject, actor);
    }
  return {
    issuers,
    alerts,
    ofKeys: only.principal === undefined ? await useSums(ports, environment, "key", only) : new Map(),
    ofPrincipals: only.key === undefined ? await useSums(ports, environment, "principal", only) : new Map(),
  };
}

function count(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}

async function recordsOf(
  { audit }: Pick<AdminPorts, "audit">,
  filter: Partial<AuditFilter>,
): Promise<readonly AuditRecord[]> {
  const all: AuditRecord[] = [];
  let before: number | undefined;
  for (let reads = 0; reads < READS_MAX; reads++) {
    const page = await audit.search({
      ...filter,
      limit: PAGE,
      order: "newest",
      ...(before === undefined ? {} : { before }),
    });
    all.push(...page);
    before = page.at(-1)?.seq;
    if (page.length < PAGE) break;
  }
  return all;
}

async function useSums(
  { usage, clock }: Pick<AdminPorts, "usage" | "clock">,
  environment: string,
  by: "key" | "principal",
  only: { readonly key?: string; readonly principal?: string },
): Promise<ReadonlyMap<string, UseSum>> {
  const sums = new Map<string, UseSum>();
  const to = dayOf(clock.now());
  const scope = { from: to - EVIDENCE_DAYS + 1, to, environment, ...only, by: [by], limit: PAGE };
  for (let after: string | undefined; ;) {
    const { rows, next } = await usage.report(after === undefined ? scope : { ...scope, after });
    for (const row of rows) {
      const name = row[by];
      if (name !== undefined && row.requests > 0) sums.set(name, { requests: row.requests, lastAt: row.lastAt });
    }
    if (next === null) return sums;
    after = next;
  }
}

export function reviewEvidence(
  ports: FactPorts,
  environment: string,
  found: FoundSubject,
  entry: PopulationEntry,
  facts: SubjectFacts,
): ReviewEvidence {
  const opens = [
    ...new Set(
      grantsOf(ports, environment, found).map(({ permission, model }) =>
        model === null ? permission : `${permission} on ${model}`,
      ),
    ),
    ...entry.permissions,
  ].slice(0, OPENS_MAX);
  const base = { anomalies: 0, opens, ownerState: ownerState(ports, environment, entry) } as const;
  const { key } = found as { key?: KeyRecord };
  if (key) {
    const used = facts.ofKeys.get(key.id);
    const isAdmin = found.kind === "admin_key";
    const last = Math.max(lastUse(ports, key), isAdmin ? 0 : (used?.lastAt ?? 0));
    return {
      ...base,
      createdAt: key.createdAt,
      expiresAt: expiryOf(key),
      rotatedAt: key.rotatedAt,
      lastUsedAt: last === 0 ? null : last,
      // Calls of the admin API are no requests to a model.
      requests: isAdmin ? null : (used?.requests ?? 0),
      anomalies: facts.alerts.get(key.id) ?? 0,
    };
  }
  const used = entry.owner === null ? undefined : facts.ofPrincipals.get(entry.owner);
  const isGroup = entry.owner?.startsWith("group:") === true;
  return {
    ...base,
    createdAt: found.kind === "service" ? found.service.createdAt : null,
    expiresAt: null,
    rotatedAt: null,
    lastUsedAt: used?.lastAt ?? null,
    requests: isGroup ? null : (used?.requests ?? 0),
  };
}

/** 0 for a key that was never used, and where what is stored of its uses is damaged: the finding says that. */
function lastUse({ uses }: Pick<AdminPorts, "uses">, { environment, id }: KeyRecord): number {
  try {
    return Math.max(0, ...uses.lastUses(environment, id).values());
  } catch (problem) {
    if (problem instanceof Problem && problem.code === "record_damaged") return 0;
    throw problem;
  }
}

function ownerState(
  { snapshot }: Pick<AdminPorts, "snapshot">,
  environment: string,
  { owner }: PopulationEntry,
): ReviewEvidence["ownerState"] {
  if (owner === null) return "none";
  if (owner.startsWith("group:")) return "active";
  const principal = snapshot().principals.get(owner);
  if (!principal) return "gone";
  return isDisabledIn(principal, environment) ? "disabled" : "active";
}
