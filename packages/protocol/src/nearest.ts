/** The known word that was probably meant. */

const LENGTH_MAX = 64;

/** Within a third of its length in edits; undefined where none is near. */
export function nearest(word: string, known: Iterable<string>): string | undefined {
  if (word.length > LENGTH_MAX) return undefined;
  let best: string | undefined;
  let least = Math.max(2, Math.floor(word.length / 3)) + 1;
  for (const candidate of known) {
    if (candidate.length > LENGTH_MAX) continue;
    const edits = editsBetween(word, candidate);
    if (edits < least) [best, least] = [candidate, edits];
  }
  return best;
}

/** Among so many known words; a mistake in a large directory is not worth a long turn. */
const KNOWN_MAX = 1_000;

/** `; did you mean ada?`, to end a sentence that names the word; empty where none is near. */
export function didYouMean(word: unknown, known: Iterable<string>): string {
  if (typeof word !== "string") return "";
  const some: string[] = [];
  for (const one of known) if (some.push(one) >= KNOWN_MAX) break;
  const near = nearest(word, some);
  return near === undefined ? "" : `; did you mean ${near}?`;
}

/** Levenshtein's distance, one row at a time. */
function editsBetween(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, at) => at);
  for (let i = 1; i <= one.length; i++) {
    const next = [i];
    for (let j = 1; j <= other.length; j++) {
      const replaced = row[j - 1]! + (one[i - 1] === other[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[other.length]!;
}
