/** The terminal of a command under test: what it says is kept, and it answers as a user would. */
import type { Io } from "./program-under-test.ts";

export interface TerminalAround {
  readonly isTerminal?: boolean;
  /** What the user answers; without it, nobody can be asked. */
  readonly reply?: string | undefined;
  /** How the user answers one question after another. */
  readonly ask?: Io["ask"];
  /** Standard input. */
  readonly text?: string | Buffer;
  readonly env?: Io["env"];
}

type Line = Parameters<Io["out"]>[0];

/** Without its styles: as a pipe gets it. */
function lineText(line: Line): string {
  return typeof line === "string"
    ? line
    : line.map((piece) => (typeof piece === "string" ? piece : piece.text)).join("");
}

export function capturedIo({ isTerminal = false, reply, ask, text = "", env = {} }: TerminalAround = {}): {
  readonly io: Io;
  readonly out: string[];
  readonly err: string[];
} {
  const out: string[] = [];
  const err: string[] = [];
  const io: Io = {
    out: (line) => void out.push(lineText(line)),
    err: (line) => void err.push(lineText(line)),
    isTerminal,
    statusLine: null,
    canAsk: reply !== undefined || ask !== undefined,
    ask: ask ?? (async () => reply ?? ""),
    askHidden: async () => reply ?? "",
    env,
    readText: () => text.toString(),
    async *input() {
      yield text;
    },
    neverBlock: () => {},
  };
  return { io, out, err };
}
