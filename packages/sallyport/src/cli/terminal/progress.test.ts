import { describe, expect, it } from "vitest";
import { progressLine } from "./progress-line.ts";
import { withProgress } from "./progress.ts";
import type { OnProgress, ProgressTime } from "./progress.ts";

/** Seconds pass when a test says so. */
function clockwork(): ProgressTime & { pass(ms: number): void; isRunning(): boolean } {
  let nowMs = 5_000;
  let timer: { readonly ms: number; readonly tick: () => void; dueMs: number } | undefined;
  return {
    now: () => nowMs,
    every(ms, tick) {
      timer = { ms, tick, dueMs: nowMs + ms };
      return () => void (timer = undefined);
    },
    isRunning: () => timer !== undefined,
    pass(ms) {
      const end = nowMs + ms;
      for (; timer !== undefined && timer.dueMs <= end; timer.dueMs += timer.ms) {
        nowMs = timer.dueMs;
        timer.tick();
      }
      nowMs = end;
    },
  };
}

interface Shown {
  readonly drawn: string[];
  readonly err: string[];
}

async function run(
  work: (onProgress: OnProgress, time: ReturnType<typeof clockwork>) => void,
  { isTerminal = true, isJson = false, columns = 80 } = {},
): Promise<Shown> {
  const shown: Shown = { drawn: [], err: [] };
  const time = clockwork();
  const statusLine = isTerminal ? { columns, draw: (text: string) => void shown.drawn.push(text) } : null;
  const io = { statusLine, err: (line: unknown) => void shown.err.push(String(line)) };
  const label = "verifying the audit log";
  await withProgress(io, { label, isJson }, (onProgress) => work(onProgress, time), time).catch(() => undefined);
  expect(time.isRunning()).toBe(false);
  return shown;
}

describe("on a terminal", () => {
  it("shows nothing of what ends within a second", async () => {
    const { drawn, err } = await run((onProgress, time) => {
      for (let done = 0; done < 9; done++) {
        time.pass(100);
        onProgress("records", done, 9);
      }
    });
    expect([drawn, err]).toEqual([[], []]);
  });

  it("redraws at most ten times a second, and erases the line at the end", async () => {
    const { drawn, err } = await run((onProgress, time) => {
      for (let done = 1; done <= 30_000; done++) {
        time.pass(0.1);
        onProgress("records", done, 30_000);
      }
    });
    expect(drawn.length).toBeGreaterThan(15);
    expect(drawn.length).toBeLessThanOrEqual(22);
    expect(drawn.at(-1)).toBe("");
    expect(err).toEqual([]);
  });

  it("erases the line when the work fails, and shows time where nothing is counted", async () => {
    const { drawn } = await run((_onProgress, time) => {
      time.pass(2_000);
      throw new Error("failed");
    });
    expect(drawn[0]).toBe("verifying the audit log  1 s");
    expect(drawn.at(-1)).toBe("");
  });

  it("is there with --json, too", async () => {
    expect((await run((_onProgress, time) => time.pass(2_000), { isJson: true })).drawn).not.toEqual([]);
  });
});

describe("elsewhere", () => {
  it("is a plain line every ten seconds", async () => {
    const { drawn, err } = await run(
      (onProgress, time) => {
        for (let done = 0; done <= 300; done++) {
          onProgress("records", done, 300);
          time.pass(100);
        }
      },
      { isTerminal: false },
    );
    expect(drawn).toEqual([]);
    expect(err).toEqual([
      "verifying the audit log  [######..............]  33%  99 of 300 records  9.9/s  20 s left",
      "verifying the audit log  [#############.......]  66%  199 of 300 records  10/s  10 s left",
      "verifying the audit log  [###################.]  99%  299 of 300 records  10/s  0 s left",
    ]);
  });

  it("is nothing with --json", async () => {
    const { drawn, err } = await run((_onProgress, time) => time.pass(60_000), { isTerminal: false, isJson: true });
    expect([drawn, err]).toEqual([[], []]);
  });
});

describe("a line", () => {
  const known = { label: "backing up", unit: "bytes", done: 4e8, total: 1.6e9, elapsedMs: 4_000 } as const;
  const unknown = { ...known, total: undefined };

  it.each([
    [120, known, "backing up  [#####...............]  25%  400 MB of 1.6 GB  100 MB/s  12 s left"],
    [60, known, "backing up  [#####...............]  25%  12 s left"],
    [30, known, "backing up  25%  12 s left"],
    [20, known, "backing up  25%"],
    [8, known, "25%"],
    [2, known, "b"],
    [0, known, ""],
    [120, unknown, "backing up  400 MB  100 MB/s  4 s"],
    [20, unknown, "backing up  400 MB"],
    [40, { ...known, done: 0 }, "backing up  [....................]  0%"],
    [120, { ...known, done: 2e9 }, "backing up  [####################]  100%  1.6 GB of 1.6 GB  500 MB/s  0 s left"],
    [120, { ...known, elapsedMs: 0 }, "backing up  [#####...............]  25%  400 MB of 1.6 GB"],
  ] as const)("fits into %i columns", (columns, progressed, wanted) => {
    const line = progressLine(progressed, columns);
    expect(line).toBe(wanted);
    expect(line.length).toBeLessThan(Math.max(1, columns));
  });
});
