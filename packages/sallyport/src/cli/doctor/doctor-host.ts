/** What `doctor` looks at on the machine itself: Node, the data directory, the disk under it, Ollama's own variables. */
import { lstatSync, statfsSync } from "node:fs";
import { fine, note, wrong } from "./finding.ts";
import type { Finding } from "./finding.ts";
import { ollamaUrl } from "../start/ollama-url.ts";

/** End of life of each line of Node (nodejs/Release), `YYYY-MM-DD`. */
const NODE_ENDS: Readonly<Record<number, string>> = {
  20: "2026-04-30",
  22: "2027-04-30",
  24: "2028-04-30",
  26: "2029-04-30",
};

/** Node 20.19 is the floor; a line that gets no more security fixes is worth knowing. */
export function checkNode(version: string, nowMs: number): Finding {
  const check = "node";
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const isEnough = major > 20 || (major === 20 && minor >= 19);
  if (!isEnough) return wrong(check, "node_too_old", version, "install 20.19 or newer");
  const ends = NODE_ENDS[major];
  if (ends !== undefined && nowMs > Date.parse(`${ends}T23:59:59Z`))
    return note(
      check,
      "node_ended",
      `${version}: this line gets no security fixes since ${ends}`,
      "install a newer one from nodejs.org",
    );
  return fine(check, "node", version);
}

export function checkDirectory(path: string): Finding {
  const check = "data directory";
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (!found) return note(check, "data_missing", `${path} does not exist yet`, "run `sallyport init`");
  if (!found.isDirectory())
    return wrong(check, "data_misplaced", `${path} is not a directory`, "name another with --data");
  const mode = (found.mode & 0o777).toString(8).padStart(3, "0");
  if (mode !== "700")
    return wrong(
      check,
      "data_open",
      `${path} has mode 0${mode}: other users can read keys and the audit log`,
      `chmod 700 ${path}`,
    );
  const own = process.getuid?.();
  if (own !== undefined && own !== 0 && found.uid !== own)
    return wrong(check, "data_foreign", `${path} belongs to another user`, "run as the user it belongs to");
  return fine(check, "data", path);
}

const MB = 1024 * 1024;
const DISK_LOW_BYTES = 1024 * MB;
const DISK_WRONG_BYTES = 64 * MB;

/** Without room nothing can be recorded, and what cannot be recorded is not served. */
export function checkDisk(path: string, freeBytes: (path: string) => number = freeBytesOf): Finding {
  const check = "disk";
  if (!lstatSync(path, { throwIfNoEntry: false }))
    return note(check, "disk_unknown", "looked at when the data directory is there", "run `sallyport init`");
  const free = freeBytes(path);
  const says = `${Math.floor(free / MB)} MB free for ${path}`;
  const remedy = "free some space: when the disk is full, the gateway rejects requests";
  if (free < DISK_WRONG_BYTES) return wrong(check, "disk_full", says, remedy);
  return free < DISK_LOW_BYTES ? note(check, "disk_low", says, remedy) : fine(check, "disk", says);
}

function freeBytesOf(path: string): number {
  const { bavail, bsize } = statfsSync(path);
  return bavail * bsize;
}

/**
 * Ollama started from this shell takes its address and its cloud from these variables. That they are here says nothing
 * of an Ollama that runs already: that one is asked itself (`doctor-upstreams.ts`).
 */
export function checkOllamaVariables(env: Readonly<Record<string, string | undefined>>): Finding[] {
  const check = "ollama variables";
  const host = env["OLLAMA_HOST"] ?? "";
  // Ollama reads an address without a host as every address too.
  const isOpen = /^(?:https?:\/\/)?(?:0\.0\.0\.0|\[::\]|::|:\d+$)/.test(host.trim());
  if (isOpen)
    return [
      note(
        check,
        "ollama_host_open",
        `OLLAMA_HOST=${host}: an Ollama started from this shell listens on every address, past the gateway`,
        "start Ollama with OLLAMA_HOST=127.0.0.1",
      ),
    ];
  return host !== "" && ollamaUrl(host) === undefined
    ? [note(check, "ollama_host_unread", "OLLAMA_HOST is not in a form Ollama reads", "correct it or unset it")]
    : [];
}
