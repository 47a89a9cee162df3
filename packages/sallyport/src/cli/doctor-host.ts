/** What `doctor` looks at on the machine itself: Node, the data directory, the disk under it. */
import { lstatSync, statfsSync } from "node:fs";
import type { Finding } from "./finding.ts";

/** End of life of each line of Node (nodejs/Release), `YYYY-MM-DD`. */
const NODE_ENDS: Readonly<Record<number, string>> = {
  20: "2026-04-30",
  22: "2027-04-30",
  24: "2028-04-30",
  26: "2029-04-30",
};

/** Node 20.19 is the floor; a line that gets no more security fixes is worth knowing. */
export function checkNode(version: string, nowMs: number): Finding {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const isEnough = major > 20 || (major === 20 && minor >= 19);
  if (!isEnough) return { check: "node", state: "wrong", says: `${version}: 20.19 or newer is needed` };
  const ends = NODE_ENDS[major];
  if (ends !== undefined && nowMs > Date.parse(`${ends}T23:59:59Z`))
    return {
      check: "node",
      state: "note",
      says: `${version}: this line gets no security fixes since ${ends}; a newer one is at nodejs.org`,
    };
  return { check: "node", state: "ok", says: version };
}

export function checkDirectory(path: string): Finding {
  const check = "data directory";
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (!found) return { check, state: "note", says: `${path} is not there yet: run \`sallyport init\`` };
  if (!found.isDirectory()) return { check, state: "wrong", says: `${path} is not a directory` };
  const mode = (found.mode & 0o777).toString(8).padStart(3, "0");
  if (mode !== "700")
    return { check, state: "wrong", says: `${path} has mode 0${mode}: chmod 700 it, others can reach keys and ledger` };
  const own = process.getuid?.();
  if (own !== undefined && own !== 0 && found.uid !== own)
    return { check, state: "wrong", says: `${path} belongs to another user` };
  return { check, state: "ok", says: path };
}

const MB = 1024 * 1024;
const DISK_LOW_BYTES = 1024 * MB;
const DISK_WRONG_BYTES = 64 * MB;

/** Without room nothing can be recorded, and what cannot be recorded is not served. */
export function checkDisk(path: string, freeBytes: (path: string) => number = freeBytesOf): Finding {
  const check = "disk";
  if (!lstatSync(path, { throwIfNoEntry: false }))
    return { check, state: "note", says: "looked at when the data directory is there" };
  const free = freeBytes(path);
  const says = `${Math.floor(free / MB)} MB free for ${path}`;
  if (free < DISK_WRONG_BYTES)
    return { check, state: "wrong", says: `${says}: free some, requests are refused when it is full` };
  return { check, state: free < DISK_LOW_BYTES ? "note" : "ok", says };
}

function freeBytesOf(path: string): number {
  const { bavail, bsize } = statfsSync(path);
  return bavail * bsize;
}
