// A part of the rows: those of every n-th test. All rows of a test are in one shard, so that its baseline runs once.

/** The shard that "2/5" names: `{ number, of }`, or undefined when the words are no shard. */
export function parseShard(words) {
  const [, number, of] = (/^([1-9]\d{0,3})\/([1-9]\d{0,3})$/.exec(words) ?? []).map(Number);
  return number <= of ? { number, of } : undefined;
}

export function rowsOfShard(rows, { number, of }) {
  const tests = testsOf(rows);
  return rows.filter(({ test }) => tests.indexOf(test) % of === number - 1);
}

/** The tests of some rows, each once, in an order that does not depend on the rows' order. */
export function testsOf(rows) {
  return [...new Set(rows.map(({ test }) => test))].sort((a, b) => (a < b ? -1 : 1));
}
