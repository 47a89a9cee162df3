/**
 * What each user got of the model servers in the last minutes, for people who look: service, waits and requests. In two
 * halves of five minutes each, of which the older one is dropped. Nothing is decided by it.
 */

export interface Attained {
  readonly principal: string;
  readonly computeMs: number;
  readonly queueMs: number;
  readonly requests: number;
}

interface Sum {
  computeMs: number;
  queueMs: number;
  requests: number;
}

/** All users of an environment, most service first. */
interface Ranking {
  readonly madeMs: number;
  readonly rows: readonly Attained[];
  readonly jainIndex: number;
  readonly others: Readonly<Sum>;
}

const HALF_MS = 300_000;
/** Metrics ask several times for one scrape; ten thousand users are put in order once for all of them. */
const RANKING_MS = 1_000;
const PRINCIPALS_MAX = 10_000;
/** Stands for all who have no separate place. */
export const OTHERS = "other";

export class AttainedService {
  #present = new Map<string, Map<string, Sum>>();
  #before = new Map<string, Map<string, Sum>>();
  #beganMs = 0;
  readonly #rankings = new Map<string, Ranking>();

  note(environment: string, principal: string, computeMs: number, queueMs: number, nowMs: number): void {
    this.#turn(nowMs);
    let sums = this.#present.get(environment);
    if (sums === undefined) this.#present.set(environment, (sums = new Map()));
    const name = sums.size < PRINCIPALS_MAX || sums.has(principal) ? principal : OTHERS;
    let sum = sums.get(name);
    if (sum === undefined) sums.set(name, (sum = { computeMs: 0, queueMs: 0, requests: 0 }));
    sum.computeMs += computeMs;
    sum.queueMs += queueMs;
    sum.requests++;
  }

  /** By service, most first; only the first `most`, and the rest together as `other`. */
  of(environment: string, most: number, nowMs: number): Attained[] {
    const { rows, others } = this.#rankingOf(environment, nowMs);
    const rest = { ...others };
    for (let i = most; i < rows.length; i++) {
      const { computeMs, queueMs, requests } = rows[i]!;
      rest.computeMs += computeMs;
      rest.queueMs += queueMs;
      rest.requests += requests;
    }
    const first = rows.slice(0, most);
    return rest.requests > 0 ? [...first, { principal: OTHERS, ...rest }] : first;
  }

  /** Over all users of the environment. */
  jainIndex(environment: string, nowMs: number): number {
    return this.#rankingOf(environment, nowMs).jainIndex;
  }

  environments(): string[] {
    return [...new Set([...this.#before.keys(), ...this.#present.keys()])];
  }

  #rankingOf(environment: string, nowMs: number): Ranking {
    this.#turn(nowMs);
    const known = this.#rankings.get(environment);
    if (known !== undefined && nowMs - known.madeMs < RANKING_MS) return known;
    const sums = new Map<string, Sum>();
    for (const half of [this.#before.get(environment), this.#present.get(environment)])
      for (const [principal, { computeMs, queueMs, requests }] of half ?? []) {
        const sum = sums.get(principal) ?? { computeMs: 0, queueMs: 0, requests: 0 };
        sum.computeMs += computeMs;
        sum.queueMs += queueMs;
        sum.requests += requests;
        sums.set(principal, sum);
      }
    const others: Sum = sums.get(OTHERS) ?? { computeMs: 0, queueMs: 0, requests: 0 };
    sums.delete(OTHERS);
    const rows = [...sums]
      .map(([principal, sum]) => ({ principal, ...sum }))
      .toSorted((a, b) => b.computeMs - a.computeMs);
    const ranking = { madeMs: nowMs, rows, others, jainIndex: jainIndex(rows.map(({ computeMs }) => computeMs)) };
    this.#rankings.set(environment, ranking);
    return ranking;
  }

  #turn(nowMs: number): void {
    if (nowMs - this.#beganMs < HALF_MS) return;
    // After a long silence, both halves are of long ago.
    this.#before = nowMs - this.#beganMs < 2 * HALF_MS ? this.#present : new Map();
    this.#present = new Map();
    this.#beganMs = nowMs;
    this.#rankings.clear();
  }
}

/** Jain's index of fairness (1984): 1 where all got the same, 1/n where one got everything. */
export function jainIndex(shares: readonly number[]): number {
  const sum = shares.reduce((total, one) => total + one, 0);
  const squares = shares.reduce((total, one) => total + one * one, 0);
  return squares === 0 ? 1 : (sum * sum) / (shares.length * squares);
}
