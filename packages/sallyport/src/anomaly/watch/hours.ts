/**
 * When a key is used: visits of the 168 hours of the week. The chance of an hour is read from it, its neighbours and the
 * same hour of other days, so that five weeks say more than five numbers.
 */
import { chiSquaredTail } from "../series/tail.ts";
import { ROW } from "./row.ts";
import type { Row } from "./row.ts";

const HOURS = 168;
const WEEK_S = 604_800;
const VISITS_MAX = 24;

/** The chance that this hour of the week is used at all. */
function chanceOfHour(row: Row, hour: number, nowS: number): number {
  const { words, bytes } = row.block;
  const weeks = Math.min(VISITS_MAX, (nowS - words[row.at + ROW.first]!) / WEEK_S);
  const from = (row.at + ROW.visits) * 4;
  let seen = 0;
  for (let day = 0; day < 7; day++) {
    for (let off = -3; off <= 3; off++) {
      const slot = (hour + day * 24 + off + HOURS) % HOURS;
      seen += (day === 0 ? 2 : 1) * NEAR[off + 3]! * Math.min(weeks, bytes[from + slot]!);
    }
  }
  // Within the first week every hour is equally likely, so the doubt is half a week.
  return Math.min(
    1,
    (seen + 0.25 * WEIGHT * Math.max(0, 1 - weeks) + PRIOR) / (WEIGHT * Math.max(weeks, 0.15) + PRIOR),
  );
}

/** Hours beside it count less, its own weekday twice. */
const NEAR = [1, 2, 3, 4, 3, 2, 1];
const WEIGHT = 16 * 8;
const PRIOR = 0.5;

const FADE_S = 43_200;
/** Hours of one stay depend on one another. */
const DEPENDENCE = 0.5;
/** After so many events of an hour it is a stay and no visit; with more it is a longer one. */
const STAYS = [3, 8, 20];

/** p of having been used at such hours lately; 1 where nothing new can be said. Call for every event, with the hour's number of them. */
export function oddHours(row: Row, count: number, nowS: number): number {
  const stay = STAYS.indexOf(count);
  if (stay < 0) return 1;
  const { words, floats } = row.block;
  const place = row.at + ROW.odd;
  if (stay === 0) {
    const keep = 2 ** (-Math.max(0, nowS - words[place + 2]!) / FADE_S);
    const chance = chanceOfHour(row, words[row.at + ROW.hour]! % HOURS, nowS);
    floats[place] = floats[place]! * keep - 2 * Math.log(chance);
    floats[place + 1] = floats[place + 1]! * keep + 1;
    words[place + 2] = nowS;
  }
  const hours = floats[place + 1]!;
  const scale = 1 + DEPENDENCE * (1 - 1 / Math.max(1, hours));
  return Math.max(1e-10, chiSquaredTail(floats[place]! / scale, (2 * hours) / scale) / (1 + stay / 2));
}

export function visitHour({ block, at }: Row, hour: number): void {
  const slot = (at + ROW.visits) * 4 + (hour % HOURS);
  if (block.bytes[slot]! < VISITS_MAX) block.bytes[slot]!++;
}
