import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { makeLook } from "./ledger-care.ts";

let directory: string;
let cares: number;
let look: () => Promise<void>;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "sallyport-care-"));
  mkdirSync(join(directory, "ledger"));
  mkdirSync(join(directory, "index"));
  cares = 0;
  look = makeLook(directory, { care: () => Promise.resolve(void cares++) });
});
afterEach(() => rmSync(directory, { recursive: true }));
const put = (...path: string[]): void => writeFileSync(join(directory, ...path), "");

it("asks for nothing while there is no segment", async () => {
  await look();
  expect(cares).toBe(0);
});

it("has what is there compared once after a start, and cares again where an index is missing", async () => {
  put("ledger", "0000000000000001.jsonl");
  put("index", "0000000000000001.idx");
  await look();
  await look();
  expect(cares).toBe(1);
  put("ledger", "0000000000000301.jsonl");
  await look();
  expect(cares).toBe(2);
});

it("tries again where it failed", async () => {
  put("ledger", "0000000000000001.jsonl");
  put("index", "0000000000000001.idx");
  let fails = true;
  look = makeLook(directory, { care: () => (fails ? Promise.reject(new Error("x")) : Promise.resolve(void cares++)) });
  await expect(look()).rejects.toThrow("x");
  fails = false;
  await look();
  expect(cares).toBe(1);
});
