import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { DEFAULT_ANOMALY_POLICY } from "../response.ts";
import { FromRecords, parseExported } from "./from-records.ts";
import { replayFile } from "./replay.ts";

const START = Date.UTC(2026, 0, 5);
const record = (type: string, at: number, fields: object, actor = "key:K1") => ({
  seq: 1,
  type,
  at,
  environment: "prod",
  actor,
  fields,
});
const intent = (request: string, at: number, over: object = {}) =>
  record("request.intent", at, {
    request,
    principal: "p_1",
    endpoint: "ollama.chat",
    permissions: ["infer:chat"],
    model: "m",
    address: "192.0.2.1",
    client: "curl/8.5.0",
    bytes: 40,
    ...over,
  });
const outcome = (request: string, at: number, over: object = {}) =>
  record("request.outcome", at, {
    request,
    outcome: "served",
    code: null,
    input_tokens: 5,
    output_tokens: 7,
    first_byte_ms: 3,
    total_ms: 900,
    bytes: 80,
    ...over,
  });
const read = (line: object) => parseExported(JSON.stringify(line))!;

describe("FromRecords", () => {
  it("pairs intent and outcome, and knows the key's peers and marks from its making", () => {
    const from = new FromRecords();
    expect(
      from.take(
        read(record("key.issued", START, { key: "K1", owner: "p_1", roles: ["b", "a"], decoy: true }, "os:root")),
      ),
    ).toMatchObject([{ kind: "issued", key: "K1", owner: "p_1", actor: "os:root" }]);
    expect(from.take(read(intent("r1", START)))).toEqual([]);
    expect(from.take(read(outcome("r1", START + 900)))).toMatchObject([
      {
        kind: "exchange", at: START + 900, key: "K1", owner: "p_1", peer: "a+b", isDecoy: true, request: "r1", endpoint: "ollama.chat",
        permissions: ["infer:chat"], model: "m", address: "192.0.2.1", client: "curl/8.5.0", outcome: "served", inputTokens: 5,
        outputTokens: 7, requestBytes: 40, answerBytes: 80, firstByteMs: 3, totalMs: 900,
      },
    ]); // prettier-ignore
    expect(from.rest()).toEqual([]);
  });

  it("takes a token of bait for its use, and of no other key", () => {
    const from = new FromRecords();
    from.take(read(record("key.issued", START, { key: "K1", owner: "p_1", roles: [], decoy: true }, "os:root")));
    const token = (key: string) => read(record("token.issued", START + 1, { key, address: "192.0.2.1" }, `key:${key}`));
    expect(from.take(token("K1"))).toMatchObject([
      { kind: "exchange", key: "K1", isDecoy: true, address: "192.0.2.1" },
    ]);
    expect(from.take(token("K2"))).toEqual([]);
  });

  it("tells what never ended, at last", () => {
    const from = new FromRecords();
    from.take(read(intent("r1", START)));
    expect(from.rest()).toMatchObject([{ request: "r1", outcome: null, outputTokens: 0 }]);
  });

  it("keeps a bounded number of open intents", () => {
    const from = new FromRecords();
    const told = Array.from({ length: 50_010 }, (_, n) => from.take(read(intent(`r${n}`, START + n)))).flat();
    expect(told.map(({ request }) => request)).toEqual(Array.from({ length: 10 }, (_, n) => `r${n}`));
  });

  it("reads refusals, alone and counted, and the turns of a key's life", () => {
    const from = new FromRecords();
    const take = (type: string, fields: object, actor?: string) => from.take(read(record(type, START, fields, actor)));
    expect(
      take("request.refused", { request: "r", principal: "p_1", code: "model_denied", address: "192.0.2.1" }),
    ).toMatchObject([{ kind: "refused", code: "model_denied", count: 1 }]);
    expect(take("request.refused_coalesced", { principal: "p_1", code: "rate_limited", count: 9 })).toMatchObject([
      { kind: "refused", count: 9 },
    ]);
    expect(take("request.refused_coalesced", { principal: null, code: "x", count: 9 }, "gateway")).toEqual([]);
    expect(take("key.revoked", { key: "K1", owner: "p_1" }, "os:root")).toMatchObject([{ kind: "revoked", key: "K1" }]);
    expect(take("principal.disabled", { principal: "p_1" }, "os:root")).toMatchObject([
      { kind: "left", key: "", owner: "p_1" },
    ]);
    expect(take("server.started", {})).toEqual([]);
  });

  it.each([
    "",
    "{}",
    "[]",
    '{"type":"x","at":"never","environment":"e","actor":"a","fields":{}}',
    '{"type":1,"at":1,"environment":"e","actor":"a","fields":{}}',
  ])("%j is no record", (line) => expect(parseExported(line)).toBeUndefined());

  it("takes times as numbers and as text", () => {
    expect(read({ ...intent("r", START), at: new Date(START).toISOString() }).at).toBe(START);
  });
});

describe("replayFile", () => {
  let folder: string;
  beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), "replay-"))));
  afterAll(() => rmSync(folder, { recursive: true }));

  it("says what would have been told and done, the same each time", async () => {
    const lines = [
      record("key.issued", START, { key: "K1", owner: "p_1", roles: ["chat"], decoy: true }, "os:root"),
      intent("r1", START + 1),
      outcome("r1", START + 2),
    ];
    const path = join(folder, "export.jsonl");
    writeFileSync(path, `${lines.map((line) => JSON.stringify(line)).join("\n")}\nno record\n`);
    const policy = { ...DEFAULT_ANOMALY_POLICY, actions: { default: "notify", decoy_used: "suspend" } } as const;
    const replayed = await replayFile(path, policy);
    expect(replayed).toMatchObject({ records: 3, strange: 1, observations: 2, from: START, until: START + 2 });
    expect(replayed.alerts).toMatchObject([
      {
        kind: "decoy_used",
        evidence: [{ request: "r1" }],
        response: { action: "suspend", undo: "resume", until: START + 2 + 3_600_000 },
      },
    ]);
    expect(await replayFile(path, policy)).toEqual(replayed);
  });
});
