import { describe, expect, it } from "vitest";
import { keyOf } from "../../../../test/builders.ts";
import { Restrictions } from "./restrictions.ts";
import type { Restriction } from "./restriction.ts";

const record = keyOf({
  id: "AAAAAAAAAAAA",
  environment: "prod",
  owner: null,
  limits: { requests: { count: 600, windowMs: 60_000 }, concurrency: 8 },
  networks: ["10.0.0.0/8"],
});

const restriction = (action: Restriction["action"], more: Partial<Restriction> = {}): Restriction => ({
  id: `prod/AAAAAAAAAAAA/flood/${action}`,
  environment: "prod",
  key: "AAAAAAAAAAAA",
  kind: "flood",
  action,
  networks: [],
  at: 0,
  until: 1,
  ...more,
});
const over = (...held: Restriction[]) => new Restrictions(() => held).over(record);

describe("what is laid over a key", () => {
  it("is nothing without a restriction, and for another key", () => {
    expect(over()).toBe(record);
    expect(over(restriction("tighten", { key: "BBBBBBBBBBBB" }))).toBe(record);
    expect(over(restriction("tighten", { environment: "dev" }))).toBe(record);
  });

  it("tightens, and never loosens", () => {
    expect(over(restriction("tighten")).limits).toEqual({ requests: { count: 10, windowMs: 60_000 }, concurrency: 1 });
    const slow = { ...record, limits: { requests: { count: 1, windowMs: 3_600_000 } } };
    expect(new Restrictions(() => [restriction("tighten")]).over(slow).limits).toEqual({
      requests: { count: 1, windowMs: 3_600_000 },
      concurrency: 1,
    });
  });

  it("demands what is missing, once", () => {
    expect(over(restriction("signature"), restriction("identity")).require).toEqual(["signature", "identity"]);
    const signed = { ...record, require: ["signature" as const] };
    expect(new Restrictions(() => [restriction("signature")]).over(signed).require).toEqual(["signature"]);
  });

  it("binds to known networks; without any it leaves the key's own list", () => {
    expect(over(restriction("networks", { networks: ["10.1.2.0/24"] })).networks).toEqual(["10.1.2.0/24"]);
    expect(over(restriction("networks")).networks).toEqual(["10.0.0.0/8"]);
  });

  it("goes with its restriction, and other ones stay", () => {
    const held = new Restrictions(() => [restriction("tighten"), restriction("signature")]);
    held.apply([{ of: "restriction", id: restriction("tighten").id, now: null }]);
    expect(held.over(record)).toMatchObject({ limits: record.limits, require: ["signature"] });
    held.apply([{ of: "restriction", id: restriction("signature").id, now: null }]);
    expect(held.size).toBe(0);
    expect(held.over(record)).toBe(record);
  });
});
