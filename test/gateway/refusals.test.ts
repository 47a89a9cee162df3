/** What bad input gets: the right status and code, in the caller's dialect, before the upstream sees a byte. */
import { connect } from "node:net";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { formatKeyText } from "../program-under-test.ts";
import { codeOf, startGateway } from "./started-gateway.ts";
import type { StartedGateway } from "./started-gateway.ts";

let gateway: StartedGateway;
let key: string;
let id: string;
const chat = JSON.stringify({ model: "llama3.2", messages: [{ role: "user", content: "x" }], stream: false });

beforeAll(async () => {
  gateway = await startGateway({
    environments: ["dev", "prod"],
    // Otherwise the keys of who is disabled are revoked, and say so.
    environmentYaml: "    keys: { onLeave: keep }\n",
    settings: { hosts: ["gateway.example"], corsOrigins: ["https://app.example"] },
  });
  ({ key, id } = await gateway.issue());
});
afterAll(() => gateway.stop());
beforeEach(() => void (gateway.upstream().seen.length = 0));

async function expectCode(
  answer: { status: number; text?: () => Promise<string>; body?: unknown },
  status: number,
  code: string,
): Promise<void> {
  const body = answer.text ? await answer.text() : (answer.body as string);
  expect([answer.status, codeOf(body)]).toEqual([status, code]);
  expect(gateway.upstream().seen).toEqual([]);
}

/** A request with these header lines, raw. */
function raw(
  lines: readonly string[],
  body = chat,
  target = "/api/chat",
  method = "POST",
): Promise<{ status: number; body: string; headers: Readonly<Record<string, string>> }> {
  const head = [
    `${method} ${target} HTTP/1.1`,
    "host: 127.0.0.1",
    `content-length: ${Buffer.byteLength(body)}`,
    ...lines,
  ].join("\r\n");
  return gateway.raw(`${head}\r\n\r\n${body}`);
}

