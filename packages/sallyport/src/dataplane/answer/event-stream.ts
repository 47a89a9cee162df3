/**
 * Server-sent events as their standard reads them (WHATWG HTML, 9.2.6): lines end with CRLF, LF or CR, an empty line ends
 * an event, the blank after a field's colon may be missing, data may stand on several lines, lines without a known field
 * are passed over.
 */
import { FramedAnswer } from "./framed-answer.ts";

const LF = 0x0a;
const CR = 0x0d;
/** The end of a line and the empty line after it. A CRLF before it ends with the LF that is found here. */
const EVENT_END = /\n\n|\n\r\n?|\r\r\n?/g;
const LINE_END = /\r\n|\n|\r/;

export abstract class EventStream extends FramedAnswer {
  /** A chunk nearly always ends with an event: looked at first. */
  protected endOfWhole(block: Buffer): number {
    const { length } = block;
    const last = block[length - 1];
    if (last === LF) {
      const before = block[length - 2];
      if (before === LF) return length;
      if (before === CR && (block[length - 3] === LF || block[length - 3] === CR)) return length;
    }
    let end = 0;
    for (const mark of ["\n\n", "\n\r", "\r\r"]) {
      const at = block.lastIndexOf(mark, undefined, "latin1");
      if (at < 0) continue;
      const after = at + 2;
      end = Math.max(end, mark[1] === "\r" && block[after] === LF ? after + 1 : after);
    }
    return end;
  }

  protected endOfFrame(text: string, start: number): number {
    EVENT_END.lastIndex = start;
    const end = EVENT_END.exec(text);
    return end === null ? text.length : end.index + end[0].length;
  }

  /** An event without its empty line is incomplete: no client would dispatch it. */
  protected unfinished(): null {
    return null;
  }
}

export interface StreamEvent {
  /** "" where it was not named. */
  readonly name: string;
  readonly data: string;
}

/** One event out of its lines; undefined where it carries no data. */
export function readEvent(text: string): StreamEvent | undefined {
  let name = "";
  let data: string | undefined;
  // A byte order mark may stand before the first line of the stream.
  for (const line of (text.startsWith("\ufeff") ? text.slice(1) : text).split(LINE_END)) {
    const colon = line.indexOf(":");
    const field = colon < 0 ? line : line.slice(0, colon);
    if (field !== "data" && field !== "event") continue;
    const start = colon < 0 ? line.length : line[colon + 1] === " " ? colon + 2 : colon + 1;
    const value = line.slice(start);
    if (field === "event") name = value;
    else data = data === undefined ? value : `${data}\n${value}`;
  }
  return data === undefined ? undefined : { name, data };
}

/** The same event with other data; its name stays. */
export function writeEvent(name: string, data: object): string {
  return `${name === "" ? "" : `event: ${name}\n`}data: ${JSON.stringify(data)}\n\n`;
}
