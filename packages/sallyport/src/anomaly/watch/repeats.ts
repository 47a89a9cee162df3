/** The same request again: same call, model and size. Programs with a fixed text do nothing else; people hardly ever do. */
import { ROW } from "./row.ts";
import type { Row } from "./row.ts";

const SHAPES = 8;
const ALPHA = 1 / 200;

/** p of so many repeats in this hour. */
export function repeat({ block, at }: Row, shape: number): number {
  const { words, floats } = block;
  let isRepeat = false;
  for (let slot = 0; slot < SHAPES; slot++) if (words[at + ROW.shapes + slot] === shape) isRepeat = true;
  const share = floats[at + ROW.repeatShare]!;
  if (!isRepeat) {
    const next = words[at + ROW.shapeNext]! % SHAPES;
    words[at + ROW.shapes + next] = shape;
    words[at + ROW.shapeNext] = next + 1;
    floats[at + ROW.repeatShare] = share * (1 - ALPHA);
    return 1;
  }
  const repeats = (floats[at + ROW.repeats]! += 1);
  floats[at + ROW.repeatShare] = share + ALPHA * (1 - share);
  const beyond = repeats - 2 - 2 * share * floats[at + ROW.inHour]!;
  return beyond <= 0 || share > 0.5 ? 1 : Math.max(1e-8, (share + 0.1) ** beyond);
}
