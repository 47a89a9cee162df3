/** Runs a program without a shell, with a bound on its time and on what it prints. */
import { spawn } from "node:child_process";
import type { Variables } from "./variables.ts";

export interface ProgramBounds {
  readonly env: Variables;
  readonly timeoutMs: number;
  readonly bytesMax: number;
  /** Its complaints go where ours go; else nowhere. */
  readonly isHeard: boolean;
}

export type ProgramEnd = { readonly output: string } | { readonly failure: string };

/** Never rejects. A program that exceeds its time is killed, and what it started is not waited for. */
export function runProgram(
  [program = "", ...words]: readonly string[],
  { env, timeoutMs, bytesMax, isHeard }: ProgramBounds,
): Promise<ProgramEnd> {
  return new Promise((resolve) => {
    const child = spawn(program, words, {
      env: env as NodeJS.ProcessEnv,
      stdio: ["ignore", "pipe", isHeard ? "inherit" : "ignore"],
      windowsHide: true,
    });
    const chunks: Buffer[] = [];
    let bytes = 0;
    const end = (ended: ProgramEnd): void => {
      clearTimeout(late);
      child.kill("SIGKILL");
      child.stdout.destroy();
      resolve(ended);
    };
    const late = setTimeout(() => end({ failure: `it did not end within ${timeoutMs / 1_000} s` }), timeoutMs);
    child.stdout.on("data", (chunk: Buffer) => {
      bytes += chunk.length;
      chunks.push(chunk);
      if (bytes > bytesMax) end({ failure: `it printed more than ${bytesMax} bytes` });
    });
    child.on("error", (cause) => end({ failure: cause.message }));
    child.on("close", (code, signal) => {
      if (code === 0) end({ output: Buffer.concat(chunks).toString("utf8") });
      else end({ failure: `it ended with ${code === null ? String(signal) : `exit code ${code}`}` });
    });
  });
}
