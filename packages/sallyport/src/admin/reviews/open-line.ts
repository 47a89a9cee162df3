/** Shows a line with its evidence, and records who was shown what and when. */
import type { FullLineView } from "@sallyport/contract";
import { jsonDigest, entryHashOf } from "../../reviews/population.ts";
import type { LineOpening, ReviewLine, ReviewRecord } from "../../reviews/review.ts";
import { eventOf } from "../call.ts";
import type { AnyCall } from "../call.ts";
import { readFacts, reviewEvidence } from "./review-facts.ts";
import type { SubjectFacts } from "./review-facts.ts";
import { findLine } from "./known-line.ts";
import { narrowingFor } from "./review-narrowing.ts";
import { entryOf, findSubject } from "./review-subject.ts";
import type { FoundSubject } from "./review-subject.ts";
import { viewEntry, viewEvidence, viewHistory, viewLine } from "./view-review.ts";

const OPENINGS_MAX = 50;

export async function openLine(call: AnyCall, review: ReviewRecord, number: number): Promise<FullLineView> {
  const { ports, caller } = call;
  const { entry } = findLine(call, review, number);
  const found = presentSubject(call, review, number, entry.subject);
  const facts = found && (await factsOf(call, review, found));
  const narrowing = found ? await narrowingFor(ports, review.environment, found) : null;
  return ports.changes.inTurn(async () => {
    const line = findLine(call, review, number);
    const present = presentSubject(call, review, number, entry.subject);
    const shown = shownOf(call, review, line, present, facts ?? NO_FACTS);
    const digest = jsonDigest(shown);
    const subjectHash = isCanary(review, number)
      ? line.entryHash
      : present
        ? entryHashOf(entryOf(ports, review.environment, present, line.entry.issuer))
        : null;
    const by = caller.issuer.actor;
    const opening: LineOpening = { by, at: ports.clock.now(), digest, subjectHash, version: line.version };
    // Their last look counts; of the others the newest are kept.
    const openings = [...line.openings.filter((one) => one.by !== by), opening].slice(-OPENINGS_MAX);
    const isOpen = review.state === "open" && line.status !== "ended";
    const version = line.version + 1;
    const next: ReviewLine = { ...line, openings: withVersion(openings, by, version), version };
    if (isOpen)
      await ports.changes.change({
        operations: [{ op: "review.line", line: next }],
        events: [
          eventOf(call, "review.opened", review.environment, {
            review: review.id,
            line: number,
            subject: line.entry.subject,
            shown_sha256: digest,
          }),
        ],
      });
    const after = isOpen ? next : line;
    return { ...shown, ...viewHistory(after), version: after.version, narrowed: narrowing?.says ?? null };
  });
}

/** Looks of others do not make what the reviewer has seen an old version. */
function withVersion(openings: readonly LineOpening[], by: string, version: number): readonly LineOpening[] {
  return openings.map((one) => ({
    ...one,
    version: one.by === by || one.version === version - 1 ? version : one.version,
  }));
}

function isCanary({ canaries }: ReviewRecord, line: number): boolean {
  return canaries.includes(line);
}

function presentSubject(
  { ports }: AnyCall,
  review: ReviewRecord,
  line: number,
  subject: string,
): FoundSubject | undefined {
  return isCanary(review, line) ? undefined : findSubject(ports, review.environment, subject);
}

const NO_FACTS: SubjectFacts = {
  issuers: new Map(),
  ofKeys: new Map(),
  ofPrincipals: new Map(),
  alerts: new Map(),
};

async function factsOf({ ports }: AnyCall, { environment }: ReviewRecord, found: FoundSubject): Promise<SubjectFacts> {
  switch (found.kind) {
    case "key":
      return readFacts(ports, environment, { key: found.key.id });
    case "admin_key":
      return NO_FACTS;
    case "assignment":
      return "group" in found.assignment.subject
        ? NO_FACTS
        : readFacts(ports, environment, { principal: found.assignment.subject.principal });
    case "service":
      return readFacts(ports, environment, { principal: found.service.id });
  }
}

type Shown = Omit<FullLineView, "narrowed" | "openings" | "delegations">;

function shownOf(
  { ports }: AnyCall,
  review: ReviewRecord,
  line: ReviewLine,
  found: FoundSubject | undefined,
  facts: SubjectFacts,
): Shown {
  const frozen = { entry: viewEntry(line.entry), evidence: viewEvidence(line.evidence) };
  const view = viewLine(ports, review, line);
  // It looks like a key that is as it was.
  if (isCanary(review, line.line)) return { ...view, frozen, now: frozen };
  if (!found) return { ...view, frozen, now: null };
  const entry = entryOf(ports, review.environment, found, line.entry.issuer);
  const evidence = reviewEvidence(ports, review.environment, found, entry, facts);
  return { ...view, frozen, now: { entry: viewEntry(entry), evidence: viewEvidence(evidence) } };
}
