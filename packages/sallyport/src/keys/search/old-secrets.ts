/** Which keys are still used with a secret that a rotation replaced. Few keys rotate at a time: these are kept apart. */
import type { KeyBrief } from "./key-columns.ts";

interface Replaced {
  readonly newest: number;
  /** Epoch ms. */
  readonly newestAt: number;
  oldUsedAt: number;
}

export class OldSecrets {
  readonly #rows = new Map<number, Replaced>();

  put(row: number, secrets: KeyBrief["secrets"]): void {
    const newest = secrets.findLast(({ state }) => state === "pending" || state === "active");
    const hasOlder =
      newest && secrets.some(({ generation, state }) => generation < newest.generation && state !== "destroyed");
    if (!hasOlder) return void this.#rows.delete(row);
    const oldUsedAt = this.#rows.get(row)?.oldUsedAt ?? 0;
    this.#rows.set(row, { newest: newest.generation, newestAt: newest.createdAt, oldUsedAt });
  }

  note(row: number, generation: number, usedAt: number): void {
    const held = this.#rows.get(row);
    if (held && generation < held.newest) held.oldUsedAt = Math.max(held.oldUsedAt, usedAt);
  }

  /** An old secret was used after the new one was made. */
  has(row: number): boolean {
    const held = this.#rows.get(row);
    return held !== undefined && held.oldUsedAt > held.newestAt;
  }
}