describe("who", () => {
  test("no credential", async () => expectCode(await raw([]), 401, "credential_missing"));
  test("no key of ours", async () =>
    expectCode(await raw(["authorization: Bearer ollama"]), 401, "credential_malformed"));
  test("an edited environment", async () =>
    expectCode(
      await raw([`authorization: Bearer ${key.replace("sp_dev_", "sp_prod_")}`]),
      401,
      "credential_malformed",
    ));
  test("an admin key is no API key", async () =>
    expectCode(await raw([`authorization: Bearer ${gateway.adminKey}`]), 401, "credential_malformed"));
  test("an unknown id and a wrong secret get one code", async () => {
    const unknown = formatKeyText("sp", "dev", "0".repeat(12), "1".repeat(43));
    const wrong = formatKeyText("sp", "dev", id, "1".repeat(43));
    await expectCode(await raw([`authorization: Bearer ${unknown}`]), 401, "key_unknown");
    await expectCode(await raw([`authorization: Bearer ${wrong}`]), 401, "key_unknown");
    const elsewhere = formatKeyText("sp", "prod", id, key.slice(-49, -6));
    await expectCode(await raw([`authorization: Bearer ${elsewhere}`]), 401, "key_unknown");
  });
  test("two credentials, and the same twice but for one pair of headers", async () => {
    const other = formatKeyText("sp", "dev", id, "1".repeat(43));
    await expectCode(await raw([`authorization: Bearer ${key}`, `x-api-key: ${other}`]), 400, "credential_ambiguous");
    await expectCode(await raw([`x-api-key: ${other}`, `authorization: Bearer ${key}`]), 400, "credential_ambiguous");
    await expectCode(await raw([`x-api-key: ${key}`, `api-key: ${key}`]), 400, "credential_ambiguous");
    await expectCode(
      await raw([`authorization: Bearer ${key}`, `authorization: Bearer ${key}`]),
      400,
      "credential_ambiguous",
    );
  });
  test.each([
    ["Bearer", () => `authorization: Bearer ${key}`],
    ["x-api-key", () => `x-api-key: ${key}`],
    ["api-key", () => `api-key: ${key}`],
    ["Bearer and x-api-key with the same key", () => `authorization: Bearer ${key}\r\nx-api-key: ${key}`],
    ["Basic", () => `authorization: Basic ${Buffer.from(`any:${key}`).toString("base64")}`],
  ])("%s is read", async (_, line) => {
    expect((await raw([line()])).status).toBe(200);
  });
  test.each([
    ["no key of ours", () => "authorization: Bearer ollama", chat, 401, "false"],
    ["a body that is none", () => `authorization: Bearer ${key}`, "{", 400, undefined],
  ])("whether to send it again is told: %s", async (_, line, body, status, said) => {
    const answer = await raw([line()], body, "/v1/messages");
    expect([answer.status, answer.headers["x-should-retry"]]).toEqual([status, said]);
  });
  test("a key in the query is refused", async () =>
    expectCode(await raw([], chat, `/api/chat?key=${key}`), 400, "query_not_accepted"));

  test("suspended, resumed, revoked: told only to who holds the secret", async () => {
    const other = await gateway.issue();
    const line = `authorization: Bearer ${other.key}`;
    const forged = `authorization: Bearer ${formatKeyText("sp", "dev", other.id, "2".repeat(43))}`;
    await gateway.admin("POST", `/v1/keys/${other.id}/suspend`);
    await expectCode(await raw([line]), 401, "key_suspended");
    await expectCode(await raw([forged]), 401, "key_unknown");
    await gateway.admin("POST", `/v1/keys/${other.id}/resume`);
    expect((await raw([line])).status).toBe(200);
    gateway.upstream().seen.length = 0;
    await gateway.admin("POST", `/v1/keys/${other.id}/revoke`);
    await expectCode(await raw([line]), 401, "key_revoked");
    await expectCode(await raw([forged]), 401, "key_unknown");
    await expect(gateway.admin("POST", `/v1/keys/${other.id}/resume`)).rejects.toThrow(/409|422/);
  });

  test("a disabled owner", async () => {
    const other = await gateway.issue();
    const shown = await gateway.admin<{ owner: string }>("GET", `/v1/keys/${other.id}`);
    await gateway.admin("POST", `/v1/principals/${shown.owner}/disable`);
    await expectCode(await raw([`authorization: Bearer ${other.key}`]), 401, "owner_disabled");
  });

  test("a lifetime beyond the environment's maximum is refused, not clamped", async () => {
    await expect(gateway.issue({ ttl: "91d" })).rejects.toThrow(/lifetime_exceeds_maximum/);
  });
});

