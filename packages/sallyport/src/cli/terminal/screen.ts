/**
 * A whole screen that is drawn again and again, as `top` and `less` do: on the alternate screen of the terminal, which
 * shows what was there before when it ends. Nothing a stranger wrote reaches the terminal raw.
 */
import { hasColor, writtenLine } from "./styled-line.ts";
import type { Line } from "./styled-line.ts";

const ENTER = "\u001b[?1049h\u001b[?25l";
const LEAVE = "\u001b[?25h\u001b[?1049l";
const HOME = "\u001b[H";
const TO_END_OF_LINE = "\u001b[K";
const TO_END_OF_SCREEN = "\u001b[J";

export interface Screen {
  readonly rows: number;
  draw(lines: readonly Line[]): void;
  /** Shows what was there before. */
  end(): void;
}

type Stream = Pick<NodeJS.WriteStream, "write" | "rows" | "writableNeedDrain" | "isTTY">;

export function openScreen(stream: Stream, env: Readonly<Record<string, string | undefined>>): Screen {
  const isColored = hasColor(stream, env);
  let isEnded = false;
  stream.write(ENTER);
  return {
    get rows() {
      return stream.rows > 0 ? stream.rows : 24;
    },
    draw(lines) {
      // A stopped terminal takes nothing: the next frame is as good.
      if (isEnded || stream.writableNeedDrain) return;
      const text = lines.map((line) => `${writtenLine(line, isColored)}${TO_END_OF_LINE}`).join("\r\n");
      stream.write(`${HOME}${text}${TO_END_OF_SCREEN}`);
    },
    end() {
      if (isEnded) return;
      isEnded = true;
      stream.write(LEAVE);
    },
  };
}
