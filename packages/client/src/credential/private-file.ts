/**
 * Files that contain a credential, or choose the program that provides one: whether other users could read or change
 * them.
 */
import { closeSync, fstatSync, lstatSync, openSync, readFileSync, realpathSync, statSync } from "node:fs";
import type { Stats } from "node:fs";
import { dirname } from "node:path";
import { Problem } from "@sallyport/protocol";

const BYTES_MAX = 64 * 1024;
const OTHERS = 0o077;
const OTHERS_WRITE = 0o022;
const STICKY = 0o1000;

/**
 * The text; undefined where there is no such file. Throws `credential_unsafe` where it is not its owner's alone,
 * `input_invalid` where it cannot be read.
 */
export function readPrivateFile(path: string): string | undefined {
  try {
    if (!lstatSync(path, { throwIfNoEntry: false })) return undefined;
    return readOpened(path, openSync(path, "r"));
  } catch (cause) {
    if (cause instanceof Problem) throw cause;
    throw new Problem(
      "input_invalid",
      `${path} cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`,
    );
  }
}

function readOpened(path: string, file: number): string {
  try {
    // What was opened is looked at, and not what stands under the name a moment later.
    const mistakes = [...exposures(fstatSync(file), OTHERS), ...placeExposures(path)];
    if (mistakes.length > 0) throw new Problem("credential_unsafe", path, mistakes);
    if (fstatSync(file).size > BYTES_MAX)
      throw new Problem("input_invalid", `${path} is larger than ${BYTES_MAX} bytes`);
    return readFileSync(file, "utf8");
  } finally {
    closeSync(file);
  }
}

/** Who else could read or change the file; empty for no one. */
export function fileExposures(path: string): readonly string[] {
  try {
    return exposures(statSync(path), OTHERS);
  } catch (cause) {
    return [cause instanceof Error ? cause.message : String(cause)];
  }
}

/** The finding about a program that is to be run for a credential; empty if only its owner can change it. */
export function programExposures(path: string): readonly string[] {
  try {
    const found = statSync(path, { throwIfNoEntry: false });
    if (!found?.isFile()) return ["there is no such program"];
    return [...exposures(found, OTHERS_WRITE), ...placeExposures(path)];
  } catch (cause) {
    return [cause instanceof Error ? cause.message : String(cause)];
  }
}

function exposures(found: Stats, forbidden: number): readonly string[] {
  const own = process.getuid?.();
  // Windows keeps no such modes.
  if (own === undefined) return [];
  const mistakes: string[] = [];
  if (!found.isFile()) mistakes.push("it is not a file");
  if (found.uid !== own && found.uid !== 0) mistakes.push("it belongs to another user");
  const mode = found.mode & 0o777;
  if ((mode & forbidden) !== 0) mistakes.push(`its mode is 0${mode.toString(8)}, which lets others in`);
  return mistakes;
}

/** The directories of the name and, for a link, of its target: a user who can write there can replace the file. */
function placeExposures(path: string): readonly string[] {
  if (process.getuid?.() === undefined) return [];
  return [...new Set([dirname(path), dirname(realpathSync(path))])].flatMap((directory) => {
    const { mode } = statSync(directory);
    const isOpen = (mode & OTHERS_WRITE) !== 0 && (mode & STICKY) === 0;
    return isOpen ? [`others can put another file into ${directory}`] : [];
  });
}
