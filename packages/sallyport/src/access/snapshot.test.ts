import { describe, expect, test } from "vitest";
import { keyOf, principalOf } from "../../../../test/builders.ts";
import type { KeyRecord } from "../keys/key.ts";
import { environmentDefaults } from "./default-environment.ts";
import type { RightSpec } from "./policy.ts";
import { compileSnapshot } from "./snapshot.ts";

const ceiling: RightSpec = { roles: [], allow: ["infer:chat"], models: ["llama3.2"] };
const snapshot = compileSnapshot({
  epoch: 1,
  environments: ["dev", "prod"].map((name) => ({ ...environmentDefaults, name, upstreams: [] })),
  roles: [],
  principals: [principalOf("p"), principalOf("q", { isDisabled: true })],
  assignments: [{ id: "a", subject: { principal: "p" }, environment: "dev", right: ceiling, source: "admin" }],
});

const keyIn = (environment: string, owner: string, more: Partial<KeyRecord> = {}): KeyRecord =>
  keyOf({ environment, owner, ceiling, ...more });

describe("keys that hold one ceiling between them", () => {
  test("share a right where they hold the same limits and have no door", () => {
    const limits = { concurrency: 1 };
    const right = snapshot.rightOf(keyIn("dev", "p", { limits }));
    expect(right).toBeDefined();
    expect(snapshot.rightOf(keyIn("dev", "p", { limits, id: "other" }))).toBe(right);
    expect(snapshot.rightOf(keyIn("dev", "p", { limits, networks: ["10.0.0.0/8"] }))).not.toBe(right);
  });

  test("of two environments or owners do not", () => {
    const limits = {};
    for (let i = 0; i < 2; i++) {
      expect(snapshot.rightOf(keyIn("dev", "p", { limits }))).toMatchObject({
        environment: { name: "dev" },
        live: [{}],
      });
      expect(snapshot.rightOf(keyIn("prod", "p", { limits }))).toMatchObject({
        environment: { name: "prod" },
        live: [],
      });
      expect(snapshot.rightOf(keyIn("dev", "q", { limits }))).toMatchObject({ isOwnerDisabled: true });
      expect(snapshot.rightOf(keyIn("gone", "p"))).toBeUndefined();
    }
  });

  test("have their own limits and doors", () => {
    snapshot.rightOf(keyIn("dev", "p"));
    for (const concurrency of [1, 2]) {
      const limits = { concurrency };
      expect(snapshot.rightOf(keyIn("dev", "p", { limits }))?.limits).toMatchObject([
        { origin: "key", account: null, limits },
      ]);
    }
    expect(snapshot.rightOf(keyIn("dev", "p"))?.limits).toEqual([]);
    expect(snapshot.rightOf(keyIn("dev", "p", { networks: ["10.0.0.0/8"] }))?.doors).toMatchObject([
      { origin: "key k" },
    ]);
    expect(snapshot.rightOf(keyIn("dev", "p", { require: ["signature"] }))?.doors).toMatchObject([{ origin: "key k" }]);
    expect(snapshot.rightOf(keyIn("dev", "p"))?.doors).toEqual([]);
  });
});
