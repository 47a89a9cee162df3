/** Words as a shell takes them back unchanged. */

const PLAIN = /^[A-Za-z0-9_.:@%/+,=-]+$/;

/** In single quotes where the shell would do something with it; bash, zsh and fish read both forms alike. */
export function shellWord(word: string): string {
  if (PLAIN.test(word)) return word;
  // Fish also reads a backslash before a quote or another backslash, so it stands outside the quotes.
  return (
    word
      .split(/(['\\])/)
      .map((part) => (part === "'" ? `"'"` : part === "\\" ? "\\\\" : part === "" ? "" : `'${part}'`))
      .join("") || "''"
  );
}

export function shellLine(words: readonly string[]): string {
  return words.map(shellWord).join(" ");
}
