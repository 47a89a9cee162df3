import { Buffer } from "node:buffer";
import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { parseKeyText } from "@sallyport/protocol";
import { ringOf } from "../../../../test/builders.ts";
import { everything } from "../access/everything.ts";
import { KeyDirectory } from "./directory.ts";
import { issueAdminKey, issueKey } from "./issue.ts";
import type { KeyOrder } from "./issue.ts";

const pepper = { version: 3, bytes: Buffer.alloc(32, 9) };
const peppers = ringOf(pepper);
const order: KeyOrder = {
  environment: "dev",
  name: "k",
  owner: "p_1",
  ceiling: { roles: ["chatbot"], allow: [], models: ["llama3.2"] },
  limits: { concurrency: 2 },
  createdAt: 5,
  createdBy: "os:root",
  expiresAt: 10,
};

describe("issueKey", () => {
  it("makes a text that opens the record, and a record without the text", () => {
    const { record, text } = issueKey(order, peppers);
    const { expiresAt, ...asked } = order;
    expect(record).toMatchObject({ ...asked, state: "active", admin: null, lifetimeMs: 5 });
    expect(record.secrets).toMatchObject([{ generation: 1, state: "active", pepperVersion: 3, expiresAt }]);
    expect(parseKeyText(text.reveal())).toEqual({ kind: "api", environment: "dev", id: record.id });
    const directory = new KeyDirectory({ key: () => record, eachKeyId: (visit) => visit("dev", record.id) }, peppers);
    expect(directory.authenticate(text.reveal(), ["api"], 6)).toEqual({ key: record, secret: record.secrets[0] });
    expect(directory.authenticate(text.reveal(), ["admin"], 6)).toMatchObject({ code: "credential_malformed" });
    const secret = text.reveal().slice("sp_dev_".length + 13);
    expect(
      inspect(record, { depth: 9 }) + JSON.stringify(record) + inspect(text) + JSON.stringify({ text }),
    ).not.toContain(secret);
    expect(Buffer.from(record.secrets[0]!.hash).includes(secret.slice(0, 16))).toBe(false);
  });

  it("never makes the same twice", () => {
    const texts = new Set(Array.from({ length: 200 }, () => issueKey(order, peppers).text.reveal()));
    expect(texts.size).toBe(200);
  });

  it("makes no API key of the reserved realm", () => {
    expect(() => issueKey({ ...order, environment: "system" }, peppers)).toThrow(RangeError);
  });

  it("makes admin keys of the reserved realm, without owner or ceiling", () => {
    const { record, text } = issueAdminKey(
      { name: "a", right: everything, createdAt: 5, createdBy: "x", expiresAt: null },
      peppers,
    );
    expect(parseKeyText(text.reveal())).toEqual({ kind: "admin", environment: "system", id: record.id });
    expect(record).toMatchObject({
      environment: "system",
      owner: null,
      admin: everything,
      ceiling: { roles: [], allow: [], models: [] },
    });
  });
});
