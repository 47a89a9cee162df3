/** Back-channel log-out (OpenID Connect Back-Channel Logout 1.0): the provider says that a person has signed out everywhere. */
import type { Clock } from "../kernel/clock.ts";
import type { IssuerKeys } from "./issuer-keys.ts";
import type { Provider } from "./provider.ts";
import type { Reconciler } from "./reconciler.ts";
import type { SeenTokens } from "./seen-tokens.ts";

import { ambiguousOf } from "./ambiguous-subject.ts";
import type { AmbiguousSubject } from "./ambiguous-subject.ts";
import { failed, FailedClaims } from "./failed-claims.ts";
import { verifyClaims } from "./signed-claims.ts";
import type { Claims } from "./signed-claims.ts";
import type { Statement, Subject } from "./statement.ts";

export interface LogOutPorts {
  readonly clock: Pick<Clock, "now">;
  readonly provider: Provider;
  readonly keys: IssuerKeys;
  readonly seen: SeenTokens;
  readonly reconciler: Pick<Reconciler, "hear" | "signOut">;
  /** Counts a genuine token that comes for the first time; throws `rate_limited`. Forged ones and copies use up nothing. */
  readonly demandRate?: () => void;
}

const EVENT = "http://schemas.openid.net/event/backchannel-logout";
/** Older than that, a log-out is a replay or a clock that is wrong. */
const AGE_MAX_MS = 10 * 60_000;
const SKEW_MS = 60_000;
const ID_MAX = 256;

export class LogOut {
  readonly #ports: LogOutPorts;

  constructor(ports: LogOutPorts) {
    this.#ports = ports;
  }

  /** Undefined: done. Else for several people, because it was not certain whom it meant; or why not (`error_description`, 2.8). */
  async receive(text: string): Promise<AmbiguousSubject | FailedClaims | undefined> {
    const { clock, provider, keys, seen, reconciler, demandRate } = this.#ports;
    const { issuer, clientId: audience } = provider;
    if (audience === null) return failed("invalid_audience", "no log-outs are accepted from this issuer");
    const now = clock.now();
    // Older providers write `JWT` or nothing (2.4); the events claim and the missing nonce tell it from an id token.
    const isType = (type: string): boolean => type === "logout+jwt" || type === "jwt" || type === "";
    const claims = await verifyClaims(text, keys, { issuer, audience, isType, ageMaxMs: AGE_MAX_MS }, now);
    if (claims instanceof FailedClaims) return claims;
    const wrong = mistakeOf(claims);
    if (wrong !== undefined) return failed("invalid_request", wrong);
    const jti = String(claims["jti"]);
    if (seen.has(issuer, jti)) return failed("invalid_request", "it came before");
    if (seen.isFull) return failed("unavailable", "too many tokens are remembered");
    demandRate?.();
    const { sub, sid } = claims as { sub?: string; sid?: string };
    const ended = await reconciler.signOut({
      issuer,
      ...(sub === undefined ? {} : { subject: sub }),
      ...(sid === undefined ? {} : { sid }),
    });
    const subjects: Subject[] =
      sub === undefined
        ? ended.map((principal) => ({ principal }))
        : [{ issuer, subject: sub, externalIds: provider.hasExternalIds }];
    const heard = await reconciler.hear(subjects.map((subject) => statementOf(subject, issuer, jti)));
    seen.add(issuer, jti, now + AGE_MAX_MS + SKEW_MS);
    return ambiguousOf(heard);
  }
}

/** 2.4 and 2.6: what it must say, and the nonce it must not, or an id token could be taken for it. */
function mistakeOf({ events, nonce, sub, sid, exp }: Claims): string | undefined {
  if (nonce !== undefined) return "a log-out token has no nonce";
  if (typeof exp !== "number") return "exp is missing";
  const event = isMap(events) && Object.keys(events).length === 1 ? events[EVENT] : undefined;
  if (!isMap(event)) return "events does not hold the log-out alone";
  if (sub === undefined && sid === undefined) return "neither sub nor sid is there";
  for (const id of [sub, sid])
    if (id !== undefined && (typeof id !== "string" || id === "" || id.length > ID_MAX)) return "sub or sid is no text";
  return undefined;
}

function statementOf(subject: Subject, issuer: string, jti: string): Statement {
  const says = { sessionsEnded: true };
  return { source: "logout", by: issuer, actor: "gateway", event: jti, isOnce: true, at: null, subject, says };
}

function isMap(value: unknown): value is Claims {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
