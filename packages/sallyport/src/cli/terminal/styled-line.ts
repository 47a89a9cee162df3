/**
 * Lines whose words have a meaning: heading, error, command. A line is pieces, not text with escape codes: the text of a
 * piece is made visible where it is written, so nothing that a stranger wrote can set a colour, and widths are those of
 * the text.
 */
import { visibleLine } from "../../kernel/visible-text.ts";

const styles = {
  heading: ["\u001b[1m", "\u001b[22m"],
  ok: ["\u001b[32m", "\u001b[39m"],
  warning: ["\u001b[33m", "\u001b[39m"],
  error: ["\u001b[31m", "\u001b[39m"],
  muted: ["\u001b[2m", "\u001b[22m"],
  command: ["\u001b[36m", "\u001b[39m"],
} as const;
type Style = keyof typeof styles;

export interface StyledText {
  readonly text: string;
  readonly style: Style;
}
export type Piece = string | StyledText;
export type Line = string | readonly Piece[];

const styled =
  (style: Style) =>
  (text: string): StyledText => ({ text, style });

export const heading = styled("heading");
export const ok = styled("ok");
export const warning = styled("warning");
export const error = styled("error");
export const muted = styled("muted");
export const command = styled("command");

/** The program's own sentence; what it quotes in backticks is a command. */
export function withCommands(text: string): readonly Piece[] {
  return text.split(/(`[^`]+`)/).map((part) => (part.startsWith("`") && part.length > 2 ? command(part) : part));
}

export function indented(line: Line, by = "  "): Line {
  return typeof line === "string" ? by + line : [by, ...line];
}

export function lineText(line: Line): string {
  return typeof line === "string" ? line : line.map(textOf).join("");
}

export function textOf(piece: Piece): string {
  return typeof piece === "string" ? piece : piece.text;
}

/** What is written to a terminal, a file or a pipe. */
export function writtenLine(line: Line, hasColor: boolean): string {
  if (!hasColor || typeof line === "string") return visibleLine(lineText(line));
  return line
    .map((piece) => {
      if (typeof piece === "string") return visibleLine(piece);
      const [begin, end] = styles[piece.style];
      return piece.text === "" ? "" : begin + visibleLine(piece.text) + end;
    })
    .join("");
}

/**
 * Whether a stream gets colours (no-color.org, bixense.com/clicolors): NO_COLOR decides first, then an explicit request,
 * then whether a person sees it.
 */
export function hasColor(
  stream: { readonly isTTY?: boolean },
  { NO_COLOR = "", FORCE_COLOR = "", CLICOLOR_FORCE = "", TERM = "" }: Readonly<Record<string, string | undefined>>,
): boolean {
  if (NO_COLOR !== "" || isOff(FORCE_COLOR)) return false;
  if (FORCE_COLOR !== "" || (CLICOLOR_FORCE !== "" && !isOff(CLICOLOR_FORCE))) return true;
  return stream.isTTY === true && TERM !== "dumb";
}

function isOff(text: string): boolean {
  return text === "0" || text === "false";
}
