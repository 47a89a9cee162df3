/** The third door: one credential, a genuine key, in a state and an environment that may be served here. */
import { refuse } from "@sallyport/protocol";
import type { Snapshot } from "../../access/snapshot.ts";
import type { Clock } from "../../kernel/clock.ts";
import type { KeyDirectory } from "../../keys/directory.ts";
import { extractCredential } from "../../listener/credential.ts";
import type { Stage } from "../pipeline.ts";

export interface AuthenticatePorts {
  readonly clock: Clock;
  readonly keys: KeyDirectory;
  readonly snapshot: () => Snapshot;
  /** Environments this listener serves; null = all. */
  readonly environments: ReadonlySet<string> | null;
}

export function makeAuthenticate({ clock, keys, snapshot, environments }: AuthenticatePorts): Stage {
  return function authenticate(exchange) {
    const credential = extractCredential(exchange.request.rawHeaders);
    if (typeof credential !== "string") return credential;
    const verified = keys.authenticate(credential, ["api"], clock.now());
    if ("code" in verified) return verified;
    const { key } = verified;
    exchange.key = key;
    if (environments !== null && !environments.has(key.environment)) return refuse("environment_not_here");
    const right = snapshot().rightOf(key);
    if (!right) return refuse("environment_not_here");
    if (right.isOwnerDisabled) return refuse("owner_disabled");
    exchange.right = right;
    return undefined;
  };
}
