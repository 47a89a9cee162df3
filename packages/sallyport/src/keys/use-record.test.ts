import { expect, it } from "vitest";
import { keyOf } from "../../../../test/builders.ts";
import { UseRecord } from "./use-record.ts";
import type { KeyUse } from "./use-record.ts";

const key = keyOf({ id: "A".repeat(12) });
const other = keyOf({ id: "B".repeat(12) });
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