describe("the request line, headers and body", () => {
  const auth = (): string => `authorization: Bearer ${key}`;
  test("a long target", async () =>
    expectCode(await raw([auth()], chat, `/api/${"a".repeat(3000)}`), 414, "target_too_long"));
  test("large headers", async () =>
    expectCode(await raw([auth(), `x-a: ${"a".repeat(20_000)}`]), 431, "headers_too_large"));
  test("another host name", async () => {
    const answer = await gateway.raw(`POST /api/chat HTTP/1.1\r\nhost: evil.example\r\ncontent-length: 2\r\n\r\n{}`);
    await expectCode(answer, 421, "host_unknown");
    const known = await gateway.raw(`GET /healthz HTTP/1.1\r\nhost: gateway.example\r\n\r\n`);
    expect(known.status).toBe(200);
  });
  test("a declared size beyond the endpoint's", async () =>
    expectCode(
      await gateway.raw(`POST /api/show HTTP/1.1\r\nhost: localhost\r\n${auth()}\r\ncontent-length: 70000\r\n\r\n`),
      413,
      "body_too_large",
    ));
  test("a size beyond the endpoint's, in chunks", async () => {
    const head = `POST /api/show HTTP/1.1\r\nhost: localhost\r\n${auth()}\r\ntransfer-encoding: chunked\r\n\r\n`;
    await expectCode(
      await gateway.raw(`${head}${(70_000).toString(16)}\r\n${"a".repeat(70_000)}\r\n0\r\n\r\n`),
      413,
      "body_too_large",
    );
  });
  test("nobody uploads what he may not send", async () => {
    const head = `POST /api/create HTTP/1.1\r\nhost: localhost\r\n${auth()}\r\ncontent-length: 1000000\r\nexpect: 100-continue\r\n\r\n`;
    await expectCode(await gateway.raw(head), 403, "permission_denied");
  });
  test.each(["gzip", "zstd", "br", "deflate", "gzip, zstd"])("a body compressed with %s", async (encoding) => {
    for (const path of ["/api/chat", "/v1/chat/completions", "/v1/responses", "/v1/messages"]) {
      const answer = await raw([auth(), `content-encoding: ${encoding}`], "{}", path);
      await expectCode(answer, 415, "encoding_unsupported");
      expect(answer.body).toContain("send no `content-encoding` header");
    }
  });
  test("a path that a wrong base URL made, with the path that exists", async () => {
    const answer = await raw([auth()], "{}", "/v1/chat/completions/");
    await expectCode(answer, 404, "endpoint_unknown");
    expect(answer.body).toContain("the path is /v1/chat/completions, check the base URL");
    expect((await raw([auth()], "{}", "//api/chat")).body).toContain("remove the slash at the end of the base URL");
  });
  test("a repeated content-type", async () =>
    expectCode(await raw([auth(), "content-type: a/b", "content-type: c/d"]), 400, "header_malformed"));
  test("a body where none is accepted", async () =>
    expectCode(await raw([auth()], "{}", "/api/tags", "GET"), 400, "body_not_accepted"));
  test("a tunnel", async () => {
    const answer = await gateway.raw("CONNECT there:443 HTTP/1.1\r\nhost: localhost\r\n\r\n");
    expect(answer.status).toBe(400);
  });
  test("bytes that are no HTTP", async () =>
    expectCode(await gateway.raw("\x16\x03\x01\x02\r\n\r\n"), 400, "header_malformed"));
});

describe("shapes", () => {
  test("Ollama's", async () => {
    const { body, headers } = await raw(["authorization: Bearer x"]);
    expect(JSON.parse(body)).toMatchObject({
      error: expect.any(String),
      status: expect.any(String),
      code: "credential_malformed",
    });
    expect(headers["www-authenticate"]).toContain("Bearer");
    expect(headers["x-request-id"]).toMatch(/^req_/);
  });
  test("OpenAI's", async () => {
    const { body } = await raw(["authorization: Bearer x"], chat, "/v1/chat/completions");
    expect(JSON.parse(body)).toMatchObject({
      error: { type: "authentication_error", code: "credential_malformed", param: null },
    });
  });
  test("Anthropic's", async () => {
    const { body } = await raw(["authorization: Bearer x"], chat, "/v1/messages");
    expect(JSON.parse(body)).toMatchObject({
      type: "error",
      error: { type: "authentication_error" },
      request_id: expect.stringMatching(/^req_/),
    });
  });
});

