/** What is found is what a look at every key finds, in the same order, whatever changed meanwhile. */
import { randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import { ringOf } from "../../../../../test/builders.ts";
import { LongWork } from "../../kernel/long-work.ts";
import { KeyDirectory } from "../directory.ts";
import { newKey } from "../key.ts";
import type { KeyRecord } from "../key.ts";
import { KeyIndex } from "./key-index.ts";
import type { KeyQuestion } from "./select-page.ts";

const NOW = 1_000_000_000_000;
const DAY = 86_400_000;
const ring = ringOf({ version: 1, bytes: randomBytes(32) });

let seed = 99;
function below(bound: number): number {
  seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
  return Math.floor((seed / 2 ** 32) * bound);
}
const oneOf = <T>(...values: readonly T[]): T => values[below(values.length)]!;

function keyNumber(n: number, name = `App ${n}`): KeyRecord {
  const id = `${oneOf("a", "B", "7")}${String(n).padStart(11, "0")}`;
  const made = newKey(
    {
      id,
      environment: oneOf("dev", "prod", "system"),
      name,
      owner: oneOf("p1", "p2", "p3", null),
      ceiling: { roles: [], allow: [], models: null },
      limits: {},
      admin: null,
      createdAt: NOW - below(90) * DAY,
      createdBy: "os:x",
      isDecoy: below(20) === 0,
    },
    { hash: randomBytes(32), pepperVersion: 1, expiresAt: oneOf(null, NOW + (below(40) - 10) * DAY) },
  );
  return { ...made, state: oneOf("active", "active", "suspended", "revoked") };
}

function made(count: number) {
  const stored = new Map<string, KeyRecord>();
  const uses = new Map<string, number>();
  const names = new Map([["p1", "Ada Lovelace"], ["p2", "Grace"], ["p3", "Łukasz"]]); // prettier-ignore
  const put = (key: KeyRecord): string => {
    const name = `${key.environment}/${key.id}`;
    stored.set(name, key);
    return name;
  };
  for (let n = 0; n < count; n++) {
    const name = put(
      keyNumber(n, oneOf(`App ${n}`, `billing-service-${n}`, `Ünïcode ${n % 7}`, "same name as others")),
    );
    if (below(2) === 0) uses.set(name, NOW - below(60) * DAY);
  }
  const keys = new KeyDirectory(
    {
      key: (environment, id) => stored.get(`${environment}/${id}`),
      eachKeyId: (visit) => [...stored.values()].forEach(({ environment, id }) => visit(environment, id)),
    },
    ring,
  );
  const index = new KeyIndex({
    keys,
    briefs: ({ after, limit }) => {
      const page = [...stored].toSorted(([a], [b]) => (a < b ? -1 : 1)).filter(([name]) => name > after).slice(0, limit); // prettier-ignore
      return {
        keys: page.map(([, key]) => ({ ...key, isSession: false })),
        uses: page.flatMap(([name, { environment, id }]) =>
          uses.has(name) ? [{ environment, id, generation: 1, usedAt: uses.get(name)! }] : [],
        ),
        next: page.length < limit ? null : page.at(-1)![0],
      };
    },
    nameOf: (id) => names.get(id),
    isHidden: (environment) => environment === "system",
  });
  /** By a look at every key. */
  function expected(question: KeyQuestion): string[] {
    const piece = question.search?.toLowerCase();
    const { risk, state, order } = question;
    const used = (key: KeyRecord): number => uses.get(`${key.environment}/${key.id}`) ?? 0;
    const expiry = (key: KeyRecord): number => key.secrets[0]!.expiresAt ?? Infinity;
    const texts = (key: KeyRecord): string[] => [
      key.name,
      key.id,
      ...(key.owner === null ? [] : [key.owner, names.get(key.owner)!]),
    ];
    const found = [...stored.values()].filter(
      (key) =>
        key.environment !== "system" &&
        question.isVisible(key.environment) &&
        (piece === undefined || texts(key).some((text) => text.toLowerCase().includes(piece))) &&
        (question.owner === undefined || key.owner === question.owner) &&
        (state === undefined ||
          (key.state === "active" && expiry(key) <= NOW ? "expired" : key.state) === state) &&
        (risk === undefined ||
          (key.state === "active" &&
            !key.isDecoy &&
            (risk.is === "expiring"
              ? expiry(key) > NOW && expiry(key) - NOW <= risk.withinMs && expiry(key) - NOW <= key.lifetimeMs! / risk.lastPart
              : risk.is === "idle"
                ? used(key) === 0
                  ? NOW - key.idleSince >= risk.neverUsedMs
                  : NOW - used(key) >= risk.unusedMs
                : false))),
    ); // prettier-ignore
    const by = {
      id: () => 0,
      name: (key: KeyRecord) => key.name.toLowerCase(),
      created: (key: KeyRecord) => -key.createdAt,
      expires: expiry,
      used: (key: KeyRecord) => (used(key) === 0 ? Infinity : -used(key)),
    }[order] as (key: KeyRecord) => string | number;
    return found
      .toSorted((a, b) => {
        const [x, y] = [by(a), by(b)];
        if (x !== y) return x < y ? -1 : 1;
        return `${a.environment}/${a.id}` < `${b.environment}/${b.id}` ? -1 : 1;
      })
      .map(({ environment, id }) => `${environment}/${id}`);
  }
  return { stored, uses, names, keys, index, put, expected };
}

type Made = ReturnType<typeof made>;

async function allPages(index: KeyIndex, question: KeyQuestion): Promise<{ names: string[]; total: number }> {
  const names: string[] = [];
  let total = 0;
  for (let after: string | undefined; ;) {
    const page = await index.search({ ...question, ...(after === undefined ? {} : { after }) });
    expect(page.places.length).toBeLessThanOrEqual(question.limit);
    names.push(...page.places.map(({ environment, id }) => `${environment}/${id}`));
    total = page.total;
    if (page.next === null) return { names, total };
    after = page.next;
  }
}

const questions: Omit<KeyQuestion, "now" | "order" | "limit">[] = [
  {},
  { search: "billing" },
  { search: "LOVELACE" },
  { search: "łuk" },
  { search: "ünï" },
  { search: "p3" },
  { search: "0000000000" },
  { search: "no key has this" },
  { state: "active" },
  { state: "expired" },
  { state: "suspended", search: "app" },
  { state: "revoked", owner: "p1" },
  { owner: "p9" },
  { risk: { is: "expiring", withinMs: 7 * DAY, lastPart: 4 } },
  { risk: { is: "idle", unusedMs: 30 * DAY, neverUsedMs: 7 * DAY } },
].map((one) => ({ isVisible: () => true, ...one }) as Omit<KeyQuestion, "now" | "order" | "limit">);

async function compareAll({ index, expected }: Made): Promise<void> {
  for (const order of ["id", "name", "created", "expires", "used"] as const)
    for (const asked of questions) {
      const question = { ...asked, now: NOW, order, limit: 97 };
      const wanted = expected(question);
      expect([asked, order, await allPages(index, question)]).toEqual([
        asked,
        order,
        { names: wanted, total: wanted.length },
      ]);
    }
}

test("every filter in every order, page by page", async () => {
  await compareAll(made(3_000));
});

test("what changes while it is built and afterwards is in it", async () => {
  const all = made(2_500);
  const { index, keys, put, stored, names, uses } = all;
  const change = (key: KeyRecord): void => {
    put(key);
    const image = { of: "key", environment: key.environment, id: key.id, now: key } as const;
    keys.apply([image]);
    index.apply([image]);
  };
  const building = index.prepareSearch();
  for (let n = 0; n < 400; n++) {
    if (below(2) === 0) change(keyNumber(10_000 + n, "made later"));
    else change({ ...[...stored.values()][below(2_000)]!, state: "suspended" });
    if (n % 40 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  await building;
  names.set("p2", "Grace Hopper");
  index.apply([{ of: "principal", id: "p2", now: { name: "Grace Hopper" } as never }]);
  for (const { environment, id } of [...stored.values()].slice(0, 50)) {
    uses.set(`${environment}/${id}`, NOW);
    index.noteUses([{ environment, id, generation: 1, usedAt: NOW }]);
  }
  await compareAll(all);
  expect((await allPages(index, { now: NOW, isVisible: () => true, search: "hopper", order: "id", limit: 100 })).total).toBeGreaterThan(0); // prettier-ignore
});

test("keys of environments that are not visible are neither found nor counted", async () => {
  const { index } = made(500);
  const { names, total } = await allPages(index, { now: NOW, isVisible: (name) => name === "dev", order: "name", limit: 50 }); // prettier-ignore
  expect(names.every((name) => name.startsWith("dev/"))).toBe(true);
  expect(total).toBe(names.length);
  expect(total).toBeGreaterThan(0);
});

test("a key that is still used with its old secret is found until it is not", async () => {
  const all = made(10);
  const { index, keys, put } = all;
  const base = [...all.stored.values()].find(({ environment }) => environment === "dev")!;
  const first = { ...base.secrets[0]!, state: "overlapping" as const };
  const key = { ...base, state: "active" as const, isDecoy: false, secrets: [first, { ...first, generation: 2, state: "active" as const, createdAt: NOW }] }; // prettier-ignore
  const question = { now: NOW, isVisible: () => true, risk: { is: "old_secret" }, order: "id", limit: 10 } as const;
  put(key);
  keys.apply([{ of: "key", environment: key.environment, id: key.id, now: key }]);
  expect((await index.search(question)).total).toBe(0);
  const { environment, id } = key;
  index.noteUses([{ environment, id, generation: 2, usedAt: NOW + 5 }]);
  expect((await index.search(question)).total).toBe(0);
  index.noteUses([{ environment, id, generation: 1, usedAt: NOW + 5 }]);
  expect((await index.search(question)).total).toBe(1);
  const done = { ...key, secrets: [{ ...first, state: "destroyed" as const }, key.secrets[1]!] };
  index.apply([{ of: "key", environment, id, now: done }]);
  expect((await index.search(question)).total).toBe(0);
});

test("a directory that was rebuilt has other rows: the index is built again", async () => {
  const all = made(300);
  const question = { now: NOW, isVisible: () => true, order: "id", limit: 1_000 } as const;
  const before = await all.index.search(question);
  all.put({ ...keyNumber(1), id: "000000000000", environment: "dev" });
  all.keys.rebuild();
  const after = await all.index.search(question);
  expect(after.total).toBe(before.total + 1);
});

test("a cursor that is not ours begins at the place it names, and throws nothing", async () => {
  const { index } = made(200);
  for (const order of ["id", "name", "created", "expires", "used"] as const)
    for (const after of ["", "/", "dev", "x/y/z", "dev/__proto__/1e999", "dev/a/-1", "\u{1F600}/a/none"])
      expect(
        (await index.search({ now: NOW, isVisible: () => true, order, after, limit: 10 })).places.length,
      ).toBeLessThanOrEqual(10);
});

test("a build that fails is begun again by the next search", async () => {
  const { keys } = made(1);
  let isBroken = true;
  const index = new KeyIndex({
    keys,
    briefs: () => {
      if (isBroken) throw new Error("the disk");
      return { keys: [], uses: [], next: null };
    },
    nameOf: () => undefined,
    isHidden: () => false,
  });
  const question = { now: NOW, isVisible: () => true, order: "id", limit: 10 } as const;
  await expect(index.search(question)).rejects.toThrow("the disk");
  isBroken = false;
  expect((await index.search(question, new LongWork())).total).toBe(0);
});
