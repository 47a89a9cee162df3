import fc from "fast-check";
import { expect, it } from "vitest";
import { LongWork } from "../kernel/long-work.ts";
import { holdingsOf } from "./holding.ts";
import { HoldingsIndex } from "./holdings-index.ts";
import { newPrincipal } from "./new-principal.ts";
import type { Assignment, Principal, Voucher } from "./policy.ts";

const right = { roles: [], allow: ["infer:chat" as const], models: null };
const policy = { environments: new Map(), roles: new Map() };
const writer: Voucher = { by: "key:a", environments: ["dev"], mayGrant: "*" };

it("answers what a look at all assignments answers, memberships with a bound too", async () => {
  const group = fc.constantFrom("g", "h", "i");
  const assignment = fc.record({
    subject: fc.oneof(group.map((name) => ({ group: name })), fc.constantFrom("p", "q").map((id) => ({ principal: id }))),
    environment: fc.constantFrom("dev", "prod"),
  }); // prettier-ignore
  const person = fc.record({
    id: fc.constantFrom("p", "q", "r"),
    groups: fc.array(group, { maxLength: 4 }),
    bounded: fc.uniqueArray(group),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(assignment), person, async (drawn, { id, groups, bounded }) => {
      const assignments = drawn.map((one, n): Assignment => ({ ...one, id: `a${n}`, right, source: "admin" }));
      const memberships = bounded.map((name) => ({ group: name, voucher: writer }));
      const made = newPrincipal({ kind: "person", name: id, createdAt: 0, groups, bounds: { memberships } });
      const principal: Principal = { ...made, id };
      const index = await HoldingsIndex.build({ ...policy, assignments }, new LongWork());
      const ids = (list: readonly Assignment[]): string[] => list.map((one) => one.id).toSorted();
      expect(ids(index.holdingsOf(principal))).toEqual(ids(holdingsOf(principal, assignments, policy)));
    }),
  );
});
