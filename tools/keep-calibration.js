// What factors are worth before a gateway has seen much: counted over simulated traffic, and kept as
// packages/sallyport/src/anomaly/watch/calibration-prior.ts. Run after a build when a factor's meaning changes:
// `node tools/keep-calibration.js`. The seeds are those the detector was tuned on.
import { writeFileSync } from "node:fs";
import { parseObservation } from "../packages/sallyport/dist/anomaly/observation.js";
import { simulate } from "../packages/sallyport/dist/watch-lab/simulate/simulate.js";
import { KeyWatch } from "../packages/sallyport/dist/anomaly/watch/key-watch.js";

const SEEDS = [1, 2];
/** Of the 120 buckets of a table, each sixth is kept. */
const STEP = 6;
const BUCKETS = 120;

const sums = [];
for (const seed of SEEDS) {
  const watch = new KeyWatch();
  simulate(seed, (lines) => {
    for (const line of lines) {
      const observation = parseObservation(line);
      if (observation) watch.see(observation);
    }
  });
  for (const { calibration } of watch.keep().peers)
    for (const [factor, { counts, total }] of calibration.tables.entries()) {
      const sum = (sums[factor] ??= { counts: counts.map(() => 0), total: 0 });
      counts.forEach((count, bucket) => (sum.counts[bucket] += count));
      sum.total += total;
    }
}
const curves = sums.map(({ counts, total }) => {
  const curve = [];
  for (let bucket = 0; bucket < BUCKETS; bucket += STEP) {
    const above = counts.slice(bucket).reduce((sum, count) => sum + count, 0);
    curve.push(Number((-Math.log10((above + 1) / (total + 1))).toFixed(2)));
  }
  return curve;
});
writeFileSync(
  "packages/sallyport/src/anomaly/watch/calibration-prior.ts",
  `/**
 * What each factor is worth before the hours of a gateway's own keys say so: -log10 of the share of hours that had as much,
 * for each half of a -log10 p from 0. Counted over the simulated traffic of seeds ${SEEDS.join(" and ")} by \`tools/keep-calibration.js\`.
 */
export const PRIOR_STEP = ${Number(((12 / BUCKETS) * STEP).toFixed(3))};

/** In the order of the factors. */
export const prior: readonly (readonly number[])[] = ${JSON.stringify(curves)};
`,
);
