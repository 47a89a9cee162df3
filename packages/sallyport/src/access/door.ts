/**
 * Access conditions: what an environment, a key, a role or a permission demands of a request in addition to its
 * credential, and whether the request meets it. Conditions are cumulative: each that applies must be met, and an
 * allow-list of networks applies even if nothing demands one.
 */
import { refuse } from "@sallyport/protocol";
import type { DataPermission, Factor, Refusal } from "@sallyport/protocol";
import type { NetworkList } from "../kernel/network-list.ts";

export interface Door {
  /** Where it was written, for explanations: `environment prod`, `role support-bot`, `key 4f…`. */
  readonly origin: string;
  /** Null = from anywhere. */
  readonly networks: NetworkList | null;
  readonly require: readonly Factor[];
}

/** What an environment demands for some permissions beyond what it demands for all. */
export interface PermissionDoor {
  readonly permissions: readonly DataPermission[];
  readonly require: readonly Factor[];
}

/** What a request provided in addition to its credential, as far as it was verified. */
export interface Presented {
  readonly address: string;
  /** Its signature was verified over its body, against a key registered to the credential. */
  readonly isSigned: boolean;
  /** A person or workload proved who it is a short while ago. */
  readonly isIdentified: boolean;
}

/**
 * Why these access conditions, taken together, are not met; undefined if all are. `because` is filled for explanations.
 */
export function refuseDoors(doors: readonly Door[], presented: Presented, because?: string[]): Refusal | undefined {
  return refuseNetworks(doors, presented.address, because) ?? refuseFactors(doors, presented, because);
}

/** The part of it that needs nothing but the caller's address: asked before anything of the request is read. */
export function refuseNetworks(doors: readonly Door[], address: string, because?: string[]): Refusal | undefined {
  for (const { origin, networks } of doors) {
    if (networks === null) continue;
    const isInside = networks.has(address);
    because?.push(`${origin} lets in ${networks.texts.join(", ")}: ${address} is ${isInside ? "inside" : "outside"}`);
    if (!isInside) return refuse("network_denied").with({ factor: "network" });
  }
  return undefined;
}

function refuseFactors(doors: readonly Door[], presented: Presented, because?: string[]): Refusal | undefined {
  for (const { origin, require } of doors) {
    for (const factor of require) {
      const refusal = refuseFactor(factor, doors, presented);
      because?.push(`${origin} demands the factor ${factor}: ${refusal ? "missing" : "there"}`);
      if (refusal) return refusal.with({ factor });
    }
  }
  return undefined;
}

function refuseFactor(factor: Factor, doors: readonly Door[], presented: Presented): Refusal | undefined {
  switch (factor) {
    case "network":
      // A network is proven by a list that holds the address, and every list was asked before: there must be one.
      return doors.some(({ networks }) => networks !== null) ? undefined : refuse("network_unbound");
    case "signature":
      return presented.isSigned ? undefined : refuse("signature_missing");
    case "identity":
      return presented.isIdentified ? undefined : refuse("identity_missing");
  }
}
