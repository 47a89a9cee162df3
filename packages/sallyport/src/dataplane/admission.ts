/**
 * What comes of a credential that was proven, whatever it was: whether it may go on is asked of the table of standing.
 * Only then is its use noted.
 */
import type { Refusal } from "@sallyport/protocol";
import { isHeldAnywhere } from "../access/decide.ts";
import type { EffectiveRight } from "../access/snapshot.ts";
import type { Clock } from "../kernel/clock.ts";
import type { Authenticated } from "../keys/directory.ts";
import type { FirstNetworks } from "../keys/first-networks.ts";
import type { KeyRecord, KeySecret } from "../keys/key.ts";
import type { KeyLifecycle } from "../keys/lifecycle.ts";
import { retirementOf } from "../keys/retirement.ts";
import type { UseRecord } from "../keys/use-record.ts";
import type { Exchange } from "./exchange.ts";
import { isFresh } from "./fresh-identity.ts";
import type { Judge } from "./judge.ts";

export interface AdmissionPorts {
  readonly clock: Clock;
  readonly uses: UseRecord;
  readonly lifecycle: Pick<KeyLifecycle, "firstUse">;
  readonly firstNetworks: Pick<FirstNetworks, "bind">;
  readonly judge: Pick<Judge, "admit">;
}

/** Fills in key, secret and right of the exchange, or says why it may not go on. */
export type Admission = (exchange: Exchange, proven: Authenticated) => Refusal | undefined;

export function makeAdmission({ clock, uses, lifecycle, firstNetworks, judge }: AdmissionPorts): Admission {
  function noteUse(exchange: Exchange, key: KeyRecord, secret: KeySecret, right: EffectiveRight, now: number): void {
    const isPlaced = key.rotation !== null || isHeldAnywhere(right, "self:rotate");
    if (isPlaced) uses.notePlaced(key, secret, now, exchange.address, agentOf(exchange.request.rawHeaders));
    else uses.note(key, secret, now);
  }

  return function admit(exchange, { key, secret }) {
    const now = clock.now();
    exchange.key = key;
    exchange.secret = secret;
    if (key.session && isFresh(key.session.authenticatedAt, now)) exchange.isIdentified = true;
    const refusal = judge.admit(exchange);
    // Use from another network must not count as the owner's use, nor bind the key, nor begin an overlap. A key that is
    // denied for some minutes because it expires soon is in use.
    if (refusal && refusal.code !== "key_expires_soon") return refusal;
    const right = exchange.right!;
    firstNetworks.bind(key, exchange.address);
    // That a key rotates itself is no use of it: where it was used before is what is asked then.
    if (exchange.endpoint!.way !== "rotation") noteUse(exchange, key, secret, right, now);
    // The new secret works at once; that it is the one in use from now on is written down meanwhile.
    if (secret.state === "pending") lifecycle.firstUse(key, secret);
    exchange.retirement = retirementOf(key, secret, right.environment.keyLife, now);
    return refusal;
  };
}

function agentOf(rawHeaders: readonly string[]): string {
  for (let i = 0; i < rawHeaders.length; i += 2)
    if (rawHeaders[i]!.toLowerCase() === "user-agent") return rawHeaders[i + 1]!;
  return "";
}
