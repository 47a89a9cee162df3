import { expect, test } from "vitest";
import { keyOf, principalOf } from "../../../../test/builders.ts";
import { environmentDefaults } from "../access/default-environment.ts";
import type { Explain } from "../access/explain.ts";
import type { UpstreamSpec } from "../access/policy.ts";
import { OrderedMap } from "../kernel/ordered-map.ts";
import { compileSnapshot, emptySnapshot } from "../access/snapshot.ts";
import { newKey } from "../keys/key.ts";
import type { KeyRecord } from "../keys/key.ts";
import { makeExplain } from "./explain-request.ts";

const what = {
  id: "k",
  environment: "dev",
  name: "k",
  owner: "p",
  limits: {},
  admin: null,
  createdAt: 0,
  createdBy: "x",
};
const secret = { hash: new Uint8Array(32), pepperVersion: 1, expiresAt: 1 };
const key: KeyRecord = newKey({ ...what, ceiling: { roles: [], allow: [], models: null } }, secret);

function codeAt(method: string, path: string): string | undefined {
  const explain = makeExplain({
    snapshot: () => ({ ...emptySnapshot, environments: OrderedMap.of([["dev", {} as never]]) }),
    keys: { find: () => key } as never,
    judge: { explain: () => undefined },
    isQuarantined: () => true,
  });
  return explain({ keyId: "k", method, path })?.code;
}

test("a restored server that nobody has confirmed denies everything but its constants, and explain says so", () => {
  expect(codeAt("POST", "/api/chat")).toBe("restore_unconfirmed");
  expect(codeAt("POST", "/oauth/token")).toBe("restore_unconfirmed");
  expect(codeAt("GET", "/healthz")).toBe("allowed");
});

const right = { roles: [], allow: ["infer:chat", "models:delete"] as const, models: ["llama3.2"] };

function explainWith(upstreams: readonly UpstreamSpec[]): Explain {
  const snapshot = compileSnapshot({
    epoch: 1,
    environments: [{ ...environmentDefaults, name: "dev", upstreams }],
    roles: [],
    principals: [principalOf("p")],
    assignments: [{ id: "a", subject: { principal: "p" }, environment: "dev", right, source: "admin" }],
  });
  return makeExplain({
    snapshot: () => snapshot,
    keys: { find: () => keyOf({ environment: "dev", owner: "p", ceiling: right }) } as never,
    judge: { explain: () => undefined },
    isQuarantined: () => false,
  });
}

test("a server of OpenAI's dialect is sent no request in Ollama's own", () => {
  const codeOf = (path: string, kind?: "openai"): string =>
    explainWith([{ id: "u1", url: "http://127.0.0.1:1", ...(kind ? { kind } : {}) }])({
      keyId: "k",
      method: "POST",
      path,
      model: "llama3.2",
    })!.code;
  expect([codeOf("/api/chat", "openai"), codeOf("/v1/chat/completions", "openai"), codeOf("/api/chat")]).toEqual([
    "dialect_not_served",
    "allowed",
    "allowed",
  ]);
});

test("a yes says what was not looked at: a token of the key, and where a local name runs", () => {
  const explain = explainWith([]);
  const because = (method: string, path: string, model: string): string[] => {
    const answer = explain({ keyId: "k", method, path, model })!;
    return answer.because.filter((says) => says.startsWith("explain "));
  };
  const token = "explain looks at the key itself: a token of the key can allow less";
  const place =
    "explain does not ask the model server where llama3.2 runs: if it stands for a remote model, the request also needs cloud:infer for it";
  expect(because("POST", "/api/chat", "llama3.2")).toEqual([token, place]);
  expect(because("DELETE", "/api/delete", "llama3.2")).toEqual([token]);
  expect(because("POST", "/api/chat", "qwen3")).toEqual([]);
});
