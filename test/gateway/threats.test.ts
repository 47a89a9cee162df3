/** The request-borne classes of failures of products like this one, each tried on the whole table (see SECURITY.md). */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { endpoints } from "../program-under-test.ts";
import { startGateway } from "./started-gateway.ts";
import type { StartedGateway } from "./started-gateway.ts";

let gateway: StartedGateway;
beforeAll(async () => {
  gateway = await startGateway({ environments: ["dev", "prod"] });
});
afterAll(() => gateway.stop());
beforeEach(() => {
  gateway.upstream().deeds.length = 0;
  gateway.upstream().seen.length = 0;
});

const upstreamRows = endpoints.filter((endpoint) => endpoint.way === "model");

/** The row's own smallest request, about this model. */
async function ask(
  endpoint: (typeof endpoints)[number],
  key: string,
  model: string,
  headers: Record<string, string> = {},
): Promise<number> {
  const last = { none: "", model: encodeURIComponent(model), digest: `sha256:${"0".repeat(64)}`, opaque: "x" }[
    endpoint.parameter
  ];
  const method = endpoint.methods[0]!;
  let body: string | FormData | undefined = endpoint.sample ? JSON.stringify(endpoint.sample(model)) : undefined;
  if (endpoint.body === "blob") body = "bytes";
  if (endpoint.body === "multipart") {
    body = new FormData();
    body.append("model", model);
    body.append("file", new Blob(["RIFF"]), "a.wav");
  }
  const answer = await fetch(gateway.url + endpoint.path + last, {
    method,
    headers: { ...(key === "" ? {} : { authorization: `Bearer ${key}` }), ...headers },
    ...(body === undefined ? {} : { body }),
    redirect: "manual",
  });
  await answer.arrayBuffer();
  return answer.status;
}

describe("every endpoint asks for its own right (4, 6, 20, 26, 28: routes that a check forgot)", () => {
  test.each(upstreamRows.map((endpoint) => [endpoint.id, endpoint] as const))(
    "%s: closed without a key, and with a key for everything else",
    async (_, endpoint) => {
      expect(await ask(endpoint, "", "llama3.2")).toBe(401);
      const others = [...new Set(upstreamRows.flatMap((row) => row.anyOf))].filter(
        (permission) => !endpoint.anyOf.includes(permission),
      );
      const { key } = await gateway.issue({ allow: others, models: ["*"] });
      expect(await ask(endpoint, key, "llama3.2")).toBe(403);
      expect(gateway.upstream().seen).toEqual([]);
    },
  );

  test.each(
    upstreamRows
      .filter((endpoint) => endpoint.sample?.("x") && JSON.stringify(endpoint.sample("x")).includes('"x"'))
      .map((endpoint) => [endpoint.id, endpoint] as const),
  )("%s: open for a model that is granted, closed for any other", async (_, endpoint) => {
    const { key } = await gateway.issue({
      allow: [...new Set(upstreamRows.flatMap((row) => row.anyOf))],
      models: ["llama3.2"],
    });
    expect(await ask(endpoint, key, "secret")).toBe(403);
    expect(gateway.upstream().deeds).toEqual([]);
    expect(await ask(endpoint, key, "llama3.2")).toBe(200);
    expect(gateway.upstream().models).toEqual(["registry.ollama.ai/library/llama3.2:latest"]);
  });
});

describe("the same key means the same in every header (19)", () => {
  test.each([
    ["x-api-key", (key: string) => ({ "x-api-key": key })],
    ["api-key", (key: string) => ({ "api-key": key })],
    ["Basic", (key: string) => ({ authorization: `Basic ${Buffer.from(`u:${key}`).toString("base64")}` })],
  ])("%s", async (_, headers) => {
    const { key } = await gateway.issue();
    const chat = endpoints.find((endpoint) => endpoint.id === "ollama.chat")!;
    expect(await ask(chat, "", "secret", headers(key))).toBe(403);
    expect(await ask(chat, "", "llama3.2", headers(key))).toBe(200);
  });
});

