import { expect, it } from "vitest";
import { contract } from "@sallyport/contract";
import { LongWork, ThreadLine } from "../kernel/long-work.ts";
import { writeAnswer } from "./write-answer.ts";

const shape = contract["assignments.list"].answer;
const assignment = (n: number) => ({
  id: `a${n}`,
  subject: { group: "g" },
  environment: "dev",
  roles: ["bot"],
  allow: [],
  models: null,
  source: "admin" as const,
});
const list = (count: number) => ({ assignments: Array.from({ length: count }, (_, n) => assignment(n)), next: null });

it("is the JSON of what the contract's shape makes of the answer", async () => {
  for (const answer of [list(0), list(3)])
    expect(await writeAnswer(shape, answer)).toBe(JSON.stringify(shape.parse(answer)));
  const role = { name: "bot", isBuiltIn: false, allow: [], limits: {}, guard: {}, networks: null, require: [] };
  const whole = contract["roles.show"].answer;
  expect(await writeAnswer(whole, role)).toBe(JSON.stringify(whole.parse(role)));
});

it("what the shape does not name does not leave, in a list or beside it", async () => {
  const answer = { assignments: [{ ...assignment(1), hash: "secret" }], next: null, pepper: "secret" };
  expect(await writeAnswer(shape, answer)).not.toContain("secret");
});

it("an answer that is not of its shape is a fault, in a list or beside it", async () => {
  await expect(writeAnswer(shape, { assignments: [{ ...assignment(1), id: 7 }], next: null })).rejects.toThrow();
  await expect(writeAnswer(shape, { assignments: [], next: 7 })).rejects.toThrow();
  await expect(writeAnswer(shape, { assignments: "none", next: null })).rejects.toThrow();
});

it("a long list is written in slices", async () => {
  let nowMs = 0;
  let rests = 0;
  const line = new ThreadLine((next) => {
    rests++;
    setImmediate(next);
  });
  const text = await writeAnswer(shape, list(1_000), new LongWork({ monotonic: () => (nowMs += 0.1) }, line));
  expect(JSON.parse(text)).toEqual(list(1_000));
  expect(rests).toBeGreaterThan(10);
});
