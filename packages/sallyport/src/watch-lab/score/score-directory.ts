/** Runs the detector over labelled traffic. It is given the observations alone; the labels are opened when it is done. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseObservation } from "../../anomaly/observation.ts";
import type { Observation } from "../../anomaly/observation.ts";
import { batchesOfLines } from "../../anomaly/replay/lines.ts";
import type { Label, SimulationManifest } from "../simulate/simulate.ts";
import { LABELS_FILE, MANIFEST_FILE, OBSERVATIONS_FILE } from "../simulate/write-directory.ts";
import { KeyWatch } from "../../anomaly/watch/key-watch.ts";
import { score } from "./score.ts";
import type { Judged, Score } from "./score.ts";

export interface DirectoryScore extends Score {
  readonly seed: number;
  readonly version: number;
  readonly events: number;
  readonly alerts: number;
  /** Of the detector alone: reading and parsing are not in it. */
  readonly cpuMicrosPerEvent: number;
}

/** Small: what is parsed and waits would be copied by every collection of garbage, at the detector's cost. */
const BATCH = 2_048;

export async function scoreDirectory(
  directory: string,
  onRead?: (bytes: number, total: number) => void,
): Promise<DirectoryScore> {
  const manifest = JSON.parse(readFileSync(join(directory, MANIFEST_FILE), "utf8")) as SimulationManifest;
  const watch = new KeyWatch();
  const alerts: Judged[] = [];
  let events = 0;
  let cpuUs = 0;
  let batch: Observation[] = [];
  const see = (): void => {
    const before = process.cpuUsage();
    for (const observation of batch) for (const alert of watch.see(observation)) alerts.push(alert);
    const { user, system } = process.cpuUsage(before);
    cpuUs += user + system;
    events += batch.length;
    batch = [];
  };
  for await (const lines of batchesOfLines(join(directory, OBSERVATIONS_FILE), onRead)) {
    for (const line of lines) {
      const observation = parseObservation(line);
      if (observation) batch.push(observation);
    }
    if (batch.length >= BATCH) see();
  }
  see();
  const labels = JSON.parse(readFileSync(join(directory, LABELS_FILE), "utf8")) as Label[];
  const { seed, version } = manifest;
  return {
    ...score(alerts, labels, manifest),
    seed,
    version,
    events,
    alerts: alerts.length,
    cpuMicrosPerEvent: cpuUs / Math.max(1, events),
  };
}
