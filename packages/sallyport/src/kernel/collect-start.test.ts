import { expect, test } from "vitest";
import { collectStart } from "./collect-start.ts";

test("what a large start has left is collected, and a small start does not wait for that", () => {
  let collected = 0;
  const collect = (): void => void collected++;
  expect(collectStart(127 * 2 ** 20, collect)).toBe(false);
  expect(collected).toBe(0);
  expect(collectStart(128 * 2 ** 20, collect)).toBe(true);
  expect(collected).toBe(1);
});

test("the engine has such a collection, and gives it to nobody else", () => {
  expect(collectStart(Infinity)).toBe(true);
  expect("gc" in globalThis).toBe(false);
});
