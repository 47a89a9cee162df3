/** The program's log, JSON lines on standard error, which never wait for a reader. What is written is named field by field: no request, header or body as a whole. */
import { withoutKeys } from "@sallyport/protocol";
import { pino } from "pino";
import type { Logger } from "pino";
import { outputTo } from "./output.ts";
import { visibleLine } from "./visible-text.ts";

export type Log = Logger;

export function openLog(level: string): Log {
  const output = outputTo(2);
  // JSON leaves C1 controls and bidirectional marks as they are, and a log is read on a terminal, too.
  const destination = { write: (line: string): void => output.write(`${withoutKeys(visibleLine(line.trimEnd()))}\n`) };
  return pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, destination);
}

/** What is safe to write of a thrown value. */
export function causeOf(cause: unknown): {
  readonly name: string;
  readonly message: string;
  readonly stack: string | undefined;
} {
  return cause instanceof Error
    ? { name: cause.name, message: cause.message, stack: cause.stack }
    : { name: "unknown", message: String(cause), stack: undefined };
}
