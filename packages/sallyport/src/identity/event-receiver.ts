/**
 * Receives security events, however they were delivered: verified, understood, processed by the reconciler, and only
 * then acknowledged. What cannot be verified now is not rejected: its sender keeps it and sends it again.
 */
import type { Clock } from "../kernel/clock.ts";
import { ambiguousOf } from "./ambiguous-subject.ts";
import type { AmbiguousSubject } from "./ambiguous-subject.ts";
import type { IssuerKeys } from "./issuer-keys.ts";
import type { Provider } from "./provider.ts";
import type { Reconciler } from "./reconciler.ts";
import type { SeenTokens } from "./seen-tokens.ts";
import { readSecurityEvent } from "./security-event.ts";
import { failed, FailedClaims } from "./failed-claims.ts";
import { verifyClaims } from "./signed-claims.ts";

export interface EventReceiverPorts {
  readonly clock: Pick<Clock, "now">;
  readonly provider: Provider;
  /** Of the transmitter. */
  readonly keys: IssuerKeys;
  readonly seen: SeenTokens;
  readonly reconciler: Pick<Reconciler, "hear">;
}

/** How old an event may be: a sender whose receiver was down for a week-end still delivers it. */
const AGE_MAX_MS = 7 * 86_400_000;
const SKEW_MS = 60_000;

export class EventReceiver {
  readonly #ports: EventReceiverPorts;

  constructor(ports: EventReceiverPorts) {
    this.#ports = ports;
  }

  /** Undefined: taken (RFC 8935, 2.2), also when it came before. `id`: the one it must have, where its sender names it. */
  async receive(text: string, id?: string): Promise<AmbiguousSubject | FailedClaims | undefined> {
    const { clock, provider, keys, seen, reconciler } = this.#ports;
    const { audience } = provider;
    const { issuer } = provider.transmitter ?? provider;
    if (audience === null) return failed("invalid_audience", "no events are accepted from this issuer");
    const now = clock.now();
    const isType = (type: string): boolean => type === "secevent+jwt";
    const claims = await verifyClaims(text, keys, { issuer, audience, isType, ageMaxMs: AGE_MAX_MS }, now);
    if (claims instanceof FailedClaims) return claims;
    const jti = String(claims["jti"]);
    if (id !== undefined && jti !== id) return failed("invalid_request", "it was sent under another id");
    if (seen.has(issuer, jti)) return undefined;
    if (seen.isFull) return failed("unavailable", "too many events are remembered");
    const read = readSecurityEvent(claims, provider, now);
    if (read.kind === "failed") return read.failed;
    const heard = read.kind === "statement" ? await reconciler.hear([read.statement]) : undefined;
    seen.add(issuer, jti, now + AGE_MAX_MS + SKEW_MS);
    return heard && ambiguousOf(heard);
  }
}
