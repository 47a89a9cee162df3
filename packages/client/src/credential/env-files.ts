/**
 * Files of variables in a directory (`.env`, `.env.prod`, `app.env`) that hold a key: whether git tracks them, whether others
 * can read them, and whether two of them, for two environments, hold the same. What is in them is not told.
 */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { keysInText } from "@sallyport/protocol";
import { isTrackedByGit } from "./git.ts";
import { fileExposures } from "./private-file.ts";
import type { Variables } from "./variables.ts";

export interface EnvFile {
  readonly path: string;
  /** `environment id` of each key in it. */
  readonly keys: readonly string[];
  readonly isTracked: boolean;
  readonly exposures: readonly string[];
}

const NAME = /^(?:\.env(?:\.[\w-]+)?|[\w-]+\.env)$/;
const BYTES_MAX = 64 * 1024;
const FILES_MAX = 64;

/** Those with a key in them. A directory or file that cannot be read has none that this user would leak. */
export async function envFilesWithKeys(directory: string, env: Variables): Promise<readonly EnvFile[]> {
  const found: EnvFile[] = [];
  for (const path of candidates(directory)) {
    const keys = keysIn(path);
    if (keys.length === 0) continue;
    const isTracked = await isTrackedByGit(path, env);
    found.push({ path, keys, isTracked, exposures: fileExposures(path) });
  }
  return found;
}

function candidates(directory: string): readonly string[] {
  try {
    const names = readdirSync(directory).filter((name) => NAME.test(name));
    return names.slice(0, FILES_MAX).map((name) => join(directory, name));
  } catch {
    return [];
  }
}

function keysIn(path: string): readonly string[] {
  try {
    const found = statSync(path);
    if (!found.isFile() || found.size > BYTES_MAX) return [];
    const keys = keysInText(readFileSync(path, "utf8")).filter(({ kind }) => kind === "api" || kind === "admin");
    return [...new Set(keys.map(({ environment, id }) => `${environment} ${id}`))];
  } catch {
    return [];
  }
}

/** What the name says the file is for: `prod` of `.env.prod` and `prod.env`; empty if it says nothing. */
export function purposeOf(path: string): string {
  const [, after, before] = /(?:^|\/)(?:\.env(?:\.([\w-]+))?|([\w-]+)\.env)$/.exec(path) ?? [];
  const purpose = after ?? before ?? "";
  return purpose === "local" ? "" : purpose;
}
