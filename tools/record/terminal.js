// A real terminal without a screen: tmux runs the shells, and what they show is read from it row by row.
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";

const SAMPLE_MS = 60;

export class Terminal {
  #socket;
  #columns;
  #startedAt = Date.now();
  #mask;
  /** One entry a pane: its name, its height in rows, and what it showed when. */
  panes = [];

  /** @param {{ socket: string, columns: number, mask: (rows: string[]) => string[] }} options */
  constructor({ socket, columns, mask }) {
    this.#socket = socket;
    this.#columns = columns;
    this.#mask = mask;
  }

  /** Opens a shell in `directory`; it is shown from now on. */
  open(name, rows, directory, environment) {
    const profile = join(directory, `.${name}.bashrc`);
    writeFileSync(
      profile,
      Object.entries(environment)
        .map(([key, value]) => `export ${key}='${value}'\n`)
        .join(""),
    );
    const size = ["-x", String(this.#columns), "-y", String(rows)];
    this.#tmux("new-session", "-d", "-s", name, ...size, "-c", directory, `bash --noprofile --rcfile ${profile}`);
    this.#tmux("set-option", "-t", name, "status", "off");
    const pane = { name, rows, startMs: this.nowMs(), samples: [] };
    this.panes.push(pane);
    return pane;
  }

  /** Types a command the way a person does, and sends it. */
  async type(pane, text) {
    for (const part of text.match(/.{1,3}/g)) {
      // A semicolon at the end of an argument would end tmux's command.
      this.#tmux("send-keys", "-t", pane.name, "-l", "--", part.replace(/;$/, "\\;"));
      await this.watch(40);
    }
    this.#tmux("send-keys", "-t", pane.name, "Enter");
  }

  /** Records for `ms`. */
  async watch(ms) {
    const until = Date.now() + ms;
    do {
      this.#sample();
      await pause(Math.min(SAMPLE_MS, Math.max(until - Date.now(), 1)));
    } while (Date.now() < until);
  }

  /** Records until `pane` shows `pattern`, and returns what matched. */
  async watchFor(pane, pattern, limitMs = 30_000) {
    const until = Date.now() + limitMs;
    while (Date.now() < until) {
      await this.watch(SAMPLE_MS);
      const found = pattern.exec(this.text(pane));
      if (found !== null) return found;
    }
    throw new Error(`${pane.name} did not show ${pattern} within ${limitMs} ms:\n${this.text(pane)}`);
  }

  /** Stops the program in `pane` and waits for the shell's prompt. */
  async interrupt(pane) {
    this.#tmux("send-keys", "-t", pane.name, "C-c");
    for (let tries = 0; tries < 100 && !this.text(pane).trimEnd().endsWith("$"); tries++) await pause(SAMPLE_MS);
  }

  /** What the pane shows, with wrapped lines joined. */
  text(pane) {
    return this.#tmux("capture-pane", "-p", "-J", "-t", pane.name);
  }

  nowMs() {
    return Date.now() - this.#startedAt;
  }

  close() {
    this.#tmux("kill-server");
  }

  #sample() {
    for (const pane of this.panes.filter(({ endMs }) => endMs === undefined)) {
      const rows = this.#mask(this.#tmux("capture-pane", "-p", "-t", pane.name).split("\n").slice(0, pane.rows));
      pane.samples.push({ atMs: this.nowMs(), rows: rows.map((row) => row.trimEnd()) });
    }
  }

  #tmux(...args) {
    return execFileSync("tmux", ["-L", this.#socket, "-f", "/dev/null", ...args], { encoding: "utf8" });
  }
}
