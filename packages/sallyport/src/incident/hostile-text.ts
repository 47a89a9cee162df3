/**
 * Everything in a report came from requests, names that people chose, or both: it is hostile. What steers a terminal, a
 * renderer or the direction of reading is shown as its code; what means something in HTML or Markdown is escaped.
 */
import { escapeHtml } from "../kernel/html-text.ts";

const CELL_MAX = 400;
/** Control characters, and those that are not seen or turn the order of what follows (Unicode categories C, Zl, Zp). */
const UNSEEN = /[\p{C}\p{Zl}\p{Zp}]/gu;

/** One line that looks like what it is, truncated if it is long. */
export function plainText(text: string): string {
  // Truncate first: what is not shown need not be replaced.
  const seen = text.slice(0, CELL_MAX + 1).replace(UNSEEN, (one) => `\\u{${(one.codePointAt(0) ?? 0).toString(16)}}`);
  return seen.length > CELL_MAX ? `${seen.slice(0, CELL_MAX)}…` : seen;
}

/** For the text of an element and for a quoted attribute. */
export function htmlText(text: string): string {
  return escapeHtml(plainText(text));
}

/** For a paragraph or a table's cell: no markup, no HTML, no link, not even a bare address that would become one. */
export function markdownText(text: string): string {
  return plainText(text)
    .replace(/[\\`*_{}[\]<>#|~&!@$^=]/g, "\\$&")
    .replace(/:(?=\/)/g, "\\:")
    .replace(/\bwww\./gi, (one) => `${one.slice(0, 3)}\\.`)
    .replace(/^(\s*)([-+]|\d+[.)])(\s)/, "$1\\$2$3");
}
