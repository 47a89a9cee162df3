import { encodeEvent, recordLine } from "@sallyport/ledger";
import type { EventValue } from "@sallyport/ledger";
import { describe, expect, it } from "vitest";
import { PermissionUseFold } from "./permission-use-fold.ts";
import { permissionUseDifference } from "./permission-use-difference.ts";
import { demandsOf, parseDemand, readDemand, readPlainIntent } from "./recorded-demand.ts";
import type { RecordedDemand } from "./recorded-demand.ts";

const LLAMA = "registry.ollama.ai/library/llama3.2:latest";
const AT = 1_795_000_000_000;

function lineOf(type: string, fields: Readonly<Record<string, EventValue>>, actor = "key:4fT9wLq2ZbXc"): string {
  return recordLine(7, "0".repeat(64), encodeEvent({ type, at: AT, environment: "dev", actor, fields }));
}

const intent = {
  request: "r",
  principal: "p",
  endpoint: "ollama.chat",
  permissions: ["infer:chat"],
  model: LLAMA,
  upstream: "u",
};
const COPY = {
  request: "r",
  principal: "p",
  endpoint: "ollama.copy",
  permissions: ["models:copy"],
  demands: ["models:copy a/b/c:d", "models:copy e/f/g:h"],
  model: "e/f/g:h",
  upstream: "u",
};
const pairs = (fields: object, type = "request.intent"): unknown =>
  demandsOf(readDemand(lineOf(type, fields as never))!.demanded).map(({ permission, model }) => [permission, model]);

describe("a record", () => {
  it("is read alike by its form and by a parser", () => {
    for (const fields of [intent, { ...intent, token: undefined, model: null, permissions: ["models:list"] }, COPY]) {
      const line = lineOf("request.intent", JSON.parse(JSON.stringify(fields)) as never);
      expect(readPlainIntent(line)).toBeDefined();
      expect(parseDemand(line)).toEqual(readPlainIntent(line));
    }
  });

  it("says which permission was demanded on which model", () => {
    expect(pairs(intent)).toEqual([["infer:chat", LLAMA]]);
    expect(pairs({ ...intent, permissions: ["models:list"], model: null })).toEqual([["models:list", ""]]);
    expect(pairs(COPY)).toEqual([
      ["models:copy", "a/b/c:d"],
      ["models:copy", "e/f/g:h"],
    ]);
  });

  it("of an earlier version names the cloud model, and no model where it recorded the first of several", () => {
    expect(pairs({ ...intent, permissions: ["infer:chat", "cloud:infer"] })).toEqual([
      ["infer:chat", `cloud:${LLAMA}`],
      ["cloud:infer", `cloud:${LLAMA}`],
    ]);
    expect(pairs({ ...intent, permissions: ["models:copy"] }, "model.intent")).toEqual([["models:copy", "other"]]);
  });

  it.each([
    ["another type", lineOf("key.issued", intent)],
    ["no key", lineOf("request.intent", intent, "os:root")],
    ["no permissions", lineOf("request.refused", { request: "r", code: "x" })],
    ["damage", `${lineOf("request.intent", intent).slice(0, 200)}`],
    ["no text", lineOf("request.refused", { permissions: [1, 2] as never })],
  ])("of %s demands nothing", (_what, line) => {
    expect(readDemand(line)).toBeUndefined();
  });
});

describe("the counters", () => {
  const demand = (part: Partial<RecordedDemand> = {}): RecordedDemand => ({
    at: AT,
    environment: "dev",
    key: "k",
    request: "r",
    isDenied: false,
    demanded: `"infer:chat"|"${LLAMA}"`,
    ...part,
  });

  it("count denied requests apart, and under models that the key used alone", () => {
    const fold = new PermissionUseFold();
    fold.add(demand());
    fold.add(demand({ isDenied: true }));
    fold.add(demand({ isDenied: true, demanded: `"infer:chat"|"a/b/made-up:1"` }));
    expect([...fold.rows()].map(({ model, isDenied, count }) => [model, isDenied, count])).toEqual([
      [LLAMA, false, 1],
      [LLAMA, true, 1],
      ["other", true, 1],
    ]);
  });

  it("have a bounded number of rows, whatever models a key names", () => {
    const fold = new PermissionUseFold();
    for (let n = 0; n < 10_000; n++) fold.add(demand({ demanded: `"infer:chat"|"a/b/c:${n}"` }));
    for (let n = 0; n < 10_000; n++) fold.add(demand({ isDenied: true, demanded: `"infer:chat"|"a/b/d:${n}"` }));
    expect(fold.size).toBeLessThan(70);
    expect([...fold.rows()].reduce((sum, { count }) => sum + count, 0)).toBe(20_000);
  });

  it("are corrected to those of a rebuild", () => {
    const [stored, rebuilt] = [new PermissionUseFold(), new PermissionUseFold()];
    for (let n = 0; n < 3; n++) stored.add(demand());
    stored.add(demand({ key: "gone" }));
    rebuilt.add(demand());
    rebuilt.add(demand({ key: "new" }));
    const corrections = permissionUseDifference(stored.rows(), rebuilt.rows());
    expect(corrections.map(({ key, count }) => [key, count])).toEqual([
      ["k", -2],
      ["new", 1],
      ["gone", -1],
    ]);
    expect(permissionUseDifference(rebuilt.rows(), rebuilt.rows())).toEqual([]);
  });
});
