/** The records whose proofs go with a report: few, and those that decide what happened. */

const ADDRESSES_MAX = 24;
const CODES_MAX = 8;
const LIFE_MAX = 24;

const LIMITS = { always: Infinity, address: ADDRESSES_MAX, code: CODES_MAX, life: LIFE_MAX } as const;

export class Decisive {
  readonly #records = new Map<number, string>();
  readonly #counts = new Map<string, number>();

  add(kind: keyof typeof LIMITS, seq: number, why: string): void {
    const count = this.#counts.get(kind) ?? 0;
    if (count >= LIMITS[kind] || this.#records.has(seq)) return;
    this.#counts.set(kind, count + 1);
    this.#records.set(seq, why);
  }

  result(): { seq: number; why: string }[] {
    return [...this.#records].map(([seq, why]) => ({ seq, why })).sort((a, b) => a.seq - b.seq);
  }
}
