import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { writeSimulation } from "../simulate/write-directory.ts";
import { scoreDirectory } from "./score-directory.ts";

let folder: string;
beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), "score-"))));
afterAll(() => rmSync(folder, { recursive: true }));

// Figures of one seed scatter (docs/adr/0025-anomaly-detection.md has them): what is asked here is well below them.
it(
  "finds nearly all that is labelled, within its budget of false alarms and within minutes",
  { timeout: 180_000 },
  async () => {
    writeSimulation(7, folder);
    const score = await scoreDirectory(folder);
    expect(score).toMatchObject({ seed: 7, events: expect.any(Number), cpuMicrosPerEvent: expect.any(Number) });
    expect(score.recall).toBeGreaterThanOrEqual(0.85);
    expect(score.falseAlarmsPerKeyMonth).toBeLessThanOrEqual(1);
    expect(score.medianDelaySeconds).toBeLessThanOrEqual(300);
  },
);
