/**
 * What a security event says (RFC 8417; OpenID CAEP 1.0, RISC 1.0, SSF 1.0), in the words of a statement. One event a
 * token. What is understood in part is not understood.
 */
import { failed } from "./failed-claims.ts";
import type { FailedClaims } from "./failed-claims.ts";
import type { Claims } from "./signed-claims.ts";
import type { Provider } from "./provider.ts";
import type { Said, Statement, Subject } from "./statement.ts";

export type ReadEvent =
  | { readonly kind: "statement"; readonly statement: Statement }
  /** A sign of life of the stream (SSF 1.0, 7.1.4). */
  | { readonly kind: "verification" }
  /** Of a kind that has no effect here; it is acknowledged. */
  | { readonly kind: "ignored" }
  | { readonly kind: "failed"; readonly failed: FailedClaims };

const CAEP = "https://schemas.openid.net/secevent/caep/event-type/";
const RISC = "https://schemas.openid.net/secevent/risc/event-type/";
const SSF = "https://schemas.openid.net/secevent/ssf/event-type/";
const SKEW_MS = 60_000;
const GROUPS_MAX = 256;
const GROUP = /^[^\s\p{C}](?:[^\p{C}]{0,98}[^\s\p{C}])?$/u;

export function readSecurityEvent(claims: Claims, provider: Provider, now: number): ReadEvent {
  const events = claims["events"];
  const names = isMap(events) ? Object.keys(events) : [];
  const [name = ""] = names;
  const event = isMap(events) ? events[name] : undefined;
  if (names.length !== 1 || !isMap(event)) return refuse("events does not hold exactly one event");
  if (name === `${SSF}verification`) return { kind: "verification" };
  const says = saidBy(name, event, provider);
  if (says === undefined) return { kind: "ignored" };
  if (typeof says === "string") return refuse(says);
  const subject = subjectOf(claims["sub_id"], event["subject"], provider);
  if (typeof subject === "string") return refuse(subject);
  const at = timeOf(event["event_timestamp"] ?? claims["toe"] ?? claims["iat"]);
  if (at === undefined || at > now + SKEW_MS) return refuse("the event's time is invalid, or in the future");
  const statement: Statement = {
    source: "caep",
    by: provider.issuer,
    actor: "gateway",
    event: String(claims["jti"]),
    isOnce: true,
    at,
    subject,
    says,
  };
  return { kind: "statement", statement };
}

/** Undefined: a kind that is not known. A text: why it cannot be understood. */
function saidBy(name: string, event: Claims, provider: Provider): Said | string | undefined {
  switch (name) {
    case `${CAEP}session-revoked`:
    case `${RISC}sessions-revoked`:
      return { sessionsEnded: true };
    case `${CAEP}credential-change`: {
      const type = event["change_type"];
      if (type === "revoke" || type === "delete") return { credentialsRevoked: true };
      return type === "create" || type === "update" ? { note: `credential_${type}` } : "unknown change_type";
    }
    case `${CAEP}token-claims-change`:
      return claimsChange(event["claims"], provider.groupsClaim);
    case `${CAEP}assurance-level-change`:
      return event["change_direction"] === "decrease" ? { risk: "medium" } : { note: "assurance_level_changed" };
    case `${CAEP}device-compliance-change`: {
      const status = event["current_status"];
      if (status === "not-compliant") return { risk: "medium" };
      return status === "compliant" ? { note: "device_compliant" } : "unknown current_status";
    }
    case `${CAEP}risk-level-change`: {
      const level = event["current_level"];
      const risk = (["low", "medium", "high"] as const).find((one) => one.toUpperCase() === level);
      return risk ? { risk } : "current_level must be one of LOW, MEDIUM and HIGH";
    }
    case `${RISC}account-disabled`:
    case `${RISC}account-purged`:
      return { isActive: false };
    case `${RISC}account-enabled`:
      return { isActive: true };
    default:
      return undefined;
  }
}

function claimsChange(claims: unknown, name: string): Said | string {
  if (!isMap(claims)) return "claims is no object";
  if (!Object.hasOwn(claims, name)) return { note: "claims_changed" };
  const groups = claims[name];
  const isList = Array.isArray(groups) && groups.length <= GROUPS_MAX;
  if (!isList || !groups.every((one): one is string => typeof one === "string" && GROUP.test(one)))
    return `${name} is no list of names`;
  return { groups: { set: [...new Set<string>(groups)] } };
}

/** RFC 9493. Where drafts put it into the event, it is read there; in two places it must be the same. */
function subjectOf(atTop: unknown, inEvent: unknown, provider: Provider): Subject | string {
  if (atTop !== undefined && inEvent !== undefined && JSON.stringify(atTop) !== JSON.stringify(inEvent))
    return "two subjects are named";
  const written = atTop ?? inEvent;
  // Drafts of SSF leave the format of a complex subject out; its user is what a simple one has no place for.
  const isComplex = isMap(written) && (written["format"] ?? "complex") === "complex";
  const subject = isComplex ? written["user"] : written;
  if (!isMap(subject)) return "no subject is named";
  const { format, iss, sub, email } = subject;
  if (format === "iss_sub") {
    if (iss !== provider.issuer) return "the subject is of another issuer";
    if (typeof sub !== "string" || sub === "" || sub.length > 256) return "the subject has no sub";
    return { issuer: provider.issuer, subject: sub, externalIds: provider.hasExternalIds };
  }
  if (format === "email") {
    if (!provider.mayNameByEmail) return "subjects by address are not accepted here";
    return typeof email === "string" && email !== "" && email.length <= 256 ? { email } : "the subject has no email";
  }
  return "the subject's format must be iss_sub or email";
}

/** Seconds since 1970 (RFC 7519, 2), as ms. */
function timeOf(value: unknown): number | undefined {
  return typeof value === "number" && value > 0 && value < 1e11 ? Math.round(value * 1000) : undefined;
}

function isMap(value: unknown): value is Claims {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function refuse(says: string): ReadEvent {
  return { kind: "failed", failed: failed("invalid_request", says) };
}
