/** The command line's surroundings as a port: where it writes, whom it can ask, which variables it sees. */
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { Writable } from "node:stream";
import { outputTo } from "../../kernel/output.ts";
import { visibleLine } from "../../kernel/visible-text.ts";
import { Cancelled } from "./cancelled.ts";
import { demandGivenPath } from "./given-path.ts";
import { hasColor, writtenLine } from "./styled-line.ts";
import type { Line } from "./styled-line.ts";

/** A line of a terminal that is drawn again and again, below everything else. */
export interface StatusLine {
  readonly columns: number;
  /** Replaces the line; an empty text erases it. Does nothing while the terminal is stopped. */
  draw(text: string): void;
}

export interface Io {
  /** One line of result, to stdout. A line feed in it is shown, not obeyed: `printText` is for the program's own texts of several lines. */
  out(line: Line): void;
  /** One line of warning or error, to stderr. */
  err(line: Line): void;
  /** Stdout is a terminal: a person sees it, no file or pipe keeps it. */
  readonly isTerminal: boolean;
  /** Of stderr, where that is a terminal that can redraw a line. */
  readonly statusLine: StatusLine | null;
  /** Whether a user can answer a question. */
  readonly canAsk: boolean;
  /** Throws `Cancelled` when the user ends the input (Ctrl-C, Ctrl-D) instead. */
  ask(question: string): Promise<string>;
  /** The same for a secret: what is typed is not shown. */
  askHidden(question: string): Promise<string>;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The text of a file; `-` is stdin. */
  readText(path: string): string;
  /** Standard input as bytes, of any length. */
  input(): AsyncIterable<Buffer | string>;
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
  const statusLine = makeStatusLine(process.stderr, process.env);
  const write = (stream: NodeJS.WriteStream, fd: 1 | 2, line: Line): void => {
    // The one place where text reaches a person: nothing a stranger wrote gets past it raw.
    const written = `${writtenLine(line, hasColor(stream, process.env))}\n`;
    if (stream.isTTY) statusLine?.draw("");
    if (isServer) outputTo(fd).write(written);
    else stream.write(written);
  };
  return {
    out: (line) => write(process.stdout, 1, line),
    err: (line) => write(process.stderr, 2, line),
    isTerminal: process.stdout.isTTY === true,
    statusLine,
    canAsk: process.stdin.isTTY === true && process.stderr.isTTY === true,
    ask: makeAsk(process.stdin, process.stderr),
    askHidden(question) {
      const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
      // A terminal that is read by characters does not echo them; what would be shown goes nowhere.
      const answer = makeAsk(process.stdin, silent, true)("");
      const { stderr } = process;
      stderr.write(visibleLine(question));
      return answer.finally(() => stderr.write("\n"));
    },
    env: process.env,
    readText(path) {
      demandGivenPath(path);
      try {
        return readFileSync(path === "-" ? 0 : path, "utf8");
      } catch (cause) {
        // Reading a directory fails without a path.
        throw cause instanceof Error ? Object.assign(cause, { path: path === "-" ? "standard input" : path }) : cause;
      }
    },
    input: () => process.stdin,
    neverBlock() {
      isServer = true;
    },
  };
}

const ERASED = "\r\u001b[K";

function makeStatusLine(stream: NodeJS.WriteStream, env: Io["env"]): StatusLine | null {
  if (stream.isTTY !== true || env["TERM"] === "dumb") return null;
  let isDrawn = false;
  return {
    get columns() {
      return stream.columns > 0 ? stream.columns : 80;
    },
    draw(text) {
      if (text === "" && !isDrawn) return;
      // A frame that cannot be written now is not worth waiting for; the next one comes soon.
      isDrawn = outputTo(2).writeIfIdle(ERASED + visibleLine(text)) ? text !== "" : isDrawn;
    },
  };
}

/** Lines that were pasted together answer one question each. */
/** `isRaw`: the terminal is read by characters, and shows none of them by itself. */
function makeAsk(input: NodeJS.ReadStream, output: NodeJS.WritableStream, isRaw?: boolean): Io["ask"] {
  const waiting: string[] = [];
  return (question) => {
    const early = waiting.shift();
    if (early !== undefined) {
      output.write(`${visibleLine(question)}${visibleLine(early)}\n`);
      return Promise.resolve(early.trim());
    }
    return new Promise((resolve, reject) => {
      const reader = createInterface({ input, output, ...(isRaw ? { terminal: true } : {}) });
      let answer: string | undefined;
      reader.on("line", (line) => {
        if (answer !== undefined) return void waiting.push(line);
        answer = line;
        // The other lines of the same chunk come before this.
        queueMicrotask(() => reader.close());
      });
      reader.on("close", () => (answer === undefined ? reject(new Cancelled()) : resolve(answer.trim())));
      reader.setPrompt(visibleLine(question));
      reader.prompt();
    });
  };
}
