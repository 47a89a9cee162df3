/** Errors of the operating system and the disk, with a message and a remedy. */
import { systemCodeOf } from "../../kernel/system-code.ts";

export interface RefusedBySystem {
  readonly what: string;
  readonly remedy: string;
}

const OTHER_DIRECTORY = "choose another data directory with --data";
const MORE_SPACE = "free some space and try again";

/** Undefined for an unknown failure. */
export function sayRefusedBySystem(failure: unknown): RefusedBySystem | undefined {
  if (systemCodeOf(failure) === undefined) return undefined;
  const { code, path, address, port, syscall } = failure as NodeJS.ErrnoException & { address?: string; port?: number };
  const isMaking = syscall === "mkdir";
  switch (code) {
    case "EADDRINUSE":
      return {
        what: `${address}:${port} is in use by another program`,
        remedy: "stop it, or choose another port: --listen for requests, --admin-listen for administration",
      };
    case "EADDRNOTAVAIL":
      return {
        what: `${address}:${port} is no address of this machine`,
        remedy: "listen on an address the machine has",
      };
    case "EACCES":
    case "EPERM":
      return {
        what: `no right to use ${path ?? `${address}:${port}`}`,
        remedy: "run as the user it belongs to, or choose another place",
      };
    case "EISDIR":
      return { what: `${path ?? "it"} is a directory, and a file is needed`, remedy: "name a file" };
    case "EROFS":
      return { what: `${path ?? "the disk"} is on a read-only disk`, remedy: OTHER_DIRECTORY };
    case "ENOSPC":
      return { what: `no space left for ${path ?? "the data directory"}`, remedy: MORE_SPACE };
    case "EEXIST":
    case "ENOTDIR":
      if (!isMaking) return undefined;
      return { what: `${path} cannot be made: there is a file in its place or above it`, remedy: OTHER_DIRECTORY };
    case "ENOENT":
      // A directory that is made with those above it fails so on a read-only disk.
      if (isMaking) return { what: `${path} cannot be made: the disk is read-only`, remedy: OTHER_DIRECTORY };
      return { what: `there is no ${path ?? "such file"}`, remedy: "look whether the name is right" };
    case "ERR_SQLITE_ERROR":
      return sayDatabase((failure as { errcode?: number }).errcode ?? 0);
    default:
      return undefined;
  }
}

/** SQLite's primary result codes: READONLY, CANTOPEN, FULL. */
function sayDatabase(errcode: number): RefusedBySystem | undefined {
  switch (errcode & 0xff) {
    case 8:
    case 14:
      return {
        what: "the database cannot be written: the disk is read-only, or the database belongs to another user",
        remedy: "run as the user it belongs to, or choose another data directory with --data",
      };
    case 13:
      return { what: "no space left for the database", remedy: MORE_SPACE };
    default:
      return undefined;
  }
}
