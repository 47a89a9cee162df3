/**
 * A notice in plain words: what happened, to which key, why, what was done, and what to do next. Pure. It contains
 * named fields only, each on a separate line and truncated: names come from the creator of the key and may be hostile.
 */
import type { LedgerEvent } from "../../audit/event.ts";
import type { NoticeType } from "./notice-types.ts";

type EventValue = LedgerEvent["fields"][string];

export interface MailText {
  readonly subject: string;
  readonly text: string;
}

interface Words {
  readonly what: string;
  readonly next: string;
}

const LOOK = "sallyport keys show KEY; sallyport audit search --key-id KEY";
const words: Readonly<Record<NoticeType, Words>> = {
  "key.notice": { what: "A key needs attention", next: "Rotate it (sallyport keys rotate KEY), use it, or revoke it." },
  "key.suspended": { what: "A key was suspended", next: `See why (${LOOK}), then resume or revoke it.` },
  "key.revoked": { what: "A key was revoked", next: "Nothing, if you expected it. Else see who did it: sallyport audit search --key-id KEY" },
  "key.rotation_begun": { what: "A key is being rotated", next: "Give the new secret to everyone who uses the key before the old one expires." },
  "key.rotated": { what: "A key has a new secret in use", next: "Nothing. The old secret ends after its grace." },
  "key.secret_reused": { what: "An old secret of a key was used", next: `Find out where it still is (${LOOK}). If you do not recognize the use: sallyport incident open --key-id KEY` },
  "ticket.opened_twice": { what: "A delivered key was opened twice", next: "Someone else may have it. The key is suspended: create another." },
  "ticket.opened_late": { what: "A delivery link was used after it expired", next: "Ask the recipient. If it was them, deliver the key again." },
  "ticket.unexpected_network": { what: "A delivery link was used from another network", next: "Ask the recipient. If it was not them, revoke the key." },
  "ticket.expired": { what: "A delivery link was never opened", next: "Deliver the key again, or revoke it." },
  "anomaly.detected": { what: "Unusual use of a key", next: `Look at it (${LOOK}), then answer: sallyport anomalies respond ALERT. If it was stolen: sallyport incident open --key-id KEY` },
  "rightsizing.taken_back": { what: "The right-sizing of a key was taken back", next: `A request was denied that the key's scope allows, so the key has its whole scope again. If you do not recognize the request (${LOOK}), suspend the key: sallyport keys suspend KEY` },
  "review.started": { what: "An access review was started", next: "See its lines: sallyport review show REVIEW. Decide each: sallyport review decide REVIEW LINE keep|revoke|narrow --reason TEXT" },
  "review.reminder": { what: "An access review ends soon", next: "Decide the open lines: sallyport review show REVIEW. What no one decides on is suspended at the end." },
  "review.closed": { what: "An access review was closed", next: "Write its report on the gateway host: sallyport review report REVIEW --out DIR. Restore what was suspended by mistake: sallyport review restore REVIEW LINE" },
  "notice.weekly": { what: "What needs a person this week", next: "See what there is now: sallyport today" },
  "leak.reported": { what: "A key was reported as leaked", next: "Replace it: sallyport incident close INCIDENT --reissue --deliver 2h. See what was done with it: sallyport incident report INCIDENT" },
  "leak.in_traffic": { what: "A key was found in a request or a response", next: `Rotate it: sallyport keys rotate KEY. Find out how it got there (${LOOK}).` },
  "person.local_suspended": { what: "A local log-in was suspended", next: "The user's permissions exceed the scope of the administrator who created the log-in. If that is intended: sallyport people confirm NAME. If not: sallyport people uninvite NAME" },
  "admin.reset": { what: "The recovery admin key was reset", next: "If it was not you: someone else can write to the gateway's data directory." },
  "admin_key.issued": { what: "An admin key was made", next: "If you did not expect it: sallyport admin keys revoke KEY" },
  "gateway.restored": { what: "The gateway runs on a restored backup", next: "It serves nothing until you say sallyport restore confirm." },
  "witness.refused": { what: "A witness does not recognize this audit log", next: "Find out who restored, copied or rewrote the data directory: sallyport audit verify; sallyport audit tail" },
}; // prettier-ignore

