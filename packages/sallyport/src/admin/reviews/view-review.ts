/** Reviews and their lines as they are shown. That a line is a canary is shown of closed reviews alone. */
import type { ExportedLine, FullLineView, LineView, ReviewView } from "@sallyport/contract";
import type { ReviewEvidence, ReviewLine, ReviewRecord } from "../../reviews/review.ts";
import type { AdminPorts } from "../ports.ts";
import { isoTime } from "../views.ts";
import { presentHash } from "./review-subject.ts";
import { actorName, hasLeft } from "./reviewers.ts";

type ViewPorts = Pick<AdminPorts, "keys" | "snapshot" | "clock" | "reviewLines">;

const isoOrNull = (timeMs: number | null): string | null => (timeMs === null ? null : isoTime(timeMs));

export function viewReview(ports: ViewPorts, review: ReviewRecord): ReviewView {
  const counts = ports.reviewLines.counts(review.id);
  const sum = (status: ReviewLine["status"], actor?: string | null): number =>
    counts
      .filter((one) => one.status === status && (actor === undefined || one.assignedTo === actor))
      .reduce((total, { lines }) => total + lines, 0);
  // Lines can be delegated to someone who was not named at the start.
  const actors = new Map(review.reviewers.map(({ actor, name }) => [actor, name]));
  for (const { assignedTo } of counts)
    if (assignedTo !== null && !actors.has(assignedTo)) actors.set(assignedTo, actorName(ports, assignedTo));
  const { id, environment, scope, state, startedBy, entries, lines, populationHash, schedule, closedBy } = review;
  return {
    id,
    environment,
    scope,
    state,
    startedAt: isoTime(review.startedAt),
    startedBy,
    due: isoTime(review.dueAt),
    entries,
    lines,
    populationHash,
    open: sum("open"),
    decided: sum("decided"),
    ended: sum("ended"),
    unassigned: sum("open", null),
    reviewers: [...actors].map(([actor, name]) => ({
      actor,
      name,
      state: hasLeft(ports, environment, actor) ? ("left" as const) : ("active" as const),
      open: sum("open", actor),
      decided: sum("decided", actor),
    })),
    schedule,
    closedAt: isoOrNull(review.closedAt),
    closedBy,
    result: review.result && {
      counts: { ...review.result.counts },
      figures: review.result.figures.map((one) => ({
        ...one,
        name: actorName(ports, one.actor),
        signs: [...one.signs],
      })),
    },
  };
}

export function viewLine(ports: ViewPorts, review: ReviewRecord, line: ReviewLine): LineView {
  return { ...baseOf(ports, line), flags: flagsOf(ports, review, line) };
}

function baseOf(ports: Pick<AdminPorts, "snapshot">, line: ReviewLine): Omit<LineView, "flags"> {
  const { entry, decision, outcome } = line;
  return {
    line: line.line,
    version: line.version,
    subject: entry.subject,
    name: entry.name,
    owner: ownerName(ports, entry.owner),
    risks: [...line.risks],
    status: line.status,
    assignedTo: line.assignedTo,
    decision: decision && { ...decision, at: isoTime(decision.at) },
    outcome: outcome && { what: outcome.what, at: isoTime(outcome.at), says: outcome.says },
  };
}

function ownerName({ snapshot }: Pick<AdminPorts, "snapshot">, owner: string | null): string | null {
  if (owner === null || owner.startsWith("group:")) return owner;
  return snapshot().principals.get(owner)?.name ?? owner;
}

/** What a reviewer has to know before they decide: nothing that changes is lost. */
function flagsOf(ports: ViewPorts, review: ReviewRecord, line: ReviewLine): LineView["flags"] {
  const flags: LineView["flags"] = [];
  // What the review itself did to the subject is its outcome.
  if (line.status === "open" && !review.canaries.includes(line.line)) {
    const hash = presentHash(ports, review.environment, line.entry);
    if (hash === null) flags.push("gone");
    else if (hash !== line.entryHash) flags.push("changed");
  }
  if (line.status !== "open") return flags;
  if (line.assignedTo === null && review.reviewers.length > 0) flags.push("no_reviewer");
  if (line.assignedTo !== null && hasLeft(ports, review.environment, line.assignedTo)) flags.push("reviewer_left");
  return flags;
}

export function viewEvidence(evidence: ReviewEvidence): FullLineView["frozen"]["evidence"] {
  return {
    created: isoOrNull(evidence.createdAt),
    expires: isoOrNull(evidence.expiresAt),
    rotated: isoOrNull(evidence.rotatedAt),
    lastUsed: isoOrNull(evidence.lastUsedAt),
    requests: evidence.requests,
    owner: evidence.ownerState,
    anomalies: evidence.anomalies,
    opens: [...evidence.opens],
  };
}

export function viewEntry(entry: ReviewLine["entry"]): FullLineView["frozen"]["entry"] {
  const { roles, allow, models, permissions, environments, conditions } = entry;
  return {
    ...entry,
    roles: [...roles],
    allow: [...allow],
    models: models && [...models],
    permissions: [...permissions],
    environments: [...environments],
    conditions: [...conditions],
  };
}

export function viewHistory({ openings, delegations }: ReviewLine): Pick<FullLineView, "openings" | "delegations"> {
  return {
    openings: openings.map(({ by, at, digest }) => ({ by, at: isoTime(at), digest })),
    delegations: delegations.map((one) => ({ ...one, at: isoTime(one.at) })),
  };
}

export function viewExported(ports: ViewPorts, review: ReviewRecord, line: ReviewLine): ExportedLine {
  return {
    ...baseOf(ports, line),
    isCanary: review.canaries.includes(line.line),
    frozen: { entry: viewEntry(line.entry), evidence: viewEvidence(line.evidence) },
    ...viewHistory(line),
  };
}
