import { expect, it } from "vitest";
import { LongWork } from "../kernel/long-work.ts";
import { planPolicy } from "./policy-plan.ts";
import { failedPolicyTests } from "./policy-tests.ts";
import { readPolicyText } from "./policy-text.ts";
import { compileSnapshot } from "./snapshot.ts";

const POLICY = `
environments:
  dev: { upstreams: [{ url: "http://127.0.0.1:11434" }], requireFor: [{ do: [infer:chat], need: [network] }] }
  prod: { upstreams: [{ url: "http://127.0.0.1:11435" }] }
roles:
  bot: { allow: [{ do: [infer:chat], on: [llama3.2] }], networks: [10.0.0.0/8], require: [signature] }
assign:
  - { group: ops, role: operator, on: ["*"], in: [prod] }
  - { group: ops, role: bot, in: [dev] }
`;

async function failures(tests: string): Promise<string[]> {
  const read = readPolicyText(`${POLICY}tests:\n${tests}`);
  if (!read.ok) throw new Error(read.mistakes.join("\n"));
  const work = new LongWork();
  const present = compileSnapshot({ epoch: 1, environments: [], roles: [], principals: [], assignments: [] });
  let ids = 0;
  const ports = { hasUnrevokedKeys: async () => false, newId: () => `a${++ids}` };
  const { operations } = await planPolicy(present, read.policy, ports, work);
  return failedPolicyTests(read.policy.tests, present, operations, work);
}

const mistakes = (tests: string): readonly string[] => {
  const read = readPolicyText(`${POLICY}tests:\n${tests}`);
  return read.ok ? [] : read.mistakes;
};

it("tests that hold pass: by role, by group, by permission; access conditions are assumed to be met", async () => {
  expect(
    await failures(`
  - as: { role: bot }
    in: dev
    may: [{ do: infer:chat, on: llama3.2 }]
    mayNot: [{ do: infer:chat, on: [qwen3, "llama3.2:70b"] }, { do: [models:delete], on: llama3.2 }]
  - { as: { group: ops }, in: prod, may: [{ do: [models:delete, models:list], on: qwen3 }], mayNot: [{ do: infer:chat, on: llama3.2 }] }
  - { as: { group: ops }, in: dev, may: [{ do: infer:chat, on: llama3.2 }], mayNot: [{ do: models:delete, on: llama3.2 }] }
  - { as: { allow: [infer:embed], on: [nomic-embed-text] }, in: dev, may: [{ do: infer:embed, on: nomic-embed-text }] }
`),
  ).toEqual([]);
});

it("a test that fails names itself, the subject and the rule", async () => {
  const found = await failures(`
  - { as: { group: ops }, in: prod, mayNot: [{ do: models:delete, on: qwen3 }] }
  - { as: { role: bot }, in: dev, may: [{ do: infer:chat, on: qwen3 }] }
`);
  expect(found).toHaveLength(2);
  expect(found[0]).toMatch(/^tests\[0\]: models:delete on qwen3 is allowed and must be denied for group ops in prod/);
  expect(found[0]).toContain("by role operator");
  expect(found[1]).toMatch(/^tests\[1\]: infer:chat on qwen3 is denied and must be allowed for role bot in dev/);
  expect(found[1]).toContain("its selectors do not match");
});

it.each([
  ["- { as: {}, in: dev, may: [{ do: models:list }] }", "names none of `group`, `role` and `allow`"],
  ["- { as: { role: bott }, in: dev, may: [{ do: models:list }] }", "there is no role bott"],
  ["- { as: { role: bot }, in: deve, may: [{ do: models:list }] }", "there is no environment deve"],
  ["- { as: { role: bot }, in: dev }", "demands nothing"],
  ["- { as: { role: bot }, in: dev, may: [{ do: infer:chat }] }", "the permission needs a model"],
  ["- { as: { role: bot }, in: dev, may: [{ do: infer:chatt, on: a }] }", "is not a permission"],
  ["- { as: { role: bot }, in: dev, may: [{ do: infer:chat, on: 'a b' }] }", "is not a model name"],
  ["- { as: { role: bot }, in: dev, can: [] }", "is not a known key"],
])("%s is a mistake", (test, says) => {
  expect(mistakes(`  ${test}`).join("\n")).toContain(says);
});
