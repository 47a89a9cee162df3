/**
 * What is known about keys and owners apart from their traffic: who left, which keys ended, whose key was just revoked.
 * Bounded.
 */
import type { Observation } from "../observation.ts";

const FACTS_MAX = 20_000;
const MINT_WITHIN_MS = 3_600_000;

interface Ended {
  readonly at: number;
  readonly actor: string | null;
  readonly address: string | null;
}

export interface KeptFacts {
  readonly left: readonly (readonly [string, number])[];
  readonly endedKeys: readonly (readonly [string, Ended])[];
  readonly endedOf: readonly (readonly [string, Ended])[];
}

export class KnownFacts {
  readonly #left = new Map<string, number>();
  readonly #endedKeys = new Map<string, Ended>();
  readonly #endedOf = new Map<string, Ended>();

  learn({ kind, at, environment, key, owner, actor, address }: Observation): void {
    if (kind === "left" && owner !== null) put(this.#left, owner, at);
    if (kind === "resumed") this.#endedKeys.delete(`${environment}/${key}`);
    if (kind !== "revoked") return;
    put(this.#endedKeys, `${environment}/${key}`, { at, actor, address });
    if (owner !== null) put(this.#endedOf, owner, { at, actor, address });
  }

  keep(): KeptFacts {
    return { left: [...this.#left], endedKeys: [...this.#endedKeys], endedOf: [...this.#endedOf] };
  }

  restore({ left, endedKeys, endedOf }: KeptFacts): void {
    for (const [name, at] of left) this.#left.set(name, at);
    for (const [name, ended] of endedKeys) this.#endedKeys.set(name, ended);
    for (const [name, ended] of endedOf) this.#endedOf.set(name, ended);
  }

  /** The key ended, or its owner left, before this. */
  hasEnded({ environment, key, owner, at, totalMs }: Observation): boolean {
    if (this.#endedKeys.size === 0 && this.#left.size === 0) return false;
    const since =
      this.#endedKeys.get(`${environment}/${key}`)?.at ?? (owner === null ? undefined : this.#left.get(owner));
    return since !== undefined && since < at - totalMs;
  }

  /** A key of this owner was taken away within the hour, by whom. */
  takenAway({ owner, at }: Observation): Ended | undefined {
    const ended = owner === null ? undefined : this.#endedOf.get(owner);
    return ended && at - ended.at <= MINT_WITHIN_MS ? ended : undefined;
  }
}

function put<V>(map: Map<string, V>, name: string, value: V): void {
  map.delete(name);
  map.set(name, value);
  if (map.size > FACTS_MAX) for (const oldest of map.keys()) return void map.delete(oldest);
}
