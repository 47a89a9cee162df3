import { expect, it } from "vitest";
import { cutPolicyRead, joinPolicyRead } from "./policy-pieces.ts";
import type { PolicyAssignment } from "./policy-file.ts";
import { readPolicyText } from "./policy-text.ts";
import type { PolicyTextRead } from "./policy-text.ts";

function read(assignments: number): PolicyTextRead {
  const lines = Array.from({ length: assignments }, (_, n) => `- {group: g${n}, role: cli, in: [dev]}`);
  return readPolicyText(`environments: {dev: {upstreams: []}}\nassign:\n${lines.join("\n")}\n`);
}

it("pieces are bounded, and make the whole again", () => {
  for (const count of [1, 200, 201, 1_000]) {
    const pieces = cutPolicyRead(read(count));
    const lists = pieces.flatMap((piece) => ("ok" in piece ? [] : Object.values(piece)));
    expect(Math.max(...lists.map((list) => list.length))).toBeLessThanOrEqual(200);
    const whole = joinPolicyRead(pieces);
    expect(whole).toEqual(read(count));
    const joined: readonly PolicyAssignment[] = whole.ok ? whole.policy.assignments : [];
    expect(joined).toHaveLength(count);
  }
});

it("mistakes are one piece", () => {
  const mistaken = readPolicyText("environments: [");
  expect(mistaken.ok).toBe(false);
  expect(joinPolicyRead(cutPolicyRead(mistaken))).toEqual(mistaken);
});
