import { hash, randomBytes } from "node:crypto";
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { LINE_BYTES_MAX } from "@sallyport/ledger";
import { linesForward } from "../ledger/segment-file.ts";
import { digestSegment, scanSegment } from "./segment-scan.ts";

let path: string;

beforeEach(() => {
  const directory = mkdtempSync(join(tmpdir(), "sallyport-scan-"));
  path = join(directory, "0000000000000001.jsonl");
  return () => rmSync(directory, { recursive: true });
});

function scan(bytes: Buffer) {
  writeFileSync(path, bytes);
  const file = openSync(path, "r");
  try {
    const found: { line: string; at: number }[] = [];
    const lines = scanSegment(file);
    let next = lines.next();
    for (; !next.done; next = lines.next()) found.push(next.value);
    return { found, digest: next.value, whole: digestSegment(file) };
  } finally {
    closeSync(file);
  }
}

const cases: readonly (readonly [string, Buffer])[] = [
  ["nothing", Buffer.alloc(0)],
  ["one line", Buffer.from("{}\n")],
  ["an end without a newline", Buffer.from("{}\n{")],
  ["empty lines", Buffer.from("\n\n{}\n\n")],
  ["a line that is not UTF-8", Buffer.from([0x7b, 0x0a, 0xff, 0x0a, 0x7d, 0x0a])],
  ["a newline that ends a piece", Buffer.from(`${"x".repeat(256 * 1024 - 1)}\ny\n`)],
  ["a newline that begins the next", Buffer.from(`${"x".repeat(256 * 1024)}\ny\n`)],
  ["a line of several pieces", Buffer.from(`a\n${"ä".repeat(500_000)}\nb\n${"c".repeat(300_000)}\n`)],
  [
    "many lines",
    Buffer.from(Array.from({ length: 20_000 }, (_, i) => `{"seq":${i},"x":"${"é".repeat(i % 90)}"}\n`).join("")),
  ],
];

describe("a segment that is scanned gives", () => {
  it.each(cases)("the lines of reading it, where they stand, and its digest: %s", (_, bytes) => {
    const { found, digest, whole } = scan(bytes);
    expect(found.map(({ line }) => line)).toEqual([...linesForward(path)]);
    for (const { line, at } of found) {
      if (line === "") continue;
      expect(bytes.toString("utf8", at, at + Buffer.byteLength(line))).toBe(line);
      expect(at === 0 || bytes[at - 1] === 0x0a).toBe(true);
    }
    expect(digest).toEqual({ bytes: bytes.length, sha256: hash("sha256", bytes, "hex") });
    expect(whole).toEqual(digest);
  });

  it("nothing of a line that is too long, and nothing after it", () => {
    const { found } = scan(Buffer.from(`{}\n${"x".repeat(2 * LINE_BYTES_MAX)}\n{}\n`));
    expect(found).toEqual([
      { line: "{}", at: 0 },
      { line: "", at: 3 },
    ]);
  });
});

it("a large segment is never in memory as a whole", () => {
  const line = `${randomBytes(300).toString("base64")}\n`;
  writeFileSync(path, line.repeat(100_000));
  const file = openSync(path, "r");
  try {
    const before = process.memoryUsage().arrayBuffers;
    let most = 0;
    let count = 0;
    for (const _ of scanSegment(file))
      if (count++ % 1_000 === 0) most = Math.max(most, process.memoryUsage().arrayBuffers - before);
    expect(count).toBe(100_000);
    digestSegment(file);
    most = Math.max(most, process.memoryUsage().arrayBuffers - before);
    expect(most).toBeLessThan(4 * 1024 * 1024);
  } finally {
    closeSync(file);
  }
});
