/** What the guards of policy do to requests in each dialect: lowered and told, or denied before a model is troubled. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { codeOf, startGateway } from "./started-gateway.ts";
import type { StartedGateway } from "./started-gateway.ts";

const GUARD = "{ messages: 2, tools: 1, schemaBytes: 64, think: none, topLogprobs: 3 }";
const one = [{ role: "user", content: "x" }];
const three = [...one, ...one, ...one];
const large = { type: "object", description: "x".repeat(64) };
const called = (parameters: object) => ({ type: "function", function: { name: "f", parameters } });

let gateway: StartedGateway;
let key: string;

beforeAll(async () => {
  gateway = await startGateway({ environmentYaml: `    guard: ${GUARD}\n` });
  ({ key } = await gateway.issue());
});
afterAll(() => gateway.stop());
beforeEach(() => void (gateway.upstream().seen.length = 0));

describe("more than the guard is denied", () => {
  test.each([
    ["/api/chat", { messages: three }],
    ["/api/chat", { messages: one, tools: [called({}), called({})] }],
    ["/api/chat", { messages: one, tools: [called(large)] }],
    ["/api/chat", { messages: one, format: large }],
    ["/api/generate", { prompt: "x", format: large }],
    ["/v1/chat/completions", { messages: three }],
    ["/v1/chat/completions", { messages: one, tools: [called({}), called({})] }],
    [
      "/v1/chat/completions",
      { messages: one, response_format: { type: "json_schema", json_schema: { name: "x", schema: large } } },
    ],
    ["/v1/responses", { input: three }],
    ["/v1/responses", { input: "x", tools: [{ type: "namespace", tools: [{ type: "function", name: "f" }] }] }],
    ["/v1/responses", { input: "x", text: { format: { type: "json_schema", name: "x", schema: large } } }],
    ["/v1/messages", { messages: three, max_tokens: 9 }],
    ["/v1/messages", { messages: one, max_tokens: 9, tools: [{ name: "f", input_schema: large }] }],
  ])("%s %j", async (path, body) => {
    const answer = await gateway.post(path, key, { model: "llama3.2", ...body });
    expect([answer.status, codeOf(await answer.text())]).toEqual([403, "permission_denied"]);
    expect(gateway.upstream().seen).toEqual([]);
  });
});

describe("what a request can do without is lowered, and told", () => {
  test.each([
    ["/api/chat", { messages: one, think: true, logprobs: true, top_logprobs: 20 }, { think: false, top_logprobs: 3 }, "think=false, top_logprobs=3"],
    ["/v1/chat/completions", { messages: one, reasoning_effort: "high" }, { reasoning_effort: "none" }, "reasoning_effort=none"],
    ["/v1/responses", { input: "x", reasoning: { effort: "high" } }, { reasoning: { effort: "none" } }, "reasoning.effort=none"],
    ["/v1/messages", { messages: one, max_tokens: 9, thinking: { type: "enabled", budget_tokens: 5 } }, { thinking: { type: "disabled" } }, "thinking=disabled"],
  ])("%s %j", async (path, body, sent, told) => {
    const answer = await gateway.post(path, key, { model: "llama3.2", ...body });
    await answer.text();
    expect([answer.status, answer.headers.get("x-sallyport-adjusted")]).toEqual([200, told]);
    expect(JSON.parse(gateway.upstream().seen.at(-1)!.body.toString())).toMatchObject(sent);
  }); // prettier-ignore
});
