/**
 * Which permissions each key has used since the start: counted in memory when an intent is recorded, never written.
 * Earlier uses are in the audit log's intents.
 */
import type { DataPermission } from "@sallyport/protocol";
import type { Demand } from "./demand.ts";

export interface PermissionUse {
  readonly environment: string;
  /** Public id. */
  readonly key: string;
  readonly permission: string;
  readonly count: number;
}

/** What is known of uses, and of which time. */
export interface UseSurvey {
  /** Epoch ms: uses before this are not known. */
  readonly from: number;
  readonly to: number;
  readonly uses: readonly PermissionUse[];
}

/** A key's counts are some hundred bytes. */
const KEYS_MAX = 65_536;

interface Counted {
  readonly environment: string;
  readonly key: string;
  readonly counts: Map<DataPermission, number>;
}

export class PermissionUses {
  #since: number;
  readonly #byKey = new Map<string, Counted>();

  /** `now` in epoch ms: when counting begins. */
  constructor(now: number) {
    this.#since = now;
  }

  note(environment: string, key: string, demands: readonly Demand[], now: number): void {
    const name = `${environment}/${key}`;
    let counted = this.#byKey.get(name);
    if (!counted) {
      if (this.#byKey.size >= KEYS_MAX) this.#beginAnew(now);
      this.#byKey.set(name, (counted = { environment, key, counts: new Map() }));
    }
    const { counts } = counted;
    for (const { permission } of demands) counts.set(permission, (counts.get(permission) ?? 0) + 1);
  }

  survey(now: number): UseSurvey {
    const uses = [...this.#byKey.values()].flatMap(({ environment, key, counts }) =>
      [...counts].map(([permission, count]) => ({ environment, key, permission, count })),
    );
    return { from: this.#since, to: now, uses };
  }

  /**
   * Evict all counters together: a partially counted key would look unused. Evicted data can be rebuilt from the audit
   * log.
   */
  #beginAnew(now: number): void {
    this.#byKey.clear();
    this.#since = now;
  }
}