/** What is said of an event, in this order, and under which word. */
const said = [
  ["tasks", "to do"],
  ["more", "more"],
  ["key", "key"],
  ["review", "review"],
  ["lines", "lines"],
  ["open", "open lines"],
  ["reviewers", "reviewer"],
  ["name", "name"],
  ["owner", "owner"],
  ["principal", "owner"],
  ["ticket", "ticket"],
  ["kind", "looks like"],
  ["says", "why"],
  ["witness", "witness"],
  ["sender", "reported by"],
  ["url", "found at"],
  ["source", "kind of place"],
  ["where", "found in"],
  ["incident", "incident"],
  ["reason", "reason"],
  ["factors", "seen"],
  ["address", "from"],
  ["action", "what was done"],
  ["held", "policy asks for"],
  ["until", "until"],
  ["due_at", "due"],
  ["expires_at", "expires"],
  ["alert", "alert"],
] as const;
const TIMES: ReadonlySet<string> = new Set(["until", "due_at", "expires_at"]);
/** Never splits a character. */
const LINE = /^.{0,300}/su;
const LINES_MAX = 20;
const DIGEST_LINES_MAX = 100;

export function mailOf({ type, at, environment, actor, fields }: LedgerEvent): MailText {
  const { what, next } = words[type as NoticeType];
  const lines = said.flatMap(([field, word]) => valuesOf(field, fields[field]).map((value) => `${word}: ${value}`));
  const about = [`environment: ${plainLine(environment)}`, `by: ${plainLine(actor)}`, `when: ${isoText(at)}`];
  return {
    subject: plainLine(`[sallyport] ${what} (${environment}${subjectKey(fields["key"])})`),
    text: [`${what}.`, "", ...lines, ...about, "", `What to do next: ${next}`, "", ledgerLine(type)].join("\n"),
  };
}

/** Many that waited for their turn, as one. */
export function digestOf(events: readonly LedgerEvent[]): MailText {
  const counts = new Map<string, number>();
  for (const { type } of events) {
    const { what } = words[type as NoticeType];
    counts.set(what, (counts.get(what) ?? 0) + 1);
  }
  const shown = events
    .slice(0, DIGEST_LINES_MAX)
    .map((event) => `${isoText(event.at)} ${mailOf(event).subject.slice("[sallyport] ".length)}`);
  const more = events.length - shown.length;
  return {
    subject: `[sallyport] ${events.length} notices`,
    text: [
      "More happened than there are mails for in an hour. Since the last mail:",
      "",
      ...[...counts].map(([what, count]) => `${count} x ${what}`),
      "",
      ...shown,
      ...(more > 0 ? [`and ${more} more`] : []),
      "",
      "What to do next: sallyport audit search --since 2h",
    ].join("\n"),
  }; // prettier-ignore
}

function valuesOf(field: string, value: EventValue | undefined): string[] {
  if (value === undefined || value === null) return [];
  if (TIMES.has(field) && typeof value === "number") return [isoText(value)];
  if (Array.isArray(value)) return value.slice(0, LINES_MAX).map((one) => plainLine(one));
  return [plainLine(String(value))];
}

function subjectKey(key: EventValue | undefined): string {
  return typeof key === "string" ? `, ${key}` : "";
}

function ledgerLine(type: string): string {
  return `The audit log has the whole event (${type}).`;
}

function isoText(timeMs: number): string {
  return Number.isFinite(timeMs) && Math.abs(timeMs) <= 8.64e15 ? new Date(timeMs).toISOString() : String(timeMs);
}

/** One line without control, format and direction characters: no header, no second line and no turned text comes of it. */
export function plainLine(text: string): string {
  const line = text.replace(/[\p{C}\p{Zl}\p{Zp}]+/gu, " ");
  return LINE.exec(line)![0];
}
