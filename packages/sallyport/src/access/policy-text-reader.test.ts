import { Problem } from "@sallyport/protocol";
import { expect, test } from "vitest";
import { isTooLong, PolicyTextReader } from "./policy-text-reader.ts";
import { readPolicyText } from "./policy-text.ts";
import type { PolicyTextRead } from "./policy-text.ts";

const READ: PolicyTextRead = { ok: false, detail: "", mistakes: [] };

test("texts are read one after another, and few of one actor wait", async () => {
  const started: string[] = [];
  const ends: (() => void)[] = [];
  const reader = new PolicyTextReader((text) => {
    started.push(text);
    return new Promise((resolve) => ends.push(() => resolve(READ)));
  });
  const first = reader.read("a", "dev");
  const second = reader.read("b", "dev");
  await expect(reader.read("c", "dev")).rejects.toThrow(Problem);
  const other = reader.read("d", "prod");
  for (const pending of [first, second, other]) {
    await Promise.resolve();
    await Promise.resolve();
    ends.shift()!();
    await pending;
  }
  expect(started).toEqual(["a", "b", "d"]);
  const again = reader.read("e", "dev");
  await Promise.resolve();
  await Promise.resolve();
  ends.shift()!();
  await again;
});

test("a text that fails holds up nobody behind it", async () => {
  let fails = true;
  const reader = new PolicyTextReader(async () => {
    if (fails) throw new Error("broken");
    return READ;
  });
  const broken = reader.read("a", "dev");
  const next = reader.read("b", "prod");
  await expect(broken).rejects.toThrow("broken");
  fails = false;
  await expect(next)
    .rejects.toThrow("broken")
    .catch(() => undefined);
  expect(await reader.read("c", "dev")).toBe(READ);
});

test("mistakes are bounded in number and length", () => {
  const read = readPolicyText(`environments:\n${"  dev: {}\n".repeat(5_000)}`);
  if (read.ok) throw new Error("read");
  expect(read.mistakes).toHaveLength(51);
  expect(read.mistakes[0]).toBe("3:3 this key comes twice");
  expect(read.mistakes.at(-1)).toMatch(/^and \d+ more$/);
  const long = readPolicyText(`environments: {}\n${"x".repeat(5_000)}: 1\n`);
  expect(!long.ok && long.mistakes.every((mistake) => mistake.length <= 300)).toBe(true);
});

test("what counts is how long the thread ran, as far as the kernel says it, and nobody waits for ever", () => {
  expect(isTooLong(2_000, 30_000)).toBe(false);
  expect(isTooLong(5_000, 6_000)).toBe(true);
  expect(isTooLong(2_000, 60_000)).toBe(true);
  expect(isTooLong(undefined, 4_999)).toBe(false);
  expect(isTooLong(undefined, 5_000)).toBe(true);
});
