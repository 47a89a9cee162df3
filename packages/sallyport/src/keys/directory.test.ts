import { randomBytes } from "node:crypto";
import { describe, expect, test } from "vitest";
import { formatKeyText, isRefusal, Problem } from "@sallyport/protocol";
import { keyOf } from "../../../../test/builders.ts";
import { KeyDirectory } from "./directory.ts";
import type { KeySource } from "./directory.ts";
import { hashKeyText } from "./hash.ts";
import type { KeyRecord } from "./key.ts";
import type { Pepper, PepperRing } from "./pepper.ts";

const SECRET = "s".repeat(43);
const peppers = new Map<string, Pepper>([
  ["dev", { version: 1, bytes: randomBytes(32) }],
  ["prod", { version: 1, bytes: randomBytes(32) }],
]);
const ring: PepperRing = {
  current: (environment) => peppers.get(environment),
  get: (environment, version) => (peppers.get(environment)?.version === version ? peppers.get(environment) : undefined),
  create: (environment) => peppers.get(environment)!,
};

class Rows implements KeySource {
  readonly rows = new Map<string, KeyRecord>();
  reads = 0;
  add(environment: string, id: string, more: Partial<KeyRecord> = {}, planted?: Uint8Array): string {
    const text = formatKeyText("sp", environment, id, SECRET);
    const hash = planted ?? hashKeyText(text, peppers.get(environment)!);
    this.rows.set(`${environment}/${id}`, keyOf({ id, environment, name: id, ...more }, { hash, expiresAt: 1000 }));
    return text;
  }
  key(environment: string, id: string): KeyRecord | undefined {
    this.reads++;
    return this.rows.get(`${environment}/${id}`);
  }
  eachKeyId(visit: (environment: string, id: string) => void): void {
    for (const { environment, id } of this.rows.values()) visit(environment, id);
  }
}

const ID = "A".repeat(12);
const codeOf = (said: object): string => (isRefusal(said) ? String(said.code) : "verified");

