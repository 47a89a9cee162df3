/** The terminal of a command under test: what it says is kept, and it answers as a user would. */
import type { Io } from "./program-under-test.ts";

export interface TerminalAround {
  readonly isTerminal?: boolean;
  /** What the user answers; without it, nobody can be asked. */
  readonly reply?: string | undefined;
  /** Standard input. */
  readonly text?: string;
  readonly env?: Io["env"];
}

export function capturedIo({ isTerminal = false, reply, text = "", env = {} }: TerminalAround = {}): {
  readonly io: Io;
  readonly out: string[];
  readonly err: string[];
} {
  const out: string[] = [];
  const err: string[] = [];
  const io: Io = {
    out: (said) => void out.push(said),
    err: (said) => void err.push(said),
    isTerminal,
    canAsk: reply !== undefined,
    ask: async () => reply ?? "",
    askHidden: async () => reply ?? "",
    env,
    readText: () => text,
    neverBlock: () => {},
  };
  return { io, out, err };
}
