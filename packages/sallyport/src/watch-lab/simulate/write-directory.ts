/** The labelled traffic as files: `observations.jsonl`, `labels.json`, `manifest.json`. */
import { closeSync, mkdirSync, openSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { simulate } from "./simulate.ts";
import type { SimulationManifest } from "./simulate.ts";
import { DAYS } from "./world.ts";

export const OBSERVATIONS_FILE = "observations.jsonl";
export const LABELS_FILE = "labels.json";
export const MANIFEST_FILE = "manifest.json";

export function writeSimulation(
  seed: number,
  directory: string,
  onDay: (days: number, total: number) => void = () => {},
): SimulationManifest {
  mkdirSync(directory, { recursive: true });
  const file = openSync(join(directory, OBSERVATIONS_FILE), "w");
  try {
    let days = 0;
    const { labels, manifest } = simulate(seed, (lines) => {
      if (lines.length > 0) writeSync(file, `${lines.join("\n")}\n`);
      onDay(days++, DAYS);
    });
    writeFileSync(join(directory, LABELS_FILE), `${JSON.stringify(labels, null, 1)}\n`);
    writeFileSync(join(directory, MANIFEST_FILE), `${JSON.stringify(manifest, null, 1)}\n`);
    return manifest;
  } finally {
    closeSync(file);
  }
}
