/**
 * Guessing is slowed down, never stopped by a lock that a stranger could put on another user's name. After a few
 * failures, each further attempt waits twice as long: per network it comes from, and per name it is for. The wait of a
 * name is short and counted separately for each network, from its first attempt: strangers elsewhere can neither
 * prolong it nor take the turn. From a network where its owner logged in before, a name waits only for the failures
 * made there.
 */
import type { Clock } from "../../kernel/clock.ts";
import { SharedPlaces } from "../../kernel/shared-places.ts";

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
/** One network's guesses at names are remembered up to this number: they displace each other, not those of others. */
const NAMES_PER_NETWORK = 64;

export class GuessDelay {
  readonly #clock: Pick<Clock, "now">;
  readonly #held = new Map<string, Failures>();
  /** By network and name: the failures of that network, and from when on it is heard. */
  readonly #pairs = new SharedPlaces<Failures>({
    capacity: HELD_MAX,
    perOwner: { network: NAMES_PER_NETWORK },
    reserve: 0,
    little: 0,
  });
  readonly #known = new Set<string>();

  constructor(clock: Pick<Clock, "now">) {
    this.#clock = clock;
  }

  /** Counts the try as a failure before its outcome is known, so that many at once are not free. Answers the wait in ms; 0 = go on. */
  begin(name: string, network: string): number {
    const now = this.#clock.now();
    const here = this.#of(`n ${network}`, now);
    const pair = this.#pairOf(name, network, now);
    const waitMs = Math.max(0, here.openAt - now, pair.openAt - now);
    // An attempt that was not evaluated does not count: knocking does not prolong the wait.
    if (waitMs > 0) return waitMs;
    this.#count(pair, now, "name");
    this.#count(here, now, "network");
    if (!this.#known.has(pairKey(name, network))) this.#count(this.#of(nameKey(name), now), now, "name");
    return 0;
  }

  /** The owner of the name logged in from there before this process began. */
  know(name: string, network: string): void {
    this.#known.add(pairKey(name, network));
    if (this.#known.size > KNOWN_MAX) this.#known.delete(this.#known.values().next().value!);
  }

  /** The user proved their identity. Returns how many attempts failed since the last success. */
  succeeded(name: string, network: string): number {
    const mine = pairKey(name, network);
    const isKnown = this.#known.has(mine);
    const failed = isKnown ? this.#pairs.get(mine) : this.#held.get(nameKey(name));
    const before = (failed?.count ?? 1) - 1;
    this.#pairs.delete(mine);
    this.#held.delete(nameKey(name));
    // Of the network only this try is taken back: an account of one's own must not wash away guesses at others.
    const here = this.#held.get(`n ${network}`);
    if (here) Object.assign(here, { count: here.count - 1, openAt: 0 });
    this.know(name, network);
    return before;
  }

  /** Of a network that tries the name for the first time, with the wait that strangers' failures at the name put before it. */
  #pairOf(name: string, network: string, now: number): Failures {
    const key = pairKey(name, network);
    const held = this.#pairs.get(key);
    if (held && now - held.at < FORGOTTEN_MS) return held;
    this.#pairs.delete(key);
    const made: Failures = { count: 0, openAt: 0, at: now };
    const strangers = this.#known.has(key) ? undefined : this.#held.get(nameKey(name));
    if (strangers && now - strangers.at < FORGOTTEN_MS) made.openAt = now + waitOf(strangers.count, "name");
    this.#pairs.put(key, network, made);
    return made;
  }

  #of(key: string, now: number): Failures {
    const held = this.#held.get(key);
    if (held && now - held.at < FORGOTTEN_MS) return held;
    const made = { count: 0, openAt: 0, at: now };
    this.#held.delete(key);
    this.#held.set(key, made);
    // The oldest is removed: filling this with names costs a wait per name and network.
    if (this.#held.size > HELD_MAX) this.#held.delete(this.#held.keys().next().value!);
    return made;
  }

  #count(failures: Failures, now: number, kind: "network" | "name"): void {
    failures.count++;
    failures.at = now;
    failures.openAt = now + waitOf(failures.count, kind);
  }
}

function waitOf(failures: number, kind: "network" | "name"): number {
  const over = failures - FREE[kind];
  return over < 0 ? 0 : Math.min(WAIT_MAX_MS[kind], WAIT_FIRST_MS * 2 ** Math.min(over, 20));
}

function nameKey(name: string): string {
  return `p ${name}`;
}

function pairKey(name: string, network: string): string {
  return `${network} ${name}`;
}
