import { createHash, generateKeyPairSync, sign, verify } from "node:crypto";
import { describe, expect, it } from "vitest";
import { encodeEvent } from "./encode-event.ts";
import { FIRST_PREV, recordLine } from "./record-line.ts";
import { headText } from "./signed-head.ts";
import type { SignedHead } from "./signed-head.ts";
import { treeHashOf } from "./tree-hash.ts";
import { verifyLedger } from "./verify-ledger.ts";
import type { LedgerLine } from "./verify-ledger.ts";

const keys = generateKeyPairSync("ed25519");
const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");
const utf8 = new TextEncoder();

interface Ledger {
  lines: LedgerLine[];
  head: SignedHead | undefined;
}

function signHead(seq: number, hash: string, at = 1): SignedHead {
  const head = { seq, hash, at };
  return { ...head, signature: sign(null, Buffer.from(headText(head)), keys.privateKey).toString("base64") };
}

/** `count` records, ten to a file; the record at `truncatedAt` lets go of everything before `keptFrom`. */
function ledger(count: number, truncatedAt = 0, keptFrom = 1): Ledger {
  const lines: LedgerLine[] = [];
  const prevs = [""];
  let prev = FIRST_PREV;
  for (let seq = 1; seq <= count; seq++) {
    prevs.push(prev);
    const isTruncation = seq === truncatedAt;
    const line = recordLine(
      seq,
      prev,
      encodeEvent({
        type: isTruncation ? "ledger.truncated" : "key.issued",
        at: 1000 + seq,
        environment: "dev",
        actor: "gateway",
        fields: isTruncation
          ? { first_seq: keptFrom, first_prev: prevs[keptFrom] ?? "" }
          : { name: `n${seq}`, uses: seq },
      }),
    );
    lines.push({ file: `${Math.ceil(seq / 10)}.jsonl`, line });
    prev = sha256(utf8.encode(line));
  }
  return { lines, head: signHead(count, prev) };
}

async function* each(lines: readonly LedgerLine[]): AsyncGenerator<readonly LedgerLine[]> {
  for (let at = 0; at < lines.length; at += 7) yield lines.slice(at, at + 7);
}

function check({ lines, head }: Ledger) {
  return verifyLedger({
    lines: each(lines),
    head: () => head,
    crypto: { sha256, sha256Text: (text) => sha256(utf8.encode(text)), tree: treeHashOf(sha256), verify: () => false },
    // Trees are tried out in their own file.
    logs: { node: "n", from: Infinity, bases: new Map(), firstKeys: new Map(), checkpoints: new Map(), strays: [] },
    verifyHead: (text, signature) => verify(null, Buffer.from(text), keys.publicKey, Buffer.from(signature, "base64")),
  });
}

async function damageOf(change: (ledger: Ledger) => void, count = 30) {
  const whole = ledger(count);
  change(whole);
  const verdict = await check(whole);
  expect(verdict.ok).toBe(false);
  return verdict.firstDamage;
}

const edit = (whole: Ledger, seq: number, rewrite: (line: string) => string): void => {
  const held = whole.lines[seq - 1];
  if (held) whole.lines[seq - 1] = { file: held.file, line: rewrite(held.line) };
};

describe("a whole ledger", () => {
  it("verifies, and says what that cannot show", async () => {
    const verdict = await check(ledger(30));
    expect(verdict).toMatchObject({ ok: true, records: 30 });
    expect(verdict.firstDamage).toBeUndefined();
    expect(verdict.cannotShow.join()).toContain("pass a key you kept");
  });

  it("verifies when it is empty but has its head", async () => {
    expect(await check({ lines: [], head: signHead(0, FIRST_PREV) })).toMatchObject({ ok: true, records: 0 });
  });

  it("may hold a record twice, in a segment and in the table, when both are the same", async () => {
    const whole = ledger(12);
    whole.lines.splice(5, 0, { file: "table", line: whole.lines[4]?.line ?? "" });
    expect(await check(whole)).toMatchObject({ ok: true, records: 12 });
  });

  it("may not hold two records of one number that differ, nor one twice in one file", async () => {
    const whole = ledger(12);
    const line = whole.lines[4]?.line ?? "";
    whole.lines.splice(5, 0, { file: "table", line: line.replace('"n5"', '"n6"') });
    expect((await check(whole)).firstDamage).toMatchObject({ seq: 6, file: "table" });
    const twice = ledger(12);
    twice.lines.splice(5, 0, { file: "1.jsonl", line });
    expect((await check(twice)).ok).toBe(false);
  });
});

