/**
 * How surprising a symbol is in its context: counts of symbols per context, with rare contexts backed by the counts of
 * all (escape as in PPM, Moffat 1990: a context that keeps showing new symbols carries little information). Symbols and
 * contexts are small whole numbers; memory is always contexts x symbols.
 */
export interface ContextTable {
  readonly symbols: number;
  /** One row for all, then one a context: the symbols' counts, their sum, how many differ. */
  readonly counts: number[];
}

/** How strongly a row leans on the one before, against its own counts. */
const ESCAPE = 0.4;

/** When a row's counts are halved, so that what was usual long ago is forgotten at last. */
const SUM_MAX = 32_768;

export function newContextTable(symbols: number, contexts: number): ContextTable {
  return { symbols, counts: Array.from({ length: (contexts + 1) * (symbols + 2) }, () => 0) };
}

/** The surprise of `symbol` in nats (-ln of its probability so far), and counts it. `context` -1: none is known yet. */
export function surpriseOf(table: ContextTable, context: number, symbol: number): number {
  let probability = countIn(table, 0, symbol, 1 / table.symbols);
  if (context >= 0) probability = countIn(table, (context + 1) * (table.symbols + 2), symbol, probability);
  return -Math.log(probability);
}

function countIn({ counts, symbols }: ContextTable, row: number, symbol: number, backed: number): number {
  const sum = counts[row + symbols]!;
  const escape = counts[row + symbols + 1]! * ESCAPE;
  const seen = counts[row + symbol]!;
  const probability = sum === 0 ? backed : (seen + escape * backed) / (sum + escape);
  counts[row + symbol] = seen + 1;
  counts[row + symbols] = sum + 1;
  if (seen === 0) counts[row + symbols + 1]! += 1;
  if (sum + 1 >= SUM_MAX) halve(counts, row, symbols);
  return probability;
}

/** Nothing that was seen is forgotten at once: counts are rounded up. */
function halve(counts: number[], row: number, symbols: number): void {
  let sum = 0;
  for (let at = row; at < row + symbols; at++) sum += counts[at] = Math.ceil(counts[at]! / 2);
  counts[row + symbols] = sum;
}
