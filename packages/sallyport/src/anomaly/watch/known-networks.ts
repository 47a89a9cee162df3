/** From where a key is known to be used: what it may be bound to when something is wrong. */
import type { Names } from "./names.ts";
import { usual } from "./novelty.ts";
import { ROW } from "./row.ts";
import type { Row } from "./row.ts";

const DAY_S = 86_400;
/** Networks with fewer uses than this share of the most used one are passing acquaintances. */
const SHARE = 0.05;

/** Prefixes in CIDR form. What came new within the day is not known yet. */
export function knownNetworks(row: Row, names: Names, nowS: number): readonly string[] {
  const { words } = row.block;
  const isNew = nowS - words[row.at + ROW.newNetworkAt]! < DAY_S;
  const found = usual(row, "network", nowS);
  const least = SHARE * (found[0]?.worth ?? 0);
  return found
    .filter(({ hash, worth }) => worth >= least && !(isNew && hash === words[row.at + ROW.newNetwork]))
    .map(({ hash }) => names.text(hash))
    .filter((text) => /\/\d{1,3}$/.test(text));
}
