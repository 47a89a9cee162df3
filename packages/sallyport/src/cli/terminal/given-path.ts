/** A path on the command line that does not exist or is of another kind: a mistake in the command, not a fault of the machine. */
import { readdirSync, statSync } from "node:fs";
import { basename, dirname } from "node:path";
import { didYouMean } from "@sallyport/protocol";
import { UsageMistake } from "./usage-mistake.ts";

/** `-` is standard input. Where the system denies the look, opening the file fails with the reason. */
export function demandGivenPath(path: string, wanted: "file" | "directory" | "any" = "file"): void {
  if (path === "-") return;
  const stat = statOf(path);
  if (stat === "unreadable") return;
  if (stat === undefined) throw new UsageMistake(`there is no ${path}${nearestName(path)}`, "correct the path");
  if (wanted === "file" && stat.isDirectory())
    throw new UsageMistake(`${path} is a directory, and a file is needed`, "name a file");
  if (wanted === "directory" && !stat.isDirectory())
    throw new UsageMistake(`${path} is not a directory`, "name a directory");
}

function statOf(path: string) {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch {
    return "unreadable" as const;
  }
}

function nearestName(path: string): string {
  try {
    return didYouMean(basename(path), readdirSync(dirname(path)));
  } catch {
    return "";
  }
}
