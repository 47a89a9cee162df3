import { describe, expect, test } from "vitest";
import { newKey } from "../keys/key.ts";
import type { KeyRecord } from "../keys/key.ts";
import { environmentDefaults } from "./default-environment.ts";
import type { RightSpec } from "./policy.ts";
import { compileSnapshot } from "./snapshot.ts";

const ceiling: RightSpec = { roles: [], allow: ["infer:chat"], models: ["llama3.2"] };
const person = { kind: "person", team: null, groups: [], isDisabled: false, disabledBy: [], revocations: 0 } as const;
const principal = (id: string, isDisabled = false) =>
  ({ ...person, id, name: id, isDisabled, external: null, createdAt: 0 }) as const;
const snapshot = compileSnapshot({
  epoch: 1,
  environments: ["dev", "prod"].map((name) => ({ ...environmentDefaults, name, upstreams: [] })),
  roles: [],
  principals: [principal("p"), principal("q", true)],
  assignments: [{ id: "a", subject: { principal: "p" }, environment: "dev", right: ceiling, source: "admin" }],
});

function keyOf(environment: string, owner: string, more: Partial<KeyRecord> = {}): KeyRecord {
  const what = {
    environment,
    owner,
    id: "k",
    name: "k",
    ceiling,
    limits: {},
    admin: null,
    createdAt: 0,
    createdBy: "x",
  };
  return { ...newKey(what, { hash: new Uint8Array(32), pepperVersion: 1, expiresAt: null }), ...more };
}

describe("keys that hold one ceiling between them", () => {
  test("share a right where they hold the same limits and have no door", () => {
    const limits = { concurrency: 1 };
    const right = snapshot.rightOf(keyOf("dev", "p", { limits }));
    expect(right).toBeDefined();
    expect(snapshot.rightOf(keyOf("dev", "p", { limits, id: "other" }))).toBe(right);
    expect(snapshot.rightOf(keyOf("dev", "p", { limits, networks: ["10.0.0.0/8"] }))).not.toBe(right);
  });

  test("of two environments or owners do not", () => {
    for (let i = 0; i < 2; i++) {
      expect(snapshot.rightOf(keyOf("dev", "p"))).toMatchObject({ environment: { name: "dev" }, live: [{}] });
      expect(snapshot.rightOf(keyOf("prod", "p"))).toMatchObject({ environment: { name: "prod" }, live: [] });
      expect(snapshot.rightOf(keyOf("dev", "q"))).toMatchObject({ isOwnerDisabled: true });
      expect(snapshot.rightOf(keyOf("gone", "p"))).toBeUndefined();
    }
  });

  test("have their own limits and doors", () => {
    snapshot.rightOf(keyOf("dev", "p"));
    for (const concurrency of [1, 2]) {
      const limits = { concurrency };
      expect(snapshot.rightOf(keyOf("dev", "p", { limits }))?.limits).toEqual([{ origin: "key", limits }]);
    }
    expect(snapshot.rightOf(keyOf("dev", "p"))?.limits).toEqual([]);
    expect(snapshot.rightOf(keyOf("dev", "p", { networks: ["10.0.0.0/8"] }))?.doors).toMatchObject([
      { origin: "key k" },
    ]);
    expect(snapshot.rightOf(keyOf("dev", "p", { require: ["signature"] }))?.doors).toMatchObject([{ origin: "key k" }]);
    expect(snapshot.rightOf(keyOf("dev", "p"))?.doors).toEqual([]);
  });
});