describe("from a text to a key", () => {
  test("the genuine text, and nothing near it", () => {
    const rows = new Rows();
    const text = rows.add("dev", ID);
    const keys = new KeyDirectory(rows, ring);
    expect(codeOf(keys.authenticate(text, ["api"], 0))).toBe("verified");
    expect(codeOf(keys.authenticate(text, ["admin"], 0))).toBe("credential_malformed");
    expect(codeOf(keys.authenticate(`${text} `, ["api"], 0))).toBe("credential_malformed");
    expect(codeOf(keys.authenticate(formatKeyText("sp", "dev", ID, "t".repeat(43)), ["api"], 0))).toBe("key_unknown");
    expect(codeOf(keys.authenticate(formatKeyText("sp", "prod", ID, SECRET), ["api"], 0))).toBe("key_unknown");
  });

  test("a broken checksum and an unknown id cost no read", () => {
    const rows = new Rows();
    const text = rows.add("dev", ID);
    const keys = new KeyDirectory(rows, ring);
    for (let i = 0; i < text.length; i++) {
      const other = text[i] === "x" ? "y" : "x";
      expect(codeOf(keys.authenticate(text.slice(0, i) + other + text.slice(i + 1), ["api"], 0))).toBe(
        "credential_malformed",
      );
    }
    for (let i = 0; i < 1000; i++)
      keys.authenticate(formatKeyText("sp", "dev", String(i).padStart(12, "0"), SECRET), ["api"], 0);
    expect(rows.reads).toBe(0);
  });

  test("the same id in two environments is two keys", () => {
    const rows = new Rows();
    const inDev = rows.add("dev", ID);
    rows.add("prod", ID, { state: "revoked" });
    const keys = new KeyDirectory(rows, ring);
    expect(keys.authenticate(inDev, ["api"], 0)).toMatchObject({ key: { environment: "dev" } });
  });

  test("a hash moved from one environment to another does not verify there: peppers differ", () => {
    const rows = new Rows();
    rows.add("dev", ID);
    const planted = rows.rows.get(`dev/${ID}`)!;
    rows.rows.set(`prod/${ID}`, { ...planted, environment: "prod" });
    const keys = new KeyDirectory(rows, ring);
    expect(codeOf(keys.authenticate(formatKeyText("sp", "prod", ID, SECRET), ["api"], 0))).toBe("key_unknown");
  });

  test("whoever has dev's pepper cannot plant a key in prod", () => {
    const rows = new Rows();
    const forged = formatKeyText("sp", "prod", ID, SECRET);
    rows.add("prod", ID, {}, hashKeyText(forged, peppers.get("dev")!));
    expect(codeOf(new KeyDirectory(rows, ring).authenticate(forged, ["api"], 0))).toBe("key_unknown");
  });

  test("states and expiry, told only after the secret has verified", () => {
    const rows = new Rows();
    const text = rows.add("dev", ID);
    const keys = new KeyDirectory(rows, ring);
    const wrong = formatKeyText("sp", "dev", ID, "t".repeat(43));
    for (const [state, now, code] of [
      ["active", 999, "verified"],
      ["active", 1000, "key_expired"],
      ["suspended", 999, "key_suspended"],
      ["revoked", 999, "key_revoked"],
      ["revoked", 1000, "key_revoked"],
    ] as const) {
      rows.rows.set(`dev/${ID}`, { ...rows.rows.get(`dev/${ID}`)!, state });
      keys.apply([{ of: "key", environment: "dev", id: ID, now: undefined }]);
      expect(codeOf(keys.authenticate(text, ["api"], now))).toBe(code);
      expect(codeOf(keys.authenticate(wrong, ["api"], now))).toBe("key_unknown");
    }
  });

  test("what is none of ours is told apart for counting; what is genuine and has ended is not among it", () => {
    const rows = new Rows();
    const text = rows.add("dev", ID);
    const keys = new KeyDirectory(rows, ring);
    const signalOf = (credential: string, now = 0): unknown => {
      const said = keys.authenticate(credential, ["api"], now);
      return "signal" in said ? said.signal : undefined;
    };
    expect(signalOf(text.slice(0, -1))).toBe("malformed");
    expect(signalOf(text.replace("sp_dev", "sp_prod"))).toBe("malformed");
    expect(signalOf("sk-proj-4711")).toBe("malformed");
    expect(signalOf(formatKeyText("sp", "dev", "B".repeat(12), SECRET))).toBe("unknown_id");
    expect(signalOf(formatKeyText("sp", "dev", ID, "t".repeat(43)))).toBe("wrong_secret");
    expect(codeOf(keys.authenticate(text, ["api"], 1_000))).toBe("key_expired");
    expect(signalOf(text, 1_000)).toBeUndefined();
  });

  test("a damaged record opens nothing, is read once, and comes back when it is mended", () => {
    const rows = new Rows();
    const text = rows.add("dev", ID);
    const other = rows.add("dev", "B".repeat(12));
    let reads = 0;
    let isDamaged = true;
    const source: KeySource = {
      eachKeyId: (visit) => rows.eachKeyId(visit),
      key(environment, id) {
        if (id !== ID || !isDamaged) return rows.key(environment, id);
        reads++;
        throw new Problem("record_damaged", "key dev/AAAAAAAAAAAA");
      },
    };
    const keys = new KeyDirectory(source, ring);
    for (let i = 0; i < 100; i++) expect(codeOf(keys.authenticate(text, ["api"], 0))).toBe("record_damaged");
    expect([reads, keys.isDamaged("dev", ID), keys.find("dev", ID)]).toEqual([1, true, undefined]);
    expect(codeOf(keys.authenticate(other, ["api"], 0))).toBe("verified");
    isDamaged = false;
    keys.apply([{ of: "key", environment: "dev", id: ID, now: undefined }]);
    expect(codeOf(keys.authenticate(text, ["api"], 0))).toBe("verified");
  });

  test("records are cached until they change", () => {
    const rows = new Rows();
    const text = rows.add("dev", ID);
    const keys = new KeyDirectory(rows, ring);
    for (let i = 0; i < 10; i++) keys.authenticate(text, ["api"], 0);
    expect(rows.reads).toBe(1);
    keys.apply([{ of: "key", environment: "dev", id: ID, now: undefined }]);
    keys.authenticate(text, ["api"], 0);
    expect(rows.reads).toBe(2);
  });
});
