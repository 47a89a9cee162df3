/** How reviewers decided, and the signs of decisions without a look at the evidence. Pure. */
import type { ReviewerFigures, ReviewLine } from "./review.ts";

const QUICK_MS = 3_000;
const KEPT_SHARE = 0.95;
const LINES_MIN = 20;

interface Tally {
  decided: number;
  kept: number;
  readonly shownMs: number[];
  canariesKept: number;
  canariesSeen: number;
}

export class DecisionTally {
  readonly #byActor = new Map<string, Tally>();
  readonly #canaries: ReadonlySet<number>;

  constructor(canaries: Iterable<number>) {
    this.#canaries = new Set(canaries);
  }

  note({ line, decision }: Pick<ReviewLine, "line" | "decision">): void {
    if (!decision) return;
    const { by, shownMs } = decision;
    const isKept = decision.decision === "keep";
    const tally = this.#byActor.get(by) ?? { decided: 0, kept: 0, shownMs: [], canariesKept: 0, canariesSeen: 0 };
    this.#byActor.set(by, tally);
    tally.decided++;
    if (isKept) tally.kept++;
    if (shownMs !== null) tally.shownMs.push(shownMs);
    if (!this.#canaries.has(line)) return;
    tally.canariesSeen++;
    if (isKept) tally.canariesKept++;
  }

  /** In the order of the actors' names. */
  figures(): ReviewerFigures[] {
    return [...this.#byActor]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([actor, { decided, kept, shownMs, canariesKept, canariesSeen }]) => {
        const found = { decided, kept, opened: shownMs.length, medianShownMs: medianOf(shownMs), canariesKept };
        return { actor, ...found, canariesSeen, signs: signsOf(found) };
      });
  }
}

type Judged = Pick<ReviewerFigures, "decided" | "kept" | "opened" | "medianShownMs" | "canariesKept">;

function signsOf({ decided, kept, opened, medianShownMs, canariesKept }: Judged): string[] {
  const signs: readonly (readonly [boolean, string])[] = [
    [medianShownMs !== null && medianShownMs < QUICK_MS, `median decision under ${QUICK_MS / 1_000} s`],
    [opened * 2 < decided, `evidence of ${decided - opened} of ${decided} lines never opened`],
    [decided >= LINES_MIN && kept > KEPT_SHARE * decided, `kept ${kept} of ${decided}`],
    [canariesKept > 0, `kept ${canariesKept} canary line${canariesKept === 1 ? "" : "s"}`],
  ];
  return signs.filter(([isThere]) => isThere).map(([, says]) => says);
}

/** The lower one of two in the middle. */
function medianOf(values: readonly number[]): number | null {
  return values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) / 2)] ?? null;
}
