/**
 * Shows how far a long command is: on a terminal one line that is redrawn and erased at the end, elsewhere a plain line
 * now and then. Short work shows nothing.
 */
import type { Io } from "./io.ts";
import { progressLine } from "./progress-line.ts";
import type { ProgressUnit } from "./progress-line.ts";

/** Called as often as it suits the work; without counts it only marks time. */
export type OnProgress = (unit: ProgressUnit, done: number, total?: number) => void;

export interface ShownWork {
  /** What is being done: `verifying the audit log`. */
  readonly label: string;
  /** With `--json`, stderr is for programs unless it is a terminal. */
  readonly isJson: boolean | undefined;
}

/** Milliseconds of a clock that never goes back, and a timer; tests have their own. */
export interface ProgressTime {
  now(): number;
  every(ms: number, tick: () => void): () => void;
}

const FIRST_MS = 1_000;
const REDRAW_MS = 100;
const PLAIN_MS = 10_000;
/** Of a plain line, which is for a file or a log. */
const PLAIN_COLUMNS = 200;

const systemTime: ProgressTime = {
  now: () => performance.now(),
  every(ms, tick) {
    const timer = setInterval(tick, ms).unref();
    return () => clearInterval(timer);
  },
};

export async function withProgress<T>(
  io: Pick<Io, "err" | "statusLine">,
  { label, isJson }: ShownWork,
  work: (onProgress: OnProgress) => T | Promise<T>,
  time: ProgressTime = systemTime,
): Promise<T> {
  const { statusLine } = io;
  if (isJson && statusLine === null) return work(() => {});
  const beganMs = time.now();
  const stepMs = statusLine === null ? PLAIN_MS : REDRAW_MS;
  let dueMs = beganMs + (statusLine === null ? PLAIN_MS : FIRST_MS);
  let isDrawn = false;
  let unit: ProgressUnit | undefined;
  let done: number | undefined;
  let total: number | undefined;
  const tick = (): void => {
    const nowMs = time.now();
    if (nowMs < dueMs) return;
    dueMs = nowMs + stepMs;
    const progressed = { label, unit, done, total, elapsedMs: nowMs - beganMs };
    if (statusLine === null) return io.err(progressLine(progressed, PLAIN_COLUMNS));
    isDrawn = true;
    statusLine.draw(progressLine(progressed, statusLine.columns));
  };
  // Work that counts nothing for a while still shows that time passes.
  const stop = time.every(stepMs, tick);
  try {
    return await work((nowUnit, nowDone, nowTotal) => {
      [unit, done, total] = [nowUnit, nowDone, nowTotal];
      tick();
    });
  } finally {
    stop();
    if (isDrawn) statusLine?.draw("");
  }
}
