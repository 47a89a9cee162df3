/** A person looked and says: a false alarm. What was new becomes usual, and such things count for less with this key from then on. */
import type { Alert } from "../alert.ts";
import { factorGroups } from "./factors.ts";
import type { Names } from "./names.ts";
import { meets } from "./novelty.ts";
import { DIMENSIONS, ROW } from "./row.ts";
import type { Dimension, Row } from "./row.ts";
import { adoptLevel } from "./slow.ts";

/** Each false alarm lets such a novelty count for three times as likely, at most twice. */
const LOOSEN = 0.5;
const LOOSENED_MAX = 1;
const BAR_RAISE = 0.5;

export function learnFalseAlarm(
  row: Row,
  { kind, factors }: Pick<Alert, "kind" | "factors">,
  names: Names,
  nowS: number,
): void {
  const { floats, words } = row.block;
  const { at } = row;
  for (const { name, observed } of factors) {
    const dimension = DIMENSIONS.indexOf(name as Dimension);
    if (dimension < 0 || !(name in factorGroups)) continue;
    meets(row, name as Dimension, names.hash(String(observed)), nowS);
    const place = at + ROW.loosened + dimension;
    floats[place] = Math.min(LOOSENED_MAX, floats[place]! + LOOSEN);
  }
  if (kind === "scope_probing")
    floats[at + ROW.deniedMost] = Math.max(floats[at + ROW.deniedMost]!, floats[at + ROW.deniedToday]!);
  if (kind === "two_places") floats[at + ROW.returnDays]! += 2;
  if (kind === "ramp") adoptLevel(row);
  floats[at + ROW.bar]! += BAR_RAISE;
  words[at + ROW.barAt] = nowS;
  words[at + ROW.newNetworkAt] = 0;
  words[at + ROW.newClientAt] = 0;
}
