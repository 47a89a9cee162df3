/**
 * A key's access conditions, as an administrator sets them. Relaxing one is granting: the issuer must be able to grant
 * it (R6).
 */
import { Problem } from "@sallyport/protocol";
import type { KeyView } from "@sallyport/contract";
import type { EventType, LedgerEvent } from "../../audit/event.ts";
import { parseNetwork } from "../../kernel/network-list.ts";
import { factorsOf } from "../../keys/key.ts";
import type { KeyFactors, KeyRecord } from "../../keys/key.ts";
import { makePathSecret } from "../../keys/path-secret.ts";
import { eventOf, refuseExcess, refuseMistakes } from "../call.ts";
import type { AnyCall, CallById, Handlers } from "../call.ts";
import { excessKey } from "../caller-scope.ts";
import { findKey } from "../find-key.ts";
import { refuseSession } from "../gated-ports.ts";
import { viewKey } from "../views.ts";

/** Mistakes of networks as they were written; the contract has looked at their form. */
export function networkMistakes(networks: readonly string[] | null | undefined): string[] {
  return (networks ?? [])
    .filter((text) => parseNetwork(text) === undefined)
    .map((text) => `networks: ${text} is not a network such as 10.0.0.0/8`);
}

export function demandGivable(call: AnyCall, key: KeyRecord): void {
  refuseExcess(excessKey(call, key));
}

export async function putFactors(
  call: AnyCall,
  key: KeyRecord,
  next: KeyFactors,
  type: EventType,
  fields: LedgerEvent["fields"],
): Promise<KeyView> {
  const { environment, id, name } = key;
  await call.ports.changes.change({
    operations: [{ op: "key.factors", environment, id, factors: next }],
    events: [eventOf(call, type, environment, { key: id, name, ...fields })],
  });
  return viewKey({ ...key, ...next }, call.ports.clock.now());
}

/** Runs in turn with other changes, on the key as it is then. A revoked key has no access conditions to set. */
export function onPresentKey<T>(call: CallById, work: (key: KeyRecord) => Promise<T>): Promise<T> {
  return call.ports.changes.inTurn(() => {
    const key = findKey(call, call.params.id);
    if (key.state === "revoked") throw new Problem("conflict", `key ${key.id} is revoked, which is final`);
    refuseSession(key);
    return work(key);
  });
}

export const keyFactorHandlers: Handlers<"keys.factors" | "keys.makePathSecret" | "keys.removePathSecret"> = {
  "keys.factors": (call) => {
    const { networks, binding, require } = call.body;
    refuseMistakes(networkMistakes(networks));
    return onPresentKey(call, (key) => {
      const old = factorsOf(key);
      const next = {
        ...old,
        ...(networks === undefined ? {} : { networks }),
        ...(binding === undefined ? {} : { binding }),
        ...(require === undefined ? {} : { require: [...new Set(require)] }),
      };
      const fields = { networks: next.networks ?? ["anywhere"], binding: next.binding, require: next.require };
      return putFactors(call, key, next, "key.factors_changed", fields);
    });
  },
  "keys.makePathSecret": (call) =>
    onPresentKey(call, async (key) => {
      demandGivable(call, key);
      const environment = call.ports.snapshot().environments.get(key.environment);
      refuseMistakes([
        ...(environment?.pathSecrets === "allow"
          ? []
          : [`environment ${key.environment} denies URL tokens: its policy must set \`pathSecrets: allow\``]),
        ...(environment?.networks || key.networks || key.binding
          ? []
          : ["a URL token requires a network allow-list: set one with `sallyport keys factors ID --network CIDR`"]),
      ]);
      const made = makePathSecret(key.environment, key.id, call.ports.peppers, call.ports.clock.now());
      await putFactors(call, key, { ...factorsOf(key), pathSecret: made.kept }, "key.path_secret_made", {});
      return { id: key.id, environment: key.environment, pathSecret: made.text.reveal() };
    }),
  "keys.removePathSecret": (call) =>
    onPresentKey(call, (key) =>
      putFactors(call, key, { ...factorsOf(key), pathSecret: null }, "key.path_secret_removed", {}),
    ),
};
