import { expect, it } from "vitest";
import { newKey } from "./key.ts";
import { UseRecord } from "./use-record.ts";
import type { KeyUse } from "./use-record.ts";

const ceiling = { roles: [], allow: [], models: [] };
const what = {
  environment: "dev",
  name: "k",
  owner: "p",
  limits: {},
  admin: null,
  createdAt: 0,
  createdBy: "x",
  ceiling,
};
const first = { hash: Buffer.alloc(32), pepperVersion: 1, expiresAt: null };
const key = newKey({ ...what, id: "A".repeat(12) }, first);
const other = newKey({ ...what, id: "B".repeat(12) }, first);
const [secret] = key.secrets;

it("a use that was just given to the store counts before it is on disk, so that no sweep takes the key for unused", () => {
  const written: KeyUse[] = [];
  const uses = new UseRecord({ keyUses: () => [], noteUses: (all) => void written.push(...all) });
  uses.note(key, secret!, 5_000);
  uses.flush();
  expect(uses.lastUses("dev", key.id)).toEqual(new Map([[1, 5_000]]));
  uses.note(key, secret!, 4_000);
  expect(uses.lastUses("dev", key.id)).toEqual(new Map([[1, 5_000]]));
  uses.flush();
  uses.flush();
  expect(uses.lastUses("dev", key.id)).toEqual(new Map());
  expect(written.map(({ usedAt }) => usedAt)).toEqual([5_000, 4_000]);
  uses.flush();
  expect(written).toHaveLength(2);
});

it("keeps instances apart up to a bound, and keys from each other", () => {
  const uses = new UseRecord({ keyUses: () => [], noteUses: () => {} });
  for (let i = 0; i < 1_000; i++) uses.notePlaced(key, secret!, i + 1, `10.0.0.${i}`, "curl");
  expect(uses.of("dev", key.id).length).toBeLessThanOrEqual(130);
  expect(uses.lastUses("dev", key.id)).toEqual(new Map([[1, 1_000]]));
  expect(uses.of("dev", other.id)).toEqual([]);
});
