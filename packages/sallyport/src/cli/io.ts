/** The command line's surroundings as a port: where it writes, whom it can ask, which variables it sees. */
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline/promises";
import { outputTo } from "../kernel/output.ts";

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
  /** From here on `out` and `err` never wait for a reader: for a server, whose terminal may close or stop. */
  neverBlock(): void;
}

/** The pipe's reader ended, or the terminal is closed. */
const READER_GONE = new Set(["EPIPE", "EIO"]);

export function processIo(): Io {
  // A reader that takes only the first lines (`| head`) has what it wanted: the command did not fail.
  for (const stream of [process.stdout, process.stderr])
    stream.on("error", (cause: NodeJS.ErrnoException) => {
      if (!READER_GONE.has(cause.code ?? "")) throw cause;
    });
  let isServer = false;
  const write = (stream: NodeJS.WriteStream, fd: 1 | 2, line: string): void => {
    if (isServer) outputTo(fd).write(`${line}\n`);
    else stream.write(`${line}\n`);
  };
  return {
    out: (line) => write(process.stdout, 1, line),
    err: (line) => write(process.stderr, 2, line),
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
    neverBlock() {
      isServer = true;
    },
  };
}
