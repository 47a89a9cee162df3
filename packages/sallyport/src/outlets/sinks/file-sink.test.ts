import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { FileSink } from "./file-sink.ts";
import type { Outgoing } from "./sink.ts";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "sallyport-file-"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const line = (text: string): Outgoing => ({
  uid: text,
  text,
  record: { seq: 1, at: 0, environment: "dev", type: "key.issued", actor: "x", fields: {} },
});
const read = (name: string): string => readFileSync(join(root, name), "utf8");

it("is private, moves up at its size, and keeps so many", async () => {
  const sink = new FileSink({ path: join(root, "log"), rotateBytes: 6, keep: 2 });
  for (const text of ["one", "two", "three", "four", "five", "six", "seven"]) await sink.send([line(text)]);
  expect(readdirSync(root).toSorted()).toEqual(["log", "log.1", "log.2"]);
  expect([read("log"), read("log.1"), read("log.2")]).toEqual(["six\nseven\n", "four\nfive\n", "three\n"]);
  if (process.platform !== "win32") expect(statSync(join(root, "log")).mode & 0o777).toBe(0o600);
});

it("that somebody deleted or moved is made anew with the next batch", async () => {
  const sink = new FileSink({ path: join(root, "log"), rotateBytes: 1e6, keep: 2 });
  await sink.send([line("one")]);
  rmSync(join(root, "log"));
  await sink.send([line("two"), line("three")]);
  expect(read("log")).toBe("two\nthree\n");
});

it("that keeps none begins anew", async () => {
  const sink = new FileSink({ path: join(root, "log"), rotateBytes: 2, keep: 0 });
  await sink.send([line("one")]);
  await sink.send([line("two")]);
  expect(readdirSync(root)).toEqual(["log"]);
  expect(read("log")).toBe("two\n");
});
