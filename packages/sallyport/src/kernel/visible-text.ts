/**
 * Text for a terminal. Names and reasons come from callers, directories and servers: what would move the cursor, start an
 * escape sequence or reorder the line is written as `\\u001b`. JSON stays JSON: there the same escapes mean the same text.
 */

/** Controls, formats (bidirectional marks among them), line separators and halves of a character. */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;
/** A tab only moves on; the joiners are part of words and emoji, and reorder nothing. */
const SAFE = new Set(["\t", "\u200c", "\u200d"]);

/** One line: a line feed in it is no end of it. */
export function visibleLine(text: string): string {
  return text.replace(UNSAFE, (character) => (SAFE.has(character) ? character : escaped(character)));
}

function escaped(character: string): string {
  let text = "";
  for (let at = 0; at < character.length; at++) text += `\\u${character.charCodeAt(at).toString(16).padStart(4, "0")}`;
  return text;
}
