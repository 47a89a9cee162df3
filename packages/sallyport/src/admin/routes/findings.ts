/** Findings: read page by page, accepted until a date, opened again. */
import { Problem, SYSTEM_REALM } from "@sallyport/protocol";
import { parseDurationMs } from "@sallyport/contract";
import type { FindingView } from "@sallyport/contract";
import { administers } from "../../access/attenuation.ts";
import { findingId } from "../../access/posture/finding-record.ts";
import type { FindingRecord } from "../../access/posture/finding-record.ts";
import { LongWork } from "../../kernel/long-work.ts";
import { demandEnvironment, eventOf } from "../call.ts";
import type { AnyCall, Call, Handlers } from "../call.ts";
import { demandKnownEnvironment } from "../known-filter.ts";
import { positionOf, readPosture } from "../posture.ts";
import type { KnownFinding, PostureScope } from "../posture.ts";
import { isoTime } from "../views.ts";

const LIMIT_DEFAULT = 1_000;
const ACCEPTED_MAX_MS = 400 * 86_400_000;

export const findingHandlers: Handlers<"findings" | "findings.accept" | "findings.reopen"> = {
  findings: async (call) => {
    const { environment, status, after = "", limit = LIMIT_DEFAULT } = call.query;
    if (environment !== undefined && environment !== SYSTEM_REALM) demandKnownEnvironment(call, environment);
    const { findings, survey } = await readPosture(call.ports, scopeOf(call));
    const asked = await new LongWork().filter(
      findings,
      (finding) =>
        (environment === undefined || finding.environment === environment) &&
        (status === undefined || finding.status === status) &&
        positionOf(finding) > after,
    );
    const page = asked.slice(0, limit);
    const last = page.at(-1);
    return {
      findings: page.map(viewFinding),
      next: last && asked.length > page.length ? positionOf(last) : null,
      usesKnown: { from: isoTime(survey.from), to: isoTime(survey.to) },
    };
  },

  "findings.accept": async (call) => {
    const { reason } = call.body;
    const now = call.ports.clock.now();
    const fromNowMs = parseDurationMs(call.body.until);
    const until = fromNowMs === undefined ? Date.parse(call.body.until) : now + fromNowMs;
    if (until <= now) throw new Problem("input_invalid", "the acceptance would end in the past");
    if (until > now + ACCEPTED_MAX_MS) throw new Problem("input_invalid", "a finding is accepted for 400 days at most");
    const finding = await findOne(call);
    if (finding.status === "fixed") throw new Problem("conflict", "the finding is resolved already");
    const by = call.caller.issuer.actor;
    const record: FindingRecord = { ...recordOf(finding, now), acceptance: { until, reason, by, at: now } };
    await write(call, "finding.accepted", record, { reason, until: isoTime(until) });
    return answerOf(record, "accepted");
  },

  "findings.reopen": async (call) => {
    const finding = await findOne(call);
    if (!finding.record?.acceptance) throw new Problem("conflict", "no one has accepted the finding");
    const record: FindingRecord = { ...finding.record, acceptance: null };
    await write(call, "finding.reopened", record, {});
    return answerOf(record, finding.status === "fixed" ? "fixed" : "open");
  },
};

function scopeOf({ caller }: AnyCall): PostureScope {
  return { isShown: (environment) => administers(caller.issuer.right, environment) };
}

/** The finding that the caller names. One that they may not see does not exist for them. */
async function findOne(call: Call<"findings.accept"> | Call<"findings.reopen">): Promise<KnownFinding> {
  const { code, subject, environment } = call.body;
  if (environment !== undefined) demandEnvironment(call, environment);
  const { findings } = await readPosture(call.ports, scopeOf(call));
  const found = findings.filter(
    (one) =>
      one.code === code && one.subject === subject && (environment === undefined || one.environment === environment),
  );
  const [first, second] = found;
  if (!first) throw new Problem("not_found", `there is no finding ${code} of ${subject}`);
  if (second)
    throw new Problem(
      "input_invalid",
      `${subject} has the finding in ${found.map((one) => one.environment).join(", ")}: name the environment`,
    );
  return first;
}

function recordOf(finding: KnownFinding, now: number): FindingRecord {
  const { code, environment, subject, since, record } = finding;
  const firstSeenAt = record?.firstSeenAt ?? Math.min(since ?? now, now);
  return { id: findingId(finding), environment, code, subject, firstSeenAt, fixedAt: null, acceptance: null };
}

async function write(
  call: AnyCall,
  type: "finding.accepted" | "finding.reopened",
  finding: FindingRecord,
  said: Readonly<Record<string, string>>,
): Promise<void> {
  const { code, environment, subject } = finding;
  await call.ports.changes.inTurn(() =>
    call.ports.changes.change({
      operations: [{ op: "finding.put", finding }],
      events: [eventOf(call, type, environment, { code, subject, ...said })],
    }),
  );
}

function answerOf({ code, environment, subject }: FindingRecord, status: KnownFinding["status"]) {
  return { code, environment, subject, status };
}

function viewFinding(finding: KnownFinding): FindingView {
  const { code, severity, state, status, environment, subject, says, evidence, remedy, owner, since, record } = finding;
  const firstSeenAt = record?.firstSeenAt ?? since;
  const accepted = record?.acceptance ?? null;
  return {
    code,
    severity,
    state,
    status,
    environment,
    subject,
    says,
    evidence: [...evidence],
    remedy,
    owner,
    firstSeen: firstSeenAt === null ? null : isoTime(firstSeenAt),
    accepted: accepted && { ...accepted, until: isoTime(accepted.until), at: isoTime(accepted.at) },
  };
}
