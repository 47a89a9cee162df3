// One copy of the tree and the process that runs tests in it. A test that never comes back (an edit can make a loop
// endless) is ended with all its processes, and the copy goes on with a new runner.
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { copyTree } from "./tree-copy.js";

const RUN_TIMEOUT_MS = 300_000;
const LATE = Symbol("late");
const GONE = Symbol("gone");
const RUNNER = fileURLToPath(new URL("test-runner.js", import.meta.url));

export class CopyWorker {
  #root;
  /** Holds the tree and what its tests leave in the folder for temporary files, so that all of it is removed. */
  #folder;
  #runner;

  constructor(root) {
    this.#root = root;
    // Vitest knows files by their real path.
    this.#folder = realpathSync(mkdtempSync(join(tmpdir(), "take-away-")));
    this.#copy();
  }

  /** Runs a test, or what is `named` so of it, with the edits in place; returns what `outcomeOf` does. Throws when the runner cannot start. */
  async run({ test, named }, edits, limits) {
    this.#runner ??= await this.#start();
    const answer = nextMessage(this.#runner);
    this.#runner.send({ test, named, edits, limits });
    const outcome = await answer;
    if (outcome !== LATE && outcome !== GONE) return outcome;
    this.close();
    this.#copy();
    if (outcome === GONE) return { result: "not run", detail: "the runner of the tests ended" };
    return { result: "failed", detail: `no end after ${RUN_TIMEOUT_MS / 1000} s`, isTimeout: true };
  }

  #copy() {
    mkdirSync(join(this.#folder, "tmp"), { recursive: true });
    copyTree(this.#root, join(this.#folder, "tree"));
  }

  async #start() {
    // A group of its own, so that whatever a test leaves running ends with the runner.
    const runner = spawn(process.execPath, [RUNNER], {
      cwd: join(this.#folder, "tree"),
      env: { ...process.env, TMPDIR: join(this.#folder, "tmp") },
      detached: true,
      stdio: ["ignore", "ignore", "pipe", "ipc"],
    });
    // What tests write there is not ours to show; why a runner cannot start is.
    let complaint = "";
    runner.stderr.setEncoding("utf8").on("data", (text) => (complaint = `${complaint}${text}`.slice(-2_000)));
    this.#runner = runner;
    const answer = await nextMessage(runner);
    if (answer === LATE || answer === GONE) throw new Error(`the runner of the tests did not start: ${complaint}`);
    return runner;
  }

  #end() {
    const { pid } = this.#runner ?? {};
    this.#runner = undefined;
    if (pid === undefined) return;
    try {
      process.kill(-pid, "SIGKILL");
    } catch {
      // It has ended by itself.
    }
  }

  close() {
    this.#end();
    // Whatever was just killed may still be writing.
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** What the runner says next: its message, LATE when there is none in time, GONE when it ends. */
function nextMessage(runner) {
  return new Promise((resolve) => {
    const timer = setTimeout(() => done(LATE), RUN_TIMEOUT_MS);
    const done = (answer) => {
      clearTimeout(timer);
      runner.off("message", done);
      runner.off("exit", ended);
      resolve(answer);
    };
    const ended = () => done(GONE);
    runner.once("message", done);
    runner.once("exit", ended);
  });
}
