/** Whether git tracks a file: then it is in a history that others get. */
import { existsSync, realpathSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { runProgram } from "./run-program.ts";
import type { Variables } from "./variables.ts";

const TIMEOUT_MS = 5_000;
const BYTES_MAX = 64 * 1024;

/** False also where there is no git to ask. The file need not be there: git may track one that was deleted. */
export async function isTrackedByGit(path: string, env: Variables): Promise<boolean> {
  const file = existsSync(path) ? realpathSync(path) : join(realpathSync(dirname(path)), basename(path));
  const directory = dirname(file);
  if (!isInWorkTree(directory)) return false;
  // A work tree's own settings may name a program to be run: none is needed to read the index.
  const words = ["-C", directory, "-c", "core.fsmonitor=false", "ls-files", "--error-unmatch", "--", basename(file)];
  const own = { PATH: env["PATH"], HOME: env["HOME"] };
  const ended = await runProgram(["git", ...words], {
    env: own,
    timeoutMs: TIMEOUT_MS,
    bytesMax: BYTES_MAX,
    isHeard: false,
  });
  return "output" in ended;
}

function isInWorkTree(directory: string): boolean {
  for (let place = directory; ; place = dirname(place)) {
    if (existsSync(join(place, ".git"))) return true;
    if (dirname(place) === place) return false;
  }
}