describe("answered without a key, by constants", () => {
  test.each([
    ["GET", "/", "Ollama is running"],
    ["HEAD", "/", ""],
    ["GET", "/api/version", '"version"'],
    ["GET", "/healthz", "ok"],
    ["GET", "/readyz", "ready"],
  ])("%s %s", async (method, path, text) => {
    const answer = await fetch(gateway.url + path, { method });
    expect(answer.status).toBe(200);
    expect(await answer.text()).toContain(text);
    expect(gateway.upstream().seen).toEqual([]);
  });

  test.each([
    ["GET", "/healthz", 200, "ok"],
    ["GET", "/readyz", 200, "ready"],
    ["HEAD", "/healthz", 200, ""],
    ["POST", "/healthz", 404, ""],
  ])("the admin listener: %s %s is %i", async (method, path, status, word) => {
    const answer = await fetch(gateway.gateway.adminUrl + path, { method });
    expect(answer.status).toBe(status);
    expect(await answer.text()).toContain(word);
  });

  test("CORS: only for listed origins, before authentication", async () => {
    const preflight = (origin: string): Promise<Response> =>
      fetch(`${gateway.url}/api/chat`, {
        method: "OPTIONS",
        headers: { origin, "access-control-request-method": "POST" },
      });
    expect((await preflight("https://app.example")).headers.get("access-control-allow-origin")).toBe(
      "https://app.example",
    );
    const other = await preflight("https://evil.example");
    expect([other.status, other.headers.get("access-control-allow-origin")]).toEqual([403, null]);
    expect(codeOf(await other.text())).toBe("origin_denied");
  });

  test("CORS: a listed origin may send the headers it asks for; log-in and OAuth are closed to it", async () => {
    const preflight = (path: string, names: string): Promise<Response> =>
      fetch(gateway.url + path, {
        method: "OPTIONS",
        headers: {
          origin: "https://app.example",
          "access-control-request-method": "POST",
          "access-control-request-headers": names,
        },
      });
    const allowed = (await preflight("/v1/chat/completions", "authorization,x-stainless-os,x-stainless-retry-count"))
      .headers;
    expect(allowed.get("access-control-allow-headers")).toMatch(/x-stainless-os, x-stainless-retry-count$/);
    const odd = (await preflight("/v1/chat/completions", `a b, \u00e4, ok,${"x".repeat(100)}`)).headers;
    expect(odd.get("access-control-allow-headers")).toMatch(/anthropic-beta, ok$/);
    for (const path of ["/oauth/token", "/login", "/login/code"])
      expect([path, (await preflight(path, "authorization")).status]).toEqual([path, 403]);
    const token = await fetch(`${gateway.url}/oauth/token`, {
      method: "POST",
      headers: { origin: "https://app.example" },
    });
    expect(token.headers.get("access-control-allow-origin")).toBeNull();
  });
});

test("what the upstream adds of its own does not come down, and nothing of the caller's goes up", async () => {
  const answer = await gateway.post("/api/chat", key, chat, {
    cookie: "a=b",
    "x-forwarded-for": "6.6.6.6",
    origin: "https://app.example",
    "x-own": "1",
  });
  expect(answer.status).toBe(200);
  expect(answer.headers.get("set-cookie")).toBeNull();
  expect(answer.headers.get("x-from-upstream")).toBeNull();
  const seen = gateway.upstream().seen[0]!;
  expect(Object.keys(seen.headers).sort()).toEqual([
    "accept",
    "connection",
    "content-length",
    "content-type",
    "host",
    "user-agent",
  ]);
  expect(JSON.stringify(seen.rawHeaders)).not.toContain(key);
});

test("who is refused in the middle of an upload reads why: his next write does not meet a closed connection", async () => {
  const { hostname, port } = new URL(gateway.url);
  const piece = Buffer.concat([Buffer.from("18000\r\n"), Buffer.alloc(0x18000, "x"), Buffer.from("\r\n")]);
  let seen = "";
  const socket = connect(Number(port), hostname);
  const ended = new Promise<Error | undefined>((resolve) =>
    socket.once("error", resolve).once("close", () => resolve(undefined)),
  );
  const refused = new Promise<void>((resolve) =>
    socket.on("data", (chunk: Buffer) => {
      seen += chunk.toString("latin1");
      if (seen.includes('"code":"permission_denied"')) resolve();
    }),
  );
  const head = `POST /api/blobs/sha256:${"0".repeat(64)} HTTP/1.1`;
  socket.write(`${head}\r\nhost: localhost\r\nauthorization: Bearer ${key}\r\ntransfer-encoding: chunked\r\n\r\n`);
  socket.write(piece);
  await refused;
  expect(seen.split("\r\n")[0]).toBe("HTTP/1.1 403 Forbidden");
  expect(seen.toLowerCase()).toContain("connection: close");
  await new Promise<void>((resolve, reject) => socket.write(piece, (cause) => (cause ? reject(cause) : resolve())));
  socket.end("0\r\n\r\n");
  expect(await ended).toBeUndefined();
});
