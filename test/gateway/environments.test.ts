/** Environments cannot leak into each other, and without policy nothing is open. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { codeOf, startGateway } from "./started-gateway.ts";
import type { StartedGateway } from "./started-gateway.ts";

const EVERYTHING = ["chatbot", "cli", "embedder", "analytics", "operator"];
let gateway: StartedGateway;

beforeAll(async () => {
  gateway = await startGateway({ environments: ["dev", "prod"] });
});
afterAll(() => gateway.stop());

test("a dev key cannot make a prod upstream see a byte, whatever it asks and however it says prod", async () => {
  const { key } = await gateway.issue({
    environment: "dev",
    roles: EVERYTHING,
    allow: ["account:read", "cloud:websearch", "models:push"],
    models: ["*", "cloud:*"],
  });
  const messages = [{ role: "user", content: "x" }];
  const says = { environment: "prod", upstream: "prod", url_idx: 1 };
  for (const path of [
    "/api/chat",
    "/api/generate",
    "/api/embed",
    "/api/show",
    "/api/pull",
    "/v1/chat/completions",
    "/v1/messages",
    "/v1/responses",
    "/v1/embeddings",
    "/api/me",
  ]) {
    await gateway.post(
      path,
      key,
      { model: "llama3.2", messages, input: "x", prompt: "x", max_tokens: 1, ...says },
      { "x-environment": "prod", "x-forwarded-host": "prod" },
    );
  }
  for (const path of [
    "/api/tags",
    "/api/ps",
    "/v1/models",
    "/prod/api/tags",
    "/api/tags?environment=prod",
    "/e/prod/api/tags",
  ]) {
    await fetch(gateway.url + path, { headers: { authorization: `Bearer ${key}` } });
  }
  expect(gateway.upstream("dev").seen.length).toBeGreaterThan(10);
  expect(gateway.upstream("prod").seen).toEqual([]);
});

test("a key of each environment reaches its own upstream only", async () => {
  const { key } = await gateway.issue({ environment: "prod" });
  const before = gateway.upstream("dev").seen.length;
  const answer = await gateway.post("/api/chat", key, {
    model: "llama3.2",
    messages: [{ role: "user", content: "x" }],
  });
  await answer.text();
  expect([answer.status, gateway.upstream("dev").seen.length, gateway.upstream("prod").seen.length]).toEqual([
    200,
    before,
    1,
  ]);
});

test("a listener bound to some environments refuses the others' keys", async () => {
  const only = await startGateway({ environments: ["dev", "prod"], settings: { environments: ["prod"] } });
  const { key } = await only.issue({ environment: "dev" });
  const answer = await only.post("/api/chat", key, { model: "llama3.2", messages: [] });
  expect([answer.status, codeOf(await answer.text()), only.upstream("dev").seen]).toEqual([
    403,
    "environment_not_here",
    [],
  ]);
  await only.stop();
});

test("an empty policy refuses everything", async () => {
  const empty = await startGateway();
  const { key, id } = await empty.issue({ roles: EVERYTHING, models: ["*"] });
  await empty.admin("POST", `/v1/keys/${id}/revoke`);
  await empty.apply("environments: {}\n");
  for (const path of ["/api/chat", "/v1/chat/completions", "/v1/messages", "/api/pull"]) {
    expect((await empty.post(path, key, { model: "llama3.2", messages: [] })).status).toBe(401);
  }
  expect((await fetch(`${empty.url}/api/tags`, { headers: { authorization: `Bearer ${key}` } })).status).toBe(401);
  expect(empty.upstream().seen).toEqual([]);
  await empty.stop();
});

test("an environment that has unrevoked keys cannot be removed, and nothing is applied", async () => {
  await expect(gateway.apply("environments: {}\n")).rejects.toThrow(/422|409/);
  const { environments } = await gateway.admin<{ environments: { name: string }[] }>("GET", "/v1/environments");
  expect(environments.map((environment) => environment.name)).toEqual(["dev", "prod"]);
});
