import { expect, it } from "vitest";
import { PermissionUses } from "./permission-uses.ts";

it("counts what each key used, and forgets all rather than half of it", () => {
  const uses = new PermissionUses(10);
  const demand = { permission: "infer:chat", model: null, field: "model" } as const;
  uses.note("dev", "a", [demand, { ...demand, permission: "runtime:load" }], 20);
  uses.note("dev", "a", [demand], 30);
  expect(uses.survey(40)).toEqual({
    from: 10,
    to: 40,
    uses: [
      { environment: "dev", key: "a", permission: "infer:chat", count: 2 },
      { environment: "dev", key: "a", permission: "runtime:load", count: 1 },
    ],
  });
  for (let i = 0; i < 65_536; i++) uses.note("dev", `k${i}`, [demand], 50);
  const { from, uses: left } = uses.survey(60);
  expect([from, left.length]).toEqual([50, 1]);
});
