/**
 * All findings of a gateway as one list, worst first: those of policy and keys, of storage, sinks and incidents, and of how
 * users are identified. Each with what is kept of it. In slices.
 */
import { Problem, SYSTEM_REALM, severities } from "@sallyport/protocol";
import { findingId, statusOf } from "../access/posture/finding-record.ts";
import type { FindingRecord, FindingStatus } from "../access/posture/finding-record.ts";
import { policyFindings } from "../access/posture/posture-findings.ts";
import { findingOf } from "../access/posture/posture-finding.ts";
import type { KeyUseFacts, PolicyFacts, PostureFinding } from "../access/posture/posture-finding.ts";
import type { UseSurvey } from "../access/permission-uses.ts";
import { LongWork } from "../kernel/long-work.ts";
import { sortInSlices } from "../kernel/sort-in-slices.ts";
import type { KeyName } from "../usage/usage-report.ts";
import { dayOf } from "../usage/usage-row.ts";
import { everyKey } from "./each-key.ts";
import { gatewayFindings } from "./gateway-findings.ts";
import { peopleFindings } from "./people-findings.ts";
import type { AdminPorts } from "./ports.ts";

/** A finding with what is kept of it. */
export interface KnownFinding extends PostureFinding {
  readonly status: FindingStatus;
  readonly record: FindingRecord | undefined;
}

export interface PostureScope {
  /** Environments that the reader may know about; `system` is of those who administer everything. */
  readonly isShown: (environment: string) => boolean;
}

export interface Posture {
  readonly findings: readonly KnownFinding[];
  readonly survey: UseSurvey;
}

export async function readPosture(ports: AdminPorts, { isShown }: PostureScope): Promise<Posture> {
  const work = new LongWork();
  const survey = await ports.permissionUses();
  const snapshot = ports.snapshot();
  const now = ports.clock.now();
  // The walk over all keys also meets what is damaged and was not read yet.
  const keys = everyKey(ports, {}, work);
  const usesOf: PolicyFacts["usesOf"] = ({ environment, id }) => keyUseFacts(ports, environment, id);
  const policy = await policyFindings({ now, snapshot, keys, survey, isShown, usesOf }, work);
  const all = [...policy, ...gatewayFindings(ports, isShown), ...(await peopleFindings(isShown, snapshot, work))];
  const merged = await mergeSame(await withUsage(ports, all, work), work);
  const known = await work.flatMap(merged.values(), (finding) => [knownFinding(ports, finding, now)]);
  const fixed = ports.findings
    .all()
    .filter(({ id, environment }) => isShown(environment) && !merged.has(id))
    .map(fixedFinding);
  return { findings: await sortInSlices([...known, ...fixed], positionOf, work), survey };
}

/** Where a finding stands in the list: a text that sorts as the list does. */
export function positionOf(finding: Pick<PostureFinding, "severity" | "code" | "environment" | "subject">): string {
  return `${severities.indexOf(finding.severity)}/${finding.code}/${finding.environment}/${finding.subject}`;
}

function keyUseFacts({ uses }: Pick<AdminPorts, "uses">, environment: string, id: string): KeyUseFacts | null {
  const lastUses = new Map<number, number>();
  const addresses = new Set<string>();
  try {
    for (const { generation, usedAt, address } of uses.of(environment, id)) {
      lastUses.set(generation, Math.max(usedAt, lastUses.get(generation) ?? 0));
      if (address !== "") addresses.add(address);
    }
  } catch (cause) {
    // The reader has reported it: it is a finding by itself.
    if (cause instanceof Problem && cause.code === "record_damaged") return null;
    throw cause;
  }
  return { lastUses, addresses: [...addresses] };
}

/** One finding for each code, environment and subject, with the evidence of all. */
async function mergeSame(all: readonly PostureFinding[], work: LongWork): Promise<Map<string, PostureFinding>> {
  const merged = new Map<string, PostureFinding>();
  await work.each(all, (finding) => {
    const id = findingId(finding);
    const held = merged.get(id);
    if (!held) merged.set(id, finding);
    else
      merged.set(id, {
        ...held,
        evidence: [...new Set([...held.evidence, ...finding.evidence])].slice(0, EVIDENCE_MAX),
      });
  });
  return merged;
}

const EVIDENCE_MAX = 50;

function knownFinding({ findings }: Pick<AdminPorts, "findings">, finding: PostureFinding, now: number): KnownFinding {
  const record = findings.get(findingId(finding));
  return { ...finding, status: statusOf(record, true, now), record };
}

/** A finding that was recorded and is resolved. */
function fixedFinding(record: FindingRecord): KnownFinding {
  const { code, environment, subject } = record;
  const found = findingOf(code, {
    state: "ok",
    environment,
    subject,
    says: "the finding is resolved",
    remedy: "",
  });
  return { ...found, status: "fixed", record };
}

const USED_DAYS = 30;
const PAGE = 500;
const OF_UNUSED: ReadonlySet<string> = new Set(["key_unused", "key_never_used"]);

/** What the usage counters say of keys that look unused. */
async function withUsage(ports: AdminPorts, all: readonly PostureFinding[], work: LongWork): Promise<PostureFinding[]> {
  const unused = all.filter(({ code, environment }) => OF_UNUSED.has(code) && environment !== SYSTEM_REALM);
  const requests = new Map<PostureFinding, number>();
  const today = dayOf(ports.clock.now());
  for (let from = 0; from < unused.length; from += PAGE) {
    const page = unused.slice(from, from + PAGE);
    const names = page.map(({ environment, subject }): KeyName => ({ environment, id: subject.slice("key:".length) }));
    const counts = await ports.usage.requestsOf(names, today - USED_DAYS + 1, today);
    page.forEach((finding, at) =>
      requests.set(
        finding,
        (counts[at] ?? []).reduce((sum, day) => sum + day, 0),
      ),
    );
  }
  return work.flatMap(all, (finding) => {
    const count = requests.get(finding);
    if (count === undefined) return [finding];
    return [{ ...finding, evidence: [...finding.evidence, `${count} requests counted in ${USED_DAYS} days`] }];
  });
}
