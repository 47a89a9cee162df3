import { expect, it } from "vitest";
import { environmentDefaults } from "../access/default-environment.ts";
import type { Change } from "../changes/change.ts";
import { LongWork, ThreadLine } from "../kernel/long-work.ts";
import { Problem } from "@sallyport/protocol";
import type { KeyDirectory } from "./directory.ts";
import { newKey } from "./key.ts";
import type { KeyRecord } from "./key.ts";
import { KeySweep } from "./sweep.ts";
import { UseRecord } from "./use-record.ts";

const DAY_MS = 86_400_000;
const NOW = 1_000 * DAY_MS;
const life = { keyLife: environmentDefaults.keyLife };

/** Made long ago and over; or made now, and with an owner who is gone. */
function key(n: number, kind: "expired" | "orphaned" | "fine"): KeyRecord {
  const createdAt = kind === "expired" ? NOW - 120 * DAY_MS : NOW;
  const what = {
    id: String(n).padStart(12, "0"), environment: "dev", name: "k", owner: kind === "orphaned" ? "gone" : "p",
    ceiling: { roles: [], allow: [], models: [] }, limits: {}, admin: null, createdAt, createdBy: "x",
  }; // prettier-ignore
  return newKey(what, { hash: Buffer.alloc(32), pepperVersion: 1, expiresAt: createdAt + 80 * DAY_MS });
}

function world(records: readonly KeyRecord[], refuses: (change: Change) => boolean = () => false) {
  const keys = new Map(records.map((one) => [one.id, one]));
  const changes: Change[] = [];
  let turns = 0;
  const sweep = new KeySweep({
    clock: { now: () => NOW, monotonic: () => 0 },
    keys: { find: (_environment: string, id: string) => keys.get(id) } as unknown as KeyDirectory,
    uses: new UseRecord({ keyUses: () => [], noteUses: () => {} }),
    changes: {
      inTurn: (work) => {
        turns++;
        return work();
      },
      change: async (change) => {
        if (refuses(change)) throw new Problem("store_unavailable", "full");
        changes.push(change);
        for (const one of change.operations) {
          const held = "id" in one ? keys.get(one.id) : undefined;
          if (held && one.op === "key.state") keys.set(held.id, { ...held, state: one.state, reason: one.reason });
          if (held && one.op === "key.life") keys.set(held.id, { ...held, ...one.life });
        }
        return { epoch: changes.length, seq: changes.length };
      },
    },
    life: () => life,
    hasOwner: (id) => id === "p",
    listKeys: ({ after = "", limit }) =>
      [...keys.values()].filter(({ environment, id }) => `${environment}/${id}` > after).slice(0, limit),
    isClockAgreed: () => true,
    fault: () => {},
  });
  return { sweep, keys, changes, turns: () => turns };
}

const many = (count: number, kind: Parameters<typeof key>[1], from = 0) =>
  Array.from({ length: count }, (_, n) => key(from + n, kind));

it("a thousand keys end in a few changes, each with an event of its own, as the dry run said", async () => {
  const { sweep, keys, changes } = world([...many(1_000, "expired"), ...many(100, "fine", 5_000)]);
  const dry = await sweep.run({ isDryRun: true });
  expect(dry).toHaveLength(1_000);
  expect(changes).toEqual([]);
  expect(await sweep.run({ isDryRun: false })).toEqual(dry);
  expect(changes.length).toBeLessThanOrEqual(6);
  for (const { operations, events } of changes) {
    expect(operations.length).toBeLessThanOrEqual(250);
    expect(events).toHaveLength(operations.length);
  }
  expect([...keys.values()].filter(({ state }) => state === "revoked")).toHaveLength(1_000);
  expect(await sweep.run({ isDryRun: true })).toEqual([]);
});

it("what ends keys is in no change with notices, and comes first: it is committed on a full disk", async () => {
  const isNotice = ({ operations }: Change): boolean => operations.some(({ op }) => op === "key.life");
  const mixed = [...many(300, "orphaned"), ...many(300, "expired", 1_000), ...many(10, "orphaned", 2_000)];
  const { sweep, changes, keys } = world(mixed, isNotice);
  await expect(sweep.run({ isDryRun: false })).rejects.toMatchObject({ code: "store_unavailable" });
  expect(changes.every(({ operations }) => operations.every(({ op }) => op === "key.state"))).toBe(true);
  expect([...keys.values()].filter(({ state }) => state === "revoked")).toHaveLength(300);
});

it("each key is looked at again in its turn: what was mended meanwhile is left alone", async () => {
  const records = many(3, "expired");
  const { sweep, keys, changes } = world(records);
  const [first] = records;
  const find = keys.get.bind(keys);
  // Between the look and the turn its secret was renewed.
  let looks = 0;
  keys.get = (id) => {
    const held = find(id);
    return id === first!.id && held && ++looks === 1 ? key(0, "fine") : held;
  };
  const done = await sweep.run({ isDryRun: false });
  expect(done.map(({ keyId }) => keyId)).toEqual(records.slice(1).map(({ id }) => id));
  expect(changes[0]?.operations).toHaveLength(2);
});

it("a walk over many keys lets requests go first", async () => {
  const { sweep } = world(many(2_000, "fine"));
  let nowMs = 0;
  let rests = 0;
  const line = new ThreadLine((next) => {
    rests++;
    setImmediate(next);
  });
  await sweep.run({ isDryRun: true }, new LongWork({ monotonic: () => (nowMs += 0.1) }, line));
  expect(rests).toBeGreaterThan(20);
});
