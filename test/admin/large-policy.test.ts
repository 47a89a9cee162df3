/** A policy of thousands of assignments comes whole out of the thread that reads it, in more pieces than one turn takes. */
import { expect, it } from "vitest";
import { PolicyTextReader } from "../program-under-test.ts";

it("a large policy is read whole and in order", async () => {
  const names = Array.from({ length: 3_000 }, (_, n) => `g${n}`);
  const lines = names.map((name) => `- {group: ${name}, role: cli, in: [dev]}`);
  const text = `environments: {dev: {upstreams: []}}\nassign:\n${lines.join("\n")}\n`;
  const read = await new PolicyTextReader().read(text, "os:test");
  if (!read.ok) throw new Error(read.detail);
  expect(read.policy.environments.map(({ name }) => name)).toEqual(["dev"]);
  expect(read.policy.assignments.map(({ subject }) => subject)).toEqual(names.map((group) => ({ group })));
});