describe("what a caller writes beside the request changes nothing (2, 11, 13, 21)", () => {
  test.each([
    "x-litellm-customer-id", "x-user", "x-forwarded-for", "x-forwarded-host", "x-forwarded-user", "x-original-url", "x-rewrite-url",
    "x-http-method-override", "x-upstream", "x-portkey-custom-host", "forwarded", "via", "openai-organization",
  ])("%s", async (name) => {
    const { key } = await gateway.issue();
    const chat = endpoints.find((endpoint) => endpoint.id === "ollama.chat")!;
    expect(await ask(chat, key, "secret", { [name]: "/api/tags" })).toBe(403);
    expect(await ask(chat, "", "llama3.2", { [name]: key })).toBe(401);
    expect(await ask(chat, key, "llama3.2", { [name]: "http://169.254.169.254/" })).toBe(200);
    expect(gateway.upstream().seen.map((seen) => seen.headers[name])).toEqual([undefined]);
    expect(gateway.upstream("prod").seen).toEqual([]);
  }); // prettier-ignore
});

test("a credential never reaches a query (1, 23): what looks like SQL or a pattern is a malformed key", async () => {
  for (const text of [
    "' OR 1=1 --",
    "%",
    "sp_dev_%",
    "sp_dev_" + "%".repeat(12),
    '"; DROP TABLE key; --',
    "*",
    "\\",
    "null",
    "undefined",
    "Bearer",
    "sp_",
  ]) {
    for (const headers of [{ authorization: `Bearer ${text}` }, { "x-api-key": text }]) {
      expect([text, await ask(upstreamRows[0]!, "", "x", headers as unknown as Record<string, string>)]).toEqual([
        text,
        401,
      ]);
    }
  }
});

test("an empty credential or an empty secret opens nothing (24, 30)", async () => {
  for (const value of ["", " ", "Bearer", "Bearer ", "Basic Og==", "Basic ", "Negotiate x"]) {
    expect([value, await ask(upstreamRows[0]!, "", "x", { authorization: value })]).toEqual([value, 401]);
  }
});

test("a model server cannot be named by a model's name (22): pull goes to allowed registries only", async () => {
  const { key } = await gateway.issue({
    allow: ["models:pull", "models:push", "models:create", "models:show"],
    models: ["*", "10.0.0.5:8080/*/*", "localhost/*/*"],
  });
  for (const host of [
    "10.0.0.5:8080",
    "localhost",
    "127.0.0.1",
    "169.254.169.254",
    "hf.co",
    "registry.ollama.ai.evil.example",
  ]) {
    for (const [path, body] of [
      ["/api/pull", { model: `${host}/a/b` }],
      ["/api/push", { model: `${host}/a/b` }],
      ["/api/create", { model: "x", from: `${host}/a/b` }],
    ] as const) {
      expect([host, path, (await gateway.post(path, key, body)).status]).toEqual([host, path, 403]);
    }
  }
  expect(gateway.upstream().deeds).toEqual([]);
  expect((await gateway.post("/api/pull", key, { model: "llama3.2" })).status).toBe(200);
});

test("tools with any keys, and 64-bit integers, arrive byte for byte", async () => {
  const { key } = await gateway.issue();
  const schema =
    '{"type":"object","properties":{"Model":{"type":"integer","const":9007199254740993},"model":{"default":-9223372036854775808},"MODEL":{"enum":[1e400,0.1000000000000000055511151231257827]},"\\u017ftream":{"$ref":"#"}}}';
  const body = `{"model":"llama3.2","messages":[{"role":"user","content":"x"}],"tools":[{"type":"function","function":{"name":"f","parameters":${schema}}}],"stream":false}`;
  for (const path of ["/api/chat", "/v1/chat/completions"]) {
    expect((await gateway.post(path, key, body)).status).toBe(200);
    expect(gateway.upstream().seen.at(-1)!.body.toString("utf8")).toContain(`"parameters":${schema}`);
  }
  const claude = `{"model":"llama3.2","max_tokens":1,"messages":[{"role":"user","content":"x"}],"tools":[{"name":"f","input_schema":${schema}}]}`;
  expect((await gateway.post("/v1/messages", key, claude)).status).toBe(200);
  expect(gateway.upstream().seen.at(-1)!.body.toString("utf8")).toContain(`"input_schema":${schema}`);
});
