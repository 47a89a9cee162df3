/** The command line's surroundings as a port: where it writes, whom it can ask, which variables it sees. */
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline/promises";
import { Writable } from "node:stream";
import { outputTo } from "../../kernel/output.ts";
import { visibleLine } from "../../kernel/visible-text.ts";

export interface Io {
  /** One line of result, to stdout. A line feed in it is shown, not obeyed: `printText` is for the program's own texts of several lines. */
  out(line: string): void;
  /** One line of warning or error, to stderr. */
  err(line: string): void;
  /** Stdout is a terminal: a person sees it, no file or pipe keeps it. */
  readonly isTerminal: boolean;
  /** Whether a user can answer a question. */
  readonly canAsk: boolean;
  ask(question: string): Promise<string>;
  /** The same for a secret: what is typed is not shown. */
  askHidden(question: string): Promise<string>;
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
    // The one place where text reaches a person: nothing a stranger wrote gets past it raw.
    const visible = `${visibleLine(line)}\n`;
    if (isServer) outputTo(fd).write(visible);
    else stream.write(visible);
  };
  return {
    out: (line) => write(process.stdout, 1, line),
    err: (line) => write(process.stderr, 2, line),
    isTerminal: process.stdout.isTTY === true,
    canAsk: process.stdin.isTTY === true && process.stderr.isTTY === true,
    async ask(question) {
      const reader = createInterface({ input: process.stdin, output: process.stderr });
      try {
        return (await reader.question(visibleLine(question))).trim();
      } finally {
        reader.close();
      }
    },
    async askHidden(question) {
      const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
      const reader = createInterface({ input: process.stdin, output: silent, terminal: true });
      reader.on("SIGINT", () => {
        reader.close();
        process.kill(process.pid, "SIGINT");
      });
      // Only now does the terminal no longer echo what is typed.
      process.stderr.write(visibleLine(question));
      try {
        return (await reader.question("")).trim();
      } finally {
        reader.close();
        process.stderr.write("\n");
      }
    },
    env: process.env,
    readText(path) {
      try {
        return readFileSync(path === "-" ? 0 : path, "utf8");
      } catch (cause) {
        // Reading a directory fails without a path.
        throw cause instanceof Error ? Object.assign(cause, { path: path === "-" ? "standard input" : path }) : cause;
      }
    },
    neverBlock() {
      isServer = true;
    },
  };
}
