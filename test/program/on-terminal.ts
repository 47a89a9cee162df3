/** The built program on a real terminal (made by `script` of util-linux): what appears on it, and which keys are pressed. */
import { execFileSync, spawn } from "node:child_process";
import { cleanEnv, ENTRY } from "./program.ts";

export const hasTerminals = process.platform === "linux" && hasScript();

export interface OnTerminal {
  /** Everything that was written to it until now. */
  screen(): string;
  /** Waits until that appears, after what was waited for before. */
  shows(text: string | RegExp): Promise<void>;
  press(keys: string): void;
  /** The exit code. */
  readonly ended: Promise<number | null>;
}

export const CTRL_C = "\u0003";
export const CTRL_D = "\u0004";

export function sallyportOnTerminal(
  words: readonly string[],
  env: Readonly<Record<string, string>> = {},
  columns = 100,
): OnTerminal {
  return onTerminal([process.execPath, ENTRY, ...words], env, columns);
}

export function onTerminal(
  words: readonly string[],
  env: Readonly<Record<string, string>> = {},
  columns = 100,
): OnTerminal {
  const line = `stty cols ${columns} rows 40; exec ${words.map(quoted).join(" ")}`;
  const child = spawn("script", ["-qefc", line, "/dev/null"], {
    env: { ...cleanEnv(), TERM: "xterm", SHELL: "/bin/sh", ...env },
    stdio: ["pipe", "pipe", "ignore"],
  });
  let screen = "";
  let seen = 0;
  let look = (): void => {};
  child.stdout.on("data", (chunk: Buffer) => {
    screen += chunk.toString("utf8");
    look();
  });
  const ended = new Promise<number | null>((resolve) => child.on("close", (code) => resolve(code)));
  return {
    screen: () => screen,
    shows(text) {
      const pattern = new RegExp(typeof text === "string" ? escaped(text) : text.source, "g");
      return new Promise((resolve, reject) => {
        look = () => {
          pattern.lastIndex = seen;
          const found = pattern.exec(screen);
          if (!found) return;
          seen = found.index + found[0].length;
          look = () => {};
          resolve();
        };
        ended.then((code) => reject(new Error(`ended with ${code} before ${text}: ${screen}`)), reject);
        look();
      });
    },
    press: (keys) => void child.stdin.write(keys),
    ended,
  };
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}

function escaped(text: string): string {
  return text.replace(/[$()*+.?[\\\]^{|}]/g, "\\$&");
}

function hasScript(): boolean {
  try {
    execFileSync("script", ["--version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
