/** What a validated string lexeme says: quotes off, escapes resolved, UTF-8 decoded. */
const ESCAPES: Readonly<Record<string, string>> = { b: "\b", f: "\f", n: "\n", r: "\r", t: "\t" };
const PLAIN_ASCII = /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/;
const NEEDS_WORK = /[\\\x80-\xff]/;

/** `lexeme` is latin1 text of a JSON string with its quotes, already validated. */
export function decodeString(lexeme: string): string {
  const inner = lexeme.slice(1, -1);
  if (!NEEDS_WORK.test(inner)) return inner;
  const text = Buffer.from(inner, "latin1").toString("utf8");
  return text.replaceAll(/\\(?:u([0-9a-fA-F]{4})|(.))/g, (_, hex: string | undefined, letter: string) =>
    hex === undefined ? (ESCAPES[letter] ?? letter) : String.fromCharCode(Number.parseInt(hex, 16)),
  );
}

/** The lexeme of a text, as latin1, ready to stand beside lexemes that were read. */
export function encodeString(text: string): string {
  if (PLAIN_ASCII.test(text)) return `"${text}"`;
  return Buffer.from(JSON.stringify(text), "utf8").toString("latin1");
}
