/** The command line's surroundings as a port: where it writes, whom it can ask, which variables it sees. */
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline/promises";

export interface Io {
  /** One line of result, to stdout. */
  out(line: string): void;
  /** One line of warning or error, to stderr. */
  err(line: string): void;
  /** Stdout is a terminal: a person sees it, no file or pipe keeps it. */
  readonly isTerminal: boolean;
  /** Somebody can be asked. */
  readonly canAsk: boolean;
  ask(question: string): Promise<string>;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The text of a file; `-` is stdin. */
  readText(path: string): string;
}

export function processIo(): Io {
  // Whoever reads only the first lines (`| head`) has what he wanted: that is no fault of the command.
  process.stdout.on("error", (cause: NodeJS.ErrnoException) => {
    if (cause.code !== "EPIPE") throw cause;
  });
  return {
    out: (line) => void process.stdout.write(`${line}\n`),
    err: (line) => void process.stderr.write(`${line}\n`),
    isTerminal: process.stdout.isTTY === true,
    canAsk: process.stdin.isTTY === true && process.stderr.isTTY === true,
    async ask(question) {
      const reader = createInterface({ input: process.stdin, output: process.stderr });
      try {
        return (await reader.question(question)).trim();
      } finally {
        reader.close();
      }
    },
    env: process.env,
    readText: (path) => readFileSync(path === "-" ? 0 : path, "utf8"),
  };
}
