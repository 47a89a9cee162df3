/** Two texts line by line: what only the first has, and what only the second has, with a line or two around. */
import type { ReactNode } from "react";

export interface DiffLine {
  readonly sign: "+" | "-" | " ";
  readonly text: string;
}

/** Longer texts are not compared: the table grows with the product of their lengths. */
const LINES_MAX = 2_000;
const AROUND = 2;

/** Undefined for texts that are too long to compare. */
export function diffLines(from: string, to: string): DiffLine[] | undefined {
  const [a, b] = [from.split("\n"), to.split("\n")];
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start++;
  let end = 0;
  while (end < a.length - start && end < b.length - start && a[a.length - 1 - end] === b[b.length - 1 - end]) end++;
  const [left, right] = [a.slice(start, a.length - end), b.slice(start, b.length - end)];
  if (left.length > LINES_MAX || right.length > LINES_MAX) return undefined;
  const same = (texts: readonly string[]): DiffLine[] => texts.map((text) => ({ sign: " ", text }));
  return [...same(a.slice(0, start)), ...middle(left, right), ...same(a.slice(a.length - end))];
}

/** By the longest common subsequence. */
function middle(a: readonly string[], b: readonly string[]): DiffLine[] {
  const width = b.length + 1;
  const longest = new Uint16Array((a.length + 1) * width);
  for (let i = a.length - 1; i >= 0; i--)
    for (let j = b.length - 1; j >= 0; j--)
      longest[i * width + j] =
        a[i] === b[j]
          ? longest[(i + 1) * width + j + 1]! + 1
          : Math.max(longest[(i + 1) * width + j]!, longest[i * width + j + 1]!);
  const lines: DiffLine[] = [];
  let [i, j] = [0, 0];
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      lines.push({ sign: " ", text: a[i]! });
      i++;
      j++;
    } else if (j >= b.length || (i < a.length && longest[(i + 1) * width + j]! >= longest[i * width + j + 1]!))
      lines.push({ sign: "-", text: a[i++]! });
    else lines.push({ sign: "+", text: b[j++]! });
  }
  return lines;
}

interface LineDiffProps {
  readonly label: string;
  readonly from: string;
  readonly to: string;
}

export function LineDiff({ label, from, to }: LineDiffProps): ReactNode {
  const lines = diffLines(from, to);
  if (lines === undefined) return <p className="quiet">The texts are too long to be compared here.</p>;
  const near = lines.map((_, at) =>
    lines.slice(Math.max(0, at - AROUND), at + AROUND + 1).some(({ sign }) => sign !== " "),
  );
  return (
    <div className="scroll" role="group" aria-label={label} tabIndex={0}>
      <pre className="diff">
        {lines.map(({ sign, text }, at) =>
          near[at] ? (
            // Lines repeat, so only their place names them.
            // oxlint-disable-next-line react/no-array-index-key
            <span key={at} className={sign === "+" ? "added" : sign === "-" ? "removed" : undefined}>
              {`${sign} ${text}\n`}
            </span>
          ) : null,
        )}
      </pre>
    </div>
  );
}
