/**
 * What is asked of a credential that was proven, whatever it was: that its environment is served here, its owner is there,
 * and it comes from where it may. Only then is its use noted.
 */
import { refuse } from "@sallyport/protocol";
import type { Refusal } from "@sallyport/protocol";
import { isHeldAnywhere } from "../access/decide.ts";
import { refuseNetworks } from "../access/door.ts";
import type { EffectiveRight, Snapshot } from "../access/snapshot.ts";
import type { Clock } from "../kernel/clock.ts";
import type { Authenticated } from "../keys/directory.ts";
import type { FirstNetworks } from "../keys/first-networks.ts";
import type { KeyRecord, KeySecret } from "../keys/key.ts";
import type { KeyLifecycle } from "../keys/lifecycle.ts";
import { brownoutSeconds, retirementOf } from "../keys/retirement.ts";
import type { UseRecord } from "../keys/use-record.ts";
import type { Exchange } from "./exchange.ts";
import { refuseBareKey } from "./bare-key.ts";
import { rightOf } from "./exchange-right.ts";
import { isFresh } from "./fresh-identity.ts";

export interface AdmissionPorts {
  readonly clock: Clock;
  readonly uses: UseRecord;
  readonly lifecycle: Pick<KeyLifecycle, "firstUse">;
  readonly firstNetworks: FirstNetworks;
  readonly snapshot: () => Snapshot;
  /** Environments this listener serves; null = all. */
  readonly environments: ReadonlySet<string> | null;
}

/** Fills in key, secret and right of the exchange, or says why it may not go on. */
export type Admission = (exchange: Exchange, proven: Authenticated) => Refusal | undefined;

export function makeAdmission(ports: AdmissionPorts): Admission {
  const { clock, uses, lifecycle, firstNetworks, snapshot, environments } = ports;

  function noteUse(exchange: Exchange, key: KeyRecord, secret: KeySecret, right: EffectiveRight, now: number): void {
    const isPlaced = key.rotation !== null || isHeldAnywhere(right, "self:rotate");
    if (isPlaced) uses.notePlaced(key, secret, now, exchange.address, agentOf(exchange.request.rawHeaders));
    else uses.note(key, secret, now);
  }

  return function admit(exchange, { key, secret }) {
    const now = clock.now();
    const { served } = exchange.endpoint!;
    exchange.key = key;
    exchange.secret = secret;
    if (environments !== null && !environments.has(key.environment)) return refuse("environment_not_here");
    const right = rightOf(snapshot(), key, exchange.token);
    if (!right) return refuse("environment_not_here");
    if (right.isOwnerDisabled) return refuse("owner_disabled");
    exchange.right = right;
    if (key.session && isFresh(key.session.authenticatedAt, now)) exchange.isIdentified = true;
    // Before its use is noted: what is used from elsewhere must not count as the owner's use, nor begin an overlap.
    const elsewhere = refuseNetworks(right.doors, exchange.address) ?? firstNetworks.refuse(key, exchange.address);
    if (elsewhere) return elsewhere;
    const bare = refuseBareKey(right, exchange, served);
    if (bare) return bare;
    // That a key rotates itself is no use of it: where it was used before is what is asked then.
    if (served !== "key") noteUse(exchange, key, secret, right, now);
    // The new secret works at once; that it is the one in use from now on is written down meanwhile.
    if (secret.state === "pending") lifecycle.firstUse(key, secret);
    const { keyLife } = right.environment;
    const retirement = retirementOf(key, secret, keyLife, now);
    exchange.retirement = retirement;
    // Whoever rotates has understood the warning.
    const waitSeconds = retirement && served !== "key" ? brownoutSeconds(retirement, keyLife, now) : 0;
    return waitSeconds > 0 ? { ...refuse("key_expires_soon"), retryAfterSeconds: waitSeconds } : undefined;
  };
}

function agentOf(rawHeaders: readonly string[]): string {
  for (let i = 0; i < rawHeaders.length; i += 2)
    if (rawHeaders[i]!.toLowerCase() === "user-agent") return rawHeaders[i + 1]!;
  return "";
}
