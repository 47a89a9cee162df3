/** With the table a directory gives what one that reads every key gives: for any records, and any order of changes. */
import { randomBytes } from "node:crypto";
import { setTimeout as after } from "node:timers/promises";
import { expect, test } from "vitest";
import { formatKeyText, isRefusal, Problem } from "@sallyport/protocol";
import { keyOf, ringOf } from "../../../../test/builders.ts";
import { KeyDirectory } from "./directory.ts";
import { fillKeyTable } from "./fill-table.ts";
import { hashKeyText } from "./hash.ts";
import { newKey } from "./key.ts";
import type { KeyRecord } from "./key.ts";
import { KeyRows, ROW_BYTES, startOf } from "./key-rows.ts";
import { KeySlots } from "./key-slots.ts";
import { KeyTable } from "./key-table.ts";
import { Restrictions } from "./restrictions.ts";

const pepper = { version: 1, bytes: randomBytes(32) };
const ring = ringOf(pepper);
const idOf = (n: number): string => String(n).padStart(12, "0");

let seed = 4_711;
function below(bound: number): number {
  seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
  return Math.floor((seed / 2 ** 32) * bound);
}
const oneOf = <T>(...values: readonly T[]): T => values[below(values.length)]!;
const seldom = <T>(value: T, usual: T): T => (below(12) === 0 ? value : usual);

function randomKey(environment: string, id: string): KeyRecord {
  const made = newKey(
    {
      id,
      environment,
      name: oneOf("", "ci", "fifteen letters", "sixteen letters!", "Schlüssel", "鍵", "a name that needs more room"),
      owner: oneOf("p", "q", null),
      ceiling: { roles: oneOf([], ["user"]), allow: [], models: oneOf(null, [], ["qwen3:*"]) },
      limits: oneOf({}, { concurrency: 2 }, { requests: { count: 5, windowMs: 1_000 } }),
      admin: seldom({ permissions: [], environments: "*", mayGrant: null }, null),
      createdAt: below(1_000),
      createdBy: oneOf("os:x", "p"),
      session: seldom({ issuer: "i", subject: "s", sid: null, authenticatedAt: 1 }, null),
    },
    { hash: randomBytes(32), pepperVersion: 1 + below(2), expiresAt: oneOf(null, 9e15, 1_000) },
    {
      networks: seldom(["10.0.0.0/8"], null),
      binding: seldom("first_use", null),
      require: seldom(["signature"], []),
      pathSecret: seldom({ hash: randomBytes(32), pepperVersion: 1, createdAt: 1 }, null),
    },
  );
  const [first] = made.secrets;
  const second = { ...first!, generation: 2, state: "pending" as const, hash: randomBytes(32) };
  const rotation = { by: "p", startedAt: 1, graceMs: 1, capAt: 9, firstUsedAt: null, sealed: null };
  return {
    ...made,
    secrets: oneOf(made.secrets, [{ ...first!, generation: 7, createdAt: 5 }], seldom([first!, second], made.secrets)),
    state: oneOf("active", "suspended", "revoked"),
    reason: oneOf(null, "unused"),
    rotation: seldom(rotation, null),
    rotatedAt: oneOf(null, 5),
    frozenAt: seldom(7, null),
    lifetimeMs: oneOf(null, made.lifetimeMs),
    told: oneOf([], ["expires:7"]),
    idleSince: oneOf(made.idleSince, 77),
    isDecoy: seldom(true, false),
  };
}

test("for random keys and changes, the same records as read one by one", () => {
  const rows = new Map<string, KeyRecord | "damaged">();
  const read = (environment: string, id: string): KeyRecord | undefined => {
    const row = rows.get(`${environment}/${id}`);
    if (row === "damaged") throw new Problem("record_damaged", "x");
    return row;
  };
  const restrictions = new Restrictions(() => []);
  const source = { key: read, eachKeyId: () => {} };
  const keys = new KeyDirectory(source, ring, (record) => restrictions.over(record));
  const given = new Map<KeyRecord, string>();
  for (let step = 0; step < 15_000; step++) {
    const environment = oneOf("dev", "prod", "an-environment-with-a-long-name");
    const id = oneOf(idOf(below(60)), idOf(below(60)), "odd", "Ж".repeat(12));
    const name = `${environment}/${id}`;
    const what = below(10);
    if (what < 2) rows.set(name, what === 0 && below(8) === 0 ? "damaged" : randomKey(environment, id));
    if (what === 2) {
      const laid = {
        id: name,
        environment,
        key: id,
        kind: "stolen_key",
        networks: ["10.0.0.0/8"],
        at: 0,
        until: 9,
      } as const;
      const action = oneOf("tighten", "signature", "networks") as "tighten" | "signature" | "networks";
      const now = below(2) === 0 ? { ...laid, action } : null;
      restrictions.apply([{ of: "restriction", id: name, now }]);
    }
    const row = rows.get(name);
    // What the writer answers, or "read it yourself".
    const now = row === "damaged" || below(2) === 0 ? undefined : row;
    if (what < 2 && row) keys.apply([{ of: "key", environment, id, now }]);
    if (what === 3 && row && row !== "damaged") keys.foresee(row);
    const found = keys.find(environment, id);
    const wanted = row && row !== "damaged" ? restrictions.over(row) : undefined;
    expect(plain(found)).toEqual(plain(wanted));
    expect(found && Object.keys(found).sort()).toEqual(wanted && Object.keys(wanted).sort());
    if (row) expect(keys.isDamaged(environment, id)).toBe(row === "damaged");
    if (found) given.set(found, JSON.stringify(plain(found)));
  }
  // What was given once stays what it was, whatever became of its row.
  for (const [record, text] of given) expect(JSON.stringify(plain(record))).toBe(text);
});

