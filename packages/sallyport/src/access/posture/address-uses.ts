/**
 * Keys of two environments that were used from one address. Addresses are kept only of keys that rotate, or may rotate
 * themselves, so this finds some cases and never all.
 */
import { SYSTEM_REALM } from "@sallyport/protocol";
import { findingOf, mixesProduction } from "./posture-finding.ts";
import type { JudgedKey, KeyUseFacts, PolicyFacts, PostureFinding } from "./posture-finding.ts";

/** More addresses than machines that a gateway serves. */
const ADDRESSES_MAX = 65_536;
/** Keys that are named for one address and environment. */
const NAMED_MAX = 5;

export class AddressUses {
  readonly #isShown: PolicyFacts["isShown"];
  /** By address and environment: ids of keys. */
  readonly #keys = new Map<string, Map<string, string[]>>();

  constructor(isShown: PolicyFacts["isShown"]) {
    this.#isShown = isShown;
  }

  note({ environment, id, state }: JudgedKey, { addresses }: KeyUseFacts): void {
    if (state === "revoked" || environment === SYSTEM_REALM) return;
    for (const address of addresses) {
      const held = this.#keys.get(address);
      if (!held && this.#keys.size >= ADDRESSES_MAX) return;
      const byEnvironment = held ?? new Map<string, string[]>();
      this.#keys.set(address, byEnvironment);
      const ids = byEnvironment.get(environment) ?? [];
      byEnvironment.set(environment, ids);
      if (ids.length < NAMED_MAX) ids.push(id);
    }
  }

  findings(): PostureFinding[] {
    return [...this.#keys].flatMap(([address, byEnvironment]) => {
      const environments = [...byEnvironment.keys()].toSorted();
      if (environments.length < 2) return [];
      const isMixed = mixesProduction(environments);
      return environments.map((environment) => {
        const others = environments.filter((name) => name !== environment && this.#isShown(name));
        const rest = others.length > 0 ? others.join(", ") : "another environment";
        const ids = byEnvironment.get(environment) ?? [];
        return findingOf("key_used_from_two_environments", {
          severity: isMixed ? "high" : "medium",
          environment,
          subject: `address:${address}`,
          says: `the address ${address} uses keys of ${environment} and of ${rest}`,
          evidence: ids.map((id) => `key ${id} of ${environment} was used from ${address}`),
          remedy: `bind the keys to their own networks: sallyport keys factors ${ids[0] ?? "KEY"} --network NETWORK`,
        });
      });
    });
  }
}
