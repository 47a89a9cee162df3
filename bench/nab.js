// The series detector on the Numenta Anomaly Benchmark, where a copy of it is: NAB=DIR node bench/nab.js
import { openBenchmark } from "../packages/sallyport/dist/watch-lab/nab/benchmark.js";
import { detectAll, scoreAll } from "../packages/sallyport/dist/watch-lab/nab/run.js";

const directory = process.env.NAB;
if (!directory) console.log("Numenta Anomaly Benchmark: skipped (NAB names no copy of github.com/numenta/NAB)");
else {
  const benchmark = openBenchmark(directory);
  const began = performance.now();
  const files = detectAll(benchmark);
  const tookMs = performance.now() - began;
  const rows = files.reduce((sum, { scores }) => sum + scores.length, 0);
  for (const [profile, score] of Object.entries(scoreAll(benchmark, files)))
    console.log(`Numenta Anomaly Benchmark, ${profile}: ${score.toFixed(2)}`);
  console.log(
    `${((1000 * tookMs) / rows).toFixed(2)} us a value, ${rows} values of ${files.length} files (budget 5 us)`,
  );
}
