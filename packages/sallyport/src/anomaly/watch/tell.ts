/** The unusual in words: what was observed, what is usual for this key. */
import type { AlertFactor } from "../alert.ts";
import { countOf } from "./breadth.ts";
import { returnsOf } from "./company.ts";
import { FACTOR_NAMES, factorNow } from "./factors.ts";
import type { Factor } from "./factors.ts";
import { meterNow } from "./meters.ts";
import type { Names } from "./names.ts";
import { usual } from "./novelty.ts";
import { BREADTHS, DIMENSIONS, ROW } from "./row.ts";
import type { Dimension, Row } from "./row.ts";

const USUAL_MAX = 20;
const TOLD = 0.7;

export function tellFactors(row: Row, names: Names, nowS: number): readonly AlertFactor[] {
  return FACTOR_NAMES.filter((name) => factorNow(row, name, nowS) >= TOLD)
    .toSorted((a, b) => factorNow(row, b, nowS) - factorNow(row, a, nowS))
    .map((name) => ({ name, ...tell(row, name, names, nowS), p: 10 ** -factorNow(row, name, nowS) }));
}

function tell(row: Row, name: Factor, names: Names, nowS: number): Pick<AlertFactor, "observed" | "usual"> {
  if (isDimension(name)) {
    const found = usual(row, name, nowS);
    const newest = newestOf(row, name, found);
    const others = found.filter(({ hash }) => hash !== newest).slice(0, USUAL_MAX);
    return { observed: names.text(newest), usual: others.map(({ hash }) => names.text(hash)) };
  }
  switch (name) {
    case "rate":
      return meterOf(row, 0);
    case "tokens":
    case "size":
      return meterOf(row, 2);
    case "refusals":
      return meterOf(row, 3);
    case "networks":
    case "models": {
      const breadth = BREADTHS.indexOf(name);
      const mean = row.block.floats[row.at + ROW.breadths + 3 * breadth + 1]!;
      return { observed: countOf(row, breadth), usual: [Math.round(Math.expm1(mean))] };
    }
    case "together":
      return { observed: returnsOf(row), usual: [0] };
    case "repeats":
      return {
        observed: row.block.floats[row.at + ROW.repeats]!,
        usual: [`${Math.round(100 * row.block.floats[row.at + ROW.repeatShare]!)} %`],
      };
    case "hours":
      return { observed: new Date(nowS * 1_000).toISOString().slice(11, 16), usual: [] };
    case "order":
      return {
        observed: `${row.block.floats[row.at + ROW.surprise]!.toFixed(1)} bits`,
        usual: [`${row.block.floats[row.at + ROW.surprise + 2]!.toFixed(1)} bits`],
      };
  }
}

const isDimension = (name: Factor): name is Exclude<Dimension, "block"> =>
  (DIMENSIONS as readonly string[]).includes(name);

/** Of a network the one that was noted; of the others the least used, which is the newest. */
function newestOf({ block, at }: Row, name: Dimension, found: readonly { readonly hash: number }[]): number {
  return name === "network" ? block.words[at + ROW.newNetwork]! : (found.at(-1)?.hash ?? 0);
}

function meterOf(row: Row, metric: number): Pick<AlertFactor, "observed" | "usual"> {
  const { observed, usual: level } = meterNow(row, metric);
  return { observed, usual: [level] };
}
