import { gzipSync } from "node:zlib";
import { formatKeyText, keyPrefixes } from "@sallyport/protocol";
import type { KeyPrefix } from "@sallyport/protocol";
import { describe, expect, it } from "vitest";
import { embeddings } from "../../../../testdata/leaks/embeddings.js";
import { ScanBudget, scanBounds } from "./scan-budget.ts";
import { seededRandom } from "../watch-lab/simulate/draw.ts";
import { scanContent } from "./scan-content.ts";
import type { Leak } from "./scan-content.ts";

const BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const random = seededRandom(7);
const below = (limit: number): number => Math.floor(random() * limit);
const word = (length: number): string => Array.from({ length }, () => BASE62[below(62)]).join("");
const prefixes = Object.keys(keyPrefixes) as KeyPrefix[];
function aKey(): { readonly id: string; readonly text: string } {
  const environment = `${BASE62[36 + below(26)]}${word(below(16)).toLowerCase()}`;
  const id = word(12);
  return { id, text: formatKeyText(prefixes[below(prefixes.length)]!, environment, id, word(43)) };
}
function scan(bytes: Buffer, budget = new ScanBudget()): Leak[] {
  const leaks: Leak[] = [];
  scanContent(bytes, "file", budget, (leak) => leaks.push(leak));
  return leaks;
}

const forms = Object.entries(embeddings);

describe("recall", () => {
  it.each(forms)("finds keys: %s", (_, embed) => {
    for (let i = 0; i < 120; i++) {
      const { id, text } = aKey();
      const leaks = scan(embed(text, word(40 + below(100))));
      if (leaks[0]?.keyId !== id)
        expect.fail(`missed ${text} in ${JSON.stringify(embed(text, "").toString("latin1"))}`);
      expect(new Set(leaks.map(({ keyId }) => keyId)).size).toBe(1);
    }
  });

  it("covers at least 10,000 keys in at least 25 forms", () => {
    expect(forms.length * 120).toBeGreaterThanOrEqual(10_000);
  });
});

describe("precision", () => {
  it("finds nothing in random text of key characters, nor in keys with a wrong checksum", () => {
    let text = "";
    for (let i = 0; i < 4_000; i++) text += `sp_dev_${word(12)}_${word(49)}\n${word(below(200))}_`;
    expect(scan(Buffer.from(text))).toEqual([]);
  });
});

describe("where", () => {
  it("names the line, the entry of the archive and the form", () => {
    const { id, text } = aKey();
    expect(scan(Buffer.from(`a\nb\n${text}\n`))).toMatchObject([{ keyId: id, file: "file", line: 3, form: "plain" }]);
    expect(scan(embeddings["zip in zip"]!(text, ""))).toMatchObject([
      { file: "file!inner.zip!.env", line: 1, form: "zip+zip" },
    ]);
    expect(scan(embeddings["tar"]!(text, ""))).toMatchObject([{ file: "file!app/.env", form: "tar" }]);
    expect(scan(Buffer.from(`\n\nx: ${Buffer.from(text).toString("base64")}`))).toMatchObject([
      { line: 3, form: "base64" },
    ]);
  });

  it("has no part of the secret", () => {
    const { text } = aKey();
    expect(JSON.stringify(scan(Buffer.from(text)))).not.toContain(text.slice(-30));
  });
});

describe("bombs", () => {
  it("stops at the budget, says so, and finds what comes before it", () => {
    const { id, text } = aKey();
    const bomb = gzipSync(Buffer.concat([Buffer.from(`${text}\n`), Buffer.alloc(64 * 1024 * 1024)]));
    const budget = new ScanBudget({ ...scanBounds, bytesOut: 1024 * 1024 });
    expect(scan(bomb, budget).map(({ keyId }) => keyId)).toEqual([id]);
    expect(budget.reasons.join()).toMatch(/larger than/);
  });

  it("bounds entries and depth", () => {
    const { text } = aKey();
    let nested: Buffer = Buffer.from(text);
    for (let i = 0; i < 20; i++) nested = gzipSync(nested);
    expect(scan(nested)).toEqual([]);
    const budget = new ScanBudget({ ...scanBounds, entries: 0 });
    expect(scan(embeddings["zip, compressed"]!(text, ""), budget)).toEqual([]);
    expect(budget.reasons.join()).toMatch(/entries/);
  });

  it("ends in time", () => {
    let nowMs = 0;
    const budget = new ScanBudget({ ...scanBounds, timeMs: 10 }, () => (nowMs += 6));
    scan(Buffer.from(`${"A".repeat(2_000)}\n`.repeat(10)), budget);
    expect(budget.reasons.join()).toMatch(/time/);
  });
});
