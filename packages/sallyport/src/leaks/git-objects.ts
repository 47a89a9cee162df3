/**
 * Reads objects of a git repository through git itself, without a shell. Each object is read once, however many commits
 * contain it. A broken object ends `git cat-file`: it is reported, and another process goes on after it.
 */
import { spawn } from "node:child_process";

export type Variables = Readonly<Record<string, string | undefined>>;

export interface Repository {
  readonly path: string;
  readonly env: Variables;
}

export interface GitObject {
  readonly id: string;
  readonly type: string;
  /** Undefined for what git cannot read, or what is too large. */
  readonly bytes: Buffer | undefined;
  readonly size: number;
}

export class GitFailure extends Error {}

const OBJECT_BYTES_MAX = 512 * 1024 * 1024;
const LIST_BYTES_MAX = 1024 * 1024 * 1024;
const BROKEN_MAX = 1_000;
const HEADER = /^([0-9a-f]{40,64}) ([a-z]{1,12})(?: ([0-9]{1,15}))?$/;

/** What git is asked must not run a program that the repository names, nor fetch or wait for a password. */
const SAFE = ["-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "-c", "protocol.allow=never"];

function start({ path, env }: Repository, words: readonly string[]) {
  const own = { ...env, GIT_OPTIONAL_LOCKS: "0", GIT_NO_LAZY_FETCH: "1", GIT_TERMINAL_PROMPT: "0", LC_ALL: "C" };
  const child = spawn("git", ["-C", path, ...SAFE, ...words], { env: own as NodeJS.ProcessEnv, windowsHide: true });
  const complaints: string[] = [];
  child.stderr.on("data", (chunk: Buffer) => complaints.length < 20 && complaints.push(chunk.toString("utf8")));
  // A process that ended early does not read on: its exit is what is reported.
  child.stdin.on("error", () => {});
  const ended = new Promise<number>((resolve, reject) => {
    child.on("error", (cause) => reject(new GitFailure(`git cannot be run: ${cause.message}`)));
    child.on("close", (code) => resolve(code ?? -1));
  });
  // Awaited later; until then a failure is no unhandled one.
  ended.catch(() => {});
  return { child, ended, complaint: () => complaints.join("").trim() };
}

/** What a git command prints. */
export async function askGit(repository: Repository, words: readonly string[]): Promise<string> {
  const { child, ended, complaint } = start(repository, words);
  child.stdin.end();
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of child.stdout as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    size += chunk.length;
    if (size > LIST_BYTES_MAX) {
      child.kill("SIGKILL");
      throw new GitFailure("git listed more than can be kept in memory");
    }
  }
  if ((await ended) !== 0) throw new GitFailure(complaint() || `git ${words[0] ?? ""} failed`);
  return Buffer.concat(chunks).toString("utf8");
}

export async function* readObjects(repository: Repository, ids: readonly string[]): AsyncGenerator<GitObject> {
  let done = 0;
  let broken = 0;
  while (done < ids.length) {
    const { child, ended, complaint } = start(repository, ["cat-file", "--batch", "--buffer"]);
    child.stdin.end(`${ids.slice(done).join("\n")}\n`);
    try {
      for await (const object of parseBatch(child.stdout as AsyncIterable<Buffer>)) {
        done++;
        yield object;
      }
    } finally {
      child.kill("SIGKILL");
    }
    const code = await ended;
    if (done >= ids.length) return;
    if (code === 0 || ++broken > BROKEN_MAX) throw new GitFailure(complaint() || "git cat-file ended early");
    yield { id: ids[done++]!, type: "broken", bytes: undefined, size: 0 };
  }
}

async function* parseBatch(output: AsyncIterable<Buffer>): AsyncGenerator<GitObject> {
  let kept: Buffer = Buffer.alloc(0);
  let open: { id: string; type: string; size: number; pieces: Buffer[]; read: number } | undefined;
  for await (const chunk of output) {
    let bytes = kept.length === 0 ? chunk : Buffer.concat([kept, chunk]);
    kept = Buffer.alloc(0);
    while (bytes.length > 0) {
      if (!open) {
        const end = bytes.indexOf(0x0a);
        if (end < 0) {
          kept = bytes;
          break;
        }
        const [, id = "", type = "", size] = HEADER.exec(bytes.toString("latin1", 0, end)) ?? [];
        if (id === "") throw new GitFailure("git cat-file printed what is no header");
        bytes = bytes.subarray(end + 1);
        if (size === undefined) yield { id, type, bytes: undefined, size: 0 };
        else open = { id, type, size: Number(size), pieces: [], read: 0 };
        continue;
      }
      // The line feed after the content belongs to it here.
      const part = bytes.subarray(0, open.size + 1 - open.read);
      open.read += part.length;
      if (open.size <= OBJECT_BYTES_MAX) open.pieces.push(part);
      bytes = bytes.subarray(part.length);
      if (open.read <= open.size) continue;
      const { id, type, size } = open;
      const content = size <= OBJECT_BYTES_MAX ? Buffer.concat(open.pieces).subarray(0, size) : undefined;
      open = undefined;
      yield { id, type, bytes: content, size };
    }
  }
}
