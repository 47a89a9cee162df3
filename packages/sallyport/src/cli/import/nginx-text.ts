/**
 * nginx's configuration language, as its own tokenizer reads it: words, quotes, comments, `;` and blocks. Nothing is
 * evaluated and no file is included.
 */
export interface NginxWord {
  readonly text: string;
  readonly line: number;
}

export interface NginxStatement {
  readonly line: number;
  readonly words: readonly NginxWord[];
  /** The statements between its braces; undefined when it ends with `;`. */
  readonly block: readonly NginxStatement[] | undefined;
}

export interface NginxRead {
  readonly statements: readonly NginxStatement[];
  readonly mistake: { readonly line: number; readonly message: string } | undefined;
}

interface OpenBlock {
  readonly line: number;
  readonly words: readonly NginxWord[];
  readonly statements: NginxStatement[];
}

const DEPTH_MAX = 32;
const BLANK = new Set([" ", "\t", "\r", "\n"]);
const ESCAPED = new Set(['"', "'", "\\"]);
const ENDS_WORD = new Set([...BLANK, ";", "{"]);

export function readNginx(text: string): NginxRead {
  const outer: OpenBlock = { line: 1, words: [], statements: [] };
  const open = [outer];
  let words: NginxWord[] = [];
  let line = 1;
  let at = 0;
  const fail = (message: string): NginxRead => ({ statements: outer.statements, mistake: { line, message } });

  while (at < text.length) {
    const character = text[at]!;
    const block = open.at(-1)!;
    if (BLANK.has(character)) {
      if (character === "\n") line++;
      at++;
    } else if (character === "#") {
      const end = text.indexOf("\n", at);
      at = end < 0 ? text.length : end;
    } else if (character === ";") {
      if (words.length === 0) return fail("a `;` ends nothing");
      block.statements.push({ line: words[0]!.line, words, block: undefined });
      words = [];
      at++;
    } else if (character === "{") {
      if (words.length === 0) return fail("a `{` has no directive before it");
      if (open.length > DEPTH_MAX) return fail(`blocks are nested more than ${DEPTH_MAX} levels`);
      open.push({ line: words[0]!.line, words, statements: [] });
      words = [];
      at++;
    } else if (character === "}") {
      if (words.length > 0) return fail("a `;` is missing before `}`");
      if (open.length === 1) return fail("a `}` closes nothing");
      open.pop();
      open.at(-1)!.statements.push({ line: block.line, words: block.words, block: block.statements });
      at++;
    } else {
      const word = readWord(text, at);
      if (word === undefined) return fail("a quoted text does not end, or is followed by more text");
      words.push({ text: word.text, line });
      line += word.lines;
      at = word.end;
    }
  }
  if (words.length > 0) return fail("the file ends without `;`");
  if (open.length > 1) return fail("the file ends without `}`");
  return { statements: outer.statements, mistake: undefined };
}

/** A word, quoted or plain; undefined for a quote that does not close. */
function readWord(
  text: string,
  start: number,
): { readonly text: string; readonly end: number; readonly lines: number } | undefined {
  const quote = text[start] === '"' || text[start] === "'" ? text[start] : undefined;
  let at = quote === undefined ? start : start + 1;
  let word = "";
  let lines = 0;
  for (; at < text.length; at++) {
    const character = text[at]!;
    if (character === quote) {
      const next = text[at + 1];
      // nginx reads `($app = "")` so: what follows the quote is the next word.
      return next === undefined || next === ")" || ENDS_WORD.has(next) ? { text: word, end: at + 1, lines } : undefined;
    }
    // `${name}` is a variable, not a block.
    const isInVariable = character === "{" && text[at - 1] === "$";
    if (quote === undefined && ENDS_WORD.has(character) && !isInVariable) break;
    if (character === "\\" && at + 1 < text.length) {
      // nginx drops the backslash before these and keeps it elsewhere, for the expression that the word may be.
      if (!ESCAPED.has(text[at + 1]!)) word += character;
      at++;
    }
    if (text[at] === "\n") lines++;
    word += text[at]!;
  }
  return quote === undefined ? { text: word, end: at, lines } : undefined;
}