describe("damage is named by the first place", () => {
  it("every single byte of a record, changed to another of its class", async () => {
    const line = ledger(30).lines[14]?.line ?? "";
    for (let i = 0; i < line.length; i++) {
      const byte = line.charAt(i);
      const other = /[0-8]/.test(byte)
        ? String(Number(byte) + 1)
        : byte === "9"
          ? "8"
          : /[a-z]/.test(byte)
            ? byte === "a"
              ? "b"
              : "a"
            : "#";
      const damage = await damageOf((whole) => edit(whole, 15, (text) => text.slice(0, i) + other + text.slice(i + 1)));
      expect(damage, `byte ${i} (${byte})`).toMatchObject({ seq: 15, file: "2.jsonl" });
    }
  });

  it.each([1, 2, 11, 30])("record %i edited", async (seq) => {
    const damage = await damageOf((whole) => edit(whole, seq, (line) => line.replace(`"n${seq}"`, '"zz"')));
    expect(damage).toMatchObject({ seq });
  });

  it.each([2, 11, 20])("record %i dropped", async (seq) => {
    expect(await damageOf((whole) => whole.lines.splice(seq - 1, 1))).toMatchObject({
      seq,
      reason: expect.stringContaining("missing"),
    });
  });

  it("two records swapped", async () => {
    const damage = await damageOf(({ lines }) => lines.splice(9, 2, ...lines.slice(9, 11).toReversed()));
    expect(damage).toMatchObject({ seq: 10, file: "2.jsonl" });
  });

  it("the end cut off", async () => {
    expect(await damageOf(({ lines }) => lines.splice(25))).toMatchObject({
      seq: 26,
      reason: expect.stringContaining("ends early"),
    });
  });

  it("everything removed", async () => {
    expect(await damageOf(({ lines }) => lines.splice(0))).toMatchObject({ seq: 1 });
  });

  it("a record appended to the chain without a new head", async () => {
    const damage = await damageOf(({ lines, head }) => {
      const event = encodeEvent({ type: "key.issued", at: 1, environment: "dev", actor: "gateway", fields: {} });
      lines.push({ file: "4.jsonl", line: recordLine(31, head?.hash ?? "", event) });
    });
    expect(damage).toMatchObject({ seq: 31, reason: expect.stringContaining("after its signed head") });
  });

  it("the chain written anew, but not signed", async () => {
    const forged = ledger(30);
    edit(forged, 30, (line) => line.replace('"n30"', '"n31"'));
    const hash = sha256(utf8.encode(forged.lines[29]?.line));
    forged.head = { ...signHead(30, hash), signature: forged.head?.signature ?? "" };
    expect((await check(forged)).firstDamage).toMatchObject({
      seq: 30,
      reason: expect.stringContaining("not genuine"),
    });
  });

  it("no head, or one of another time", async () => {
    expect(await damageOf((whole) => (whole.head = undefined))).toMatchObject({
      reason: expect.stringContaining("no signed head"),
    });
    expect(await damageOf((whole) => whole.head && (whole.head = { ...whole.head, at: 2 }))).toMatchObject({ seq: 30 });
  });

  it.each([
    (line: string) => `${line} `,
    (line: string) => line.replace('"at":', '"at": '),
    (line: string) => line.replace('"seq":15', '"seq":15,"seq":15'),
    () => "",
  ])("a line another reader may read otherwise", async (rewrite) => {
    expect(await damageOf((whole) => edit(whole, 15, rewrite))).toMatchObject({
      seq: 15,
      reason: expect.stringContaining("well-formed"),
    });
  });
});

describe("retention", () => {
  it("may remove the beginning that a recorded truncation lets go of", async () => {
    const whole = ledger(40, 35, 21);
    expect(await check({ ...whole, lines: whole.lines.slice(20) })).toMatchObject({ ok: true, records: 20 });
  });

  it("may have removed less than that (killed before it deleted)", async () => {
    const whole = ledger(40, 35, 21);
    expect(await check({ ...whole, lines: whole.lines.slice(10) })).toMatchObject({ ok: true, records: 30 });
    expect(await check(whole)).toMatchObject({ ok: true, records: 40 });
  });

  it("may not remove more", async () => {
    const whole = ledger(40, 35, 21);
    expect((await check({ ...whole, lines: whole.lines.slice(30) })).firstDamage).toMatchObject({
      seq: 1,
      reason: expect.stringContaining("no truncation"),
    });
  });

  it("may remove nothing without a record of it", async () => {
    const whole = ledger(40);
    expect((await check({ ...whole, lines: whole.lines.slice(10) })).ok).toBe(false);
  });
});