/** Bytes as their hex, whichever class holds them. */
function plain(record: KeyRecord | undefined): unknown {
  return (
    record && {
      ...record,
      secrets: record.secrets.map((one) => ({ ...one, hash: Buffer.from(one.hash).toString("hex") })),
    }
  );
}

test("knows what was added, and nothing else", () => {
  const table = new KeyTable();
  for (let n = 0; n < 50_000; n++) table.add("dev", idOf(n));
  expect(table.size).toBe(50_000);
  let wrong = 0;
  for (let n = 0; n < 50_000; n++)
    if (table.rowOf("dev", idOf(n)) !== n || table.rowOf("prod", idOf(n)) !== -1) wrong++;
  expect(wrong).toBe(0);
  expect(table.bytes / 50_000).toBeLessThan(160);
});

test("a row is found by its id, whatever ids share its slot", () => {
  const slots = new KeySlots();
  const marks: number[] = [];
  // Marks of eight bits, so that most have many rows, and some a tag of zero.
  for (let row = 0; row < 5_000; row++) {
    marks.push(row % 7 === 0 ? -1 : below(256) * (row % 2 === 0 ? 1 : 2 ** 24));
    if (marks[row]! >= 0) slots.insert(row, marks[row]!, (other) => marks[other]!);
  }
  for (const mark of new Set(marks)) {
    if (mark < 0) continue;
    const found: number[] = [];
    for (let slot = slots.first(mark); slot >= 0; slot = slots.next(slot, mark)) found.push(slots.rowAt(slot));
    const wanted = [...marks.keys()].filter((row) => marks[row] === mark);
    expect(found.filter((row) => marks[row] === mark).sort((a, b) => a - b)).toEqual(wanted);
  }
});

test("rows keep what was written to them as their memory grows, and begin empty", () => {
  const rows = new KeyRows();
  for (let n = 0; n < 40_000; n++) {
    expect(rows.add()).toBe(n);
    const { bytes, words } = rows.of(n);
    if (bytes[startOf(n)] !== 0 || bytes[startOf(n) + ROW_BYTES - 1] !== 0) throw new Error(`row ${n} is not empty`);
    words[startOf(n) / 4] = n + 1;
    bytes[startOf(n) + ROW_BYTES - 1] = n % 251;
  }
  for (let n = 0; n < 40_000; n++) {
    const { bytes, words } = rows.of(n);
    if (words[startOf(n) / 4] !== n + 1 || bytes[startOf(n) + ROW_BYTES - 1] !== n % 251) throw new Error(`row ${n}`);
  }
});

test("filled in the background, no ordinary key is read at its first use, and a change is read anew", async () => {
  const texts = Array.from({ length: 200 }, (_, n) => formatKeyText("sp", "dev", idOf(n), "s".repeat(43)));
  const made = texts.map((text, n) => keyOf({ id: idOf(n) }, { hash: hashKeyText(text, pepper), expiresAt: 1_000 }));
  let reads = 0;
  const source = {
    key: (_: string, id: string) => (reads++, made[Number(id)]),
    eachKeyId: (visit: (environment: string, id: string) => void) => made.forEach(({ id }) => visit("dev", id)),
  };
  const list = (page: { after?: string; limit: number }): KeyRecord[] =>
    made.filter(({ id }) => `dev/${id}` > (page.after ?? "")).slice(0, page.limit);
  const keys = new KeyDirectory(source, ring);
  const keepAwake = setInterval(() => {}, 50);
  await fillKeyTable(keys, list, 0).filled;
  for (const text of texts) expect(isRefusal(keys.authenticate(text, ["api"], 0))).toBe(false);
  expect(reads).toBe(0);
  made[3] = { ...made[3]!, state: "revoked" };
  keys.apply([{ of: "key", environment: "dev", id: idOf(3), now: undefined }]);
  expect(keys.authenticate(texts[3]!, ["api"], 0)).toMatchObject({ code: "key_revoked" });
  expect(reads).toBe(1);

  const other = new KeyDirectory(source, ring);
  const filling = fillKeyTable(other, list, 0);
  filling.stop();
  await filling.filled;
  await after(5);
  other.find("dev", idOf(0));
  expect(reads).toBe(2);
  clearInterval(keepAwake);
});
