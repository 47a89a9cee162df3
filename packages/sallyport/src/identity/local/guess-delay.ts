/**
 * Guessing is slowed down, never ended by a lock that a stranger could put on somebody else's name. After a few failures
 * each further try waits twice as long: by the network it comes from, and by the name it is for, whoever asks. The wait
 * of a name is short, because he whose it is waits too; from a network he got in from he waits only for his own failures.
 */
import type { Clock } from "../../kernel/clock.ts";

interface Failures {
  count: number;
  /** Epoch ms from which the next try is heard. */
  openAt: number;
  at: number;
}

const FREE = { network: 10, name: 3 } as const;
const WAIT_MAX_MS = { network: 15 * 60_000, name: 30_000 } as const;
const WAIT_FIRST_MS = 1_000;
const FORGOTTEN_MS = 24 * 3_600_000;
const HELD_MAX = 10_000;
const KNOWN_MAX = 10_000;

export class GuessDelay {
  readonly #clock: Pick<Clock, "now">;
  readonly #held = new Map<string, Failures>();
  readonly #known = new Set<string>();

  constructor(clock: Pick<Clock, "now">) {
    this.#clock = clock;
  }

  /** Counts the try as a failure before its outcome is known, so that many at once are not free. Answers the wait in ms; 0 = go on. */
  begin(name: string, network: string): number {
    const now = this.#clock.now();
    const mine = [this.#of(this.#nameOf(name, network), now), this.#of(`n ${network}`, now)] as const;
    const waitMs = Math.max(0, ...mine.map(({ openAt }) => openAt - now));
    // What was not heard counts for nothing: nobody makes the wait longer by knocking.
    if (waitMs > 0) return waitMs;
    this.#count(mine[0], now, "name");
    this.#count(mine[1], now, "network");
    return 0;
  }

  /** He was who he said. Answers how often it failed before, since it last did not. */
  succeeded(name: string, network: string): number {
    const mine = this.#nameOf(name, network);
    const before = (this.#held.get(mine)?.count ?? 1) - 1;
    for (const key of [mine, nameKey(name)]) this.#held.delete(key);
    // Of the network only this try is taken back: an account of one's own must not wash away guesses at others.
    const here = this.#held.get(`n ${network}`);
    if (here) Object.assign(here, { count: here.count - 1, openAt: 0 });
    this.#known.add(knownKey(name, network));
    if (this.#known.size > KNOWN_MAX) this.#known.delete(this.#known.values().next().value!);
    return before;
  }

  #nameOf(name: string, network: string): string {
    const known = knownKey(name, network);
    return this.#known.has(known) ? known : nameKey(name);
  }

  #of(key: string, now: number): Failures {
    const held = this.#held.get(key);
    if (held && now - held.at < FORGOTTEN_MS) return held;
    const made = { count: 0, openAt: 0, at: now };
    this.#held.delete(key);
    this.#held.set(key, made);
    // The oldest goes: who fills this with names has waited for each by his network.
    if (this.#held.size > HELD_MAX) this.#held.delete(this.#held.keys().next().value!);
    return made;
  }

  #count(failures: Failures, now: number, kind: "network" | "name"): void {
    failures.count++;
    failures.at = now;
    const over = failures.count - FREE[kind];
    if (over >= 0) failures.openAt = now + Math.min(WAIT_MAX_MS[kind], WAIT_FIRST_MS * 2 ** Math.min(over, 20));
  }
}

function nameKey(name: string): string {
  return `p ${name}`;
}

function knownKey(name: string, network: string): string {
  return `k ${network} ${name}`;
}
