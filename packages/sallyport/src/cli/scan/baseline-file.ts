/** The file of known findings: read strictly, written whole. */
import { writeFileSync } from "node:fs";
import { isKnown, readBaseline, writeBaseline } from "../../leaks/leak-baseline.ts";
import type { KnownLeak } from "../../leaks/leak-baseline.ts";
import type { Leak } from "../../leaks/scan-content.ts";
import type { Io } from "../terminal/io.ts";
import { UsageMistake } from "../terminal/usage-mistake.ts";

export function demandedBaseline(io: Io, path: string): (leak: KnownLeak) => boolean {
  const known = readBaseline(io.readText(path));
  if (known === undefined)
    throw new UsageMistake(`${path} is not a baseline`, "write one with `sallyport scan PATH --write-baseline FILE`");
  return isKnown(known);
}

export function saveBaseline(io: Io, path: string, leaks: readonly Leak[]): void {
  writeFileSync(path, writeBaseline(leaks));
  io.err(`${path}: ${leaks.length} findings are known from now on; it has key ids and no secrets`);
}
