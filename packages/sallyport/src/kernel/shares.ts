/**
 * Shares of what everyone uses: connections, bytes in memory, places, remembered nonces. Each owner may hold a limited
 * part, at every level that is counted, and the last part is reserved for owners who hold little.
 */
export interface ShareRules<Level extends string> {
  /** The most that may be held at the same time. */
  readonly capacity: number;
  /** The most one owner may hold, by level. The first level says whose holding is little. */
  readonly perOwner: Readonly<Record<Level, number>>;
  /** So much of the capacity is only for owners who hold no more than `little`, the new amount included. */
  readonly reserve: number;
  readonly little: number;
}

export type Owners<Level extends string> = Readonly<Record<Level, string>>;

/** Which bound an amount would pass: that of an owner at a level, or that of all together. */
export type FullShare<Level extends string> = Level | "all";

export class Shares<Level extends string> {
  readonly rules: ShareRules<Level>;
  readonly #levels: readonly Level[];
  readonly #heldByOwner: ReadonlyMap<Level, Map<string, number>>;
  #held = 0;

  constructor(rules: ShareRules<Level>) {
    this.rules = rules;
    this.#levels = Object.keys(rules.perOwner) as Level[];
    this.#heldByOwner = new Map(this.#levels.map((level) => [level, new Map<string, number>()]));
  }

  get held(): number {
    return this.#held;
  }

  heldBy(level: Level, owner: string): number {
    return this.#heldByOwner.get(level)!.get(owner) ?? 0;
  }

  /** Undefined when it was taken; else the bound it would pass, and nothing was taken. Give back exactly what was taken. */
  take(owners: Owners<Level>, amount = 1): FullShare<Level> | undefined {
    const { capacity, perOwner, reserve, little } = this.rules;
    for (const level of this.#levels) if (this.heldBy(level, owners[level]) + amount > perOwner[level]) return level;
    const [first] = this.#levels;
    const isLittle = first === undefined || this.heldBy(first, owners[first]) + amount <= little;
    if (this.#held + amount > (isLittle ? capacity : capacity - reserve)) return "all";
    this.#held += amount;
    for (const level of this.#levels) this.#add(level, owners[level], amount);
    return undefined;
  }

  give(owners: Owners<Level>, amount = 1): void {
    this.#held -= amount;
    for (const level of this.#levels) this.#add(level, owners[level], -amount);
  }

  /** The owner at that level who holds most; undefined if nothing is held. */
  largest(level: Level): string | undefined {
    let largest: string | undefined;
    let most = 0;
    for (const [owner, held] of this.#heldByOwner.get(level)!) {
      if (held <= most) continue;
      largest = owner;
      most = held;
    }
    return largest;
  }

  #add(level: Level, owner: string, amount: number): void {
    const owned = this.#heldByOwner.get(level)!;
    const held = (owned.get(owner) ?? 0) + amount;
    if (held === 0) owned.delete(owner);
    else owned.set(owner, held);
  }
}
