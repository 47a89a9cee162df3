/** `explain` of a token's life: the same sum as the token endpoint's, with every step. */
import { isDataPermission } from "@sallyport/protocol";
import { isHeldAnywhere } from "../access/decide.ts";
import type { ExplainToken } from "../access/explain.ts";
import type { Snapshot } from "../access/snapshot.ts";
import type { Clock } from "../kernel/clock.ts";
import type { KeyDirectory } from "../keys/directory.ts";
import { expiryOf } from "../keys/key.ts";
import { tokenLifetime } from "../tokens/lifetime.ts";
import type { Judge } from "./judge.ts";
import { findKeyAnywhere } from "./explain-request.ts";
import { lifetimeQuestion } from "./oauth/lifetime-question.ts";
import { heldPermissions } from "./oauth/token-scope.ts";

export interface ExplainTokenPorts {
  readonly clock: Clock;
  readonly snapshot: () => Snapshot;
  readonly keys: KeyDirectory;
  readonly judge: Pick<Judge, "explain">;
}

export function makeExplainToken({ clock, snapshot, keys, judge }: ExplainTokenPorts): ExplainToken {
  return function explainToken({ keyId, permissions, askedMs, isBound, isIdentified }) {
    const policy = snapshot();
    const key = findKeyAnywhere(policy, keys, keyId);
    if (!key) return undefined;
    // A caller of the token endpoint is a key first.
    const because: string[] = [];
    const right = policy.rightOf(key);
    if (judge.explain(key, "oauth", null, because) || !right)
      return { seconds: 0, because: [...because, "there is no token"] };
    const asked = permissions === null ? heldPermissions(right) : permissions.filter(isDataPermission);
    const missing = asked.filter((permission) => !isHeldAnywhere(right, permission));
    if (missing.length > 0 || asked.length === 0)
      return {
        seconds: 0,
        because: [`the key does not have ${missing.join(", ") || "any permission"}: there is no token`],
      };
    const now = clock.now();
    const presented = { address: "", isSigned: false, isIdentified };
    const keyLeftMs = (expiryOf(key) ?? Infinity) - now;
    const question = lifetimeQuestion({ key, right, permissions: asked, presented, isBound, askedMs, keyLeftMs, now });
    const lifetime = tokenLifetime(question);
    return { seconds: lifetime.ms / 1_000, because: lifetime.because };
  };
}
