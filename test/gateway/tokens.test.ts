/** Keys turn into short-lived tokens: asked for by a certified client library, used by requests, narrower at every step. */
import { generateKeyPairSync, sign } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { openGateway, rekey } from "../program-under-test.ts";
import type { Clock } from "../program-under-test.ts";
import { codeOf, startGateway } from "./started-gateway.ts";
import type { IssuedKey, StartedGateway } from "./started-gateway.ts";
import { basic, CHAT, part, TokenDesk } from "./token-desk.ts";

let aheadMs = 0;
const clock: Clock = { now: () => Date.now() + aheadMs, monotonic: () => performance.now() };
let gateway: StartedGateway;
let key: IssuedKey;
let desk: TokenDesk;

beforeAll(async () => {
  gateway = await startGateway({
    environments: ["dev", "prod"],
    clock,
    moreYaml: "roles:\n  near: { allow: [{ do: [infer:chat], on: [llama3.2] }], networks: [127.0.0.0/8] }\n",
  });
  // Proofs and assertions of before its start are refused: it cannot know which were used.
  aheadMs += 10_000;
});
afterAll(() => gateway.stop());
beforeEach(async () => {
  key = await gateway.issue({
    allow: ["infer:chat", "models:list", "models:delete", "tokens:introspect"],
    models: ["llama3.2", "qwen3:*"],
  });
  desk = new TokenDesk(gateway, key);
});

const ask: TokenDesk["ask"] = (...asked) => desk.ask(...asked);
const mint: TokenDesk["mint"] = (...asked) => desk.mint(...asked);
const chat: TokenDesk["chat"] = (...asked) => desk.chat(...asked);

describe("client credentials", () => {
  it("a key's id and the key give an at+jwt that works as the key does, and says what it is", async () => {
    const { status, body, headers } = await ask("/oauth/token", { grant_type: "client_credentials" });
    expect(status).toBe(200);
    expect(headers.get("cache-control")).toBe("no-store");
    expect(body).toMatchObject({
      token_type: "Bearer",
      scope: "infer:chat models:delete models:list tokens:introspect",
    });
    const token = String(body["access_token"]);
    expect(part(token, 0)).toMatchObject({ typ: "at+jwt", alg: "ES256" });
    expect(part(token, 1)).toMatchObject({
      iss: `${gateway.url}/e/dev`,
      aud: `${gateway.url}/e/dev`,
      client_id: key.id,
      environment: "dev",
    });
    expect(await chat(token)).toBe("allowed");
    expect(await chat(token, "mistral")).toBe("model_denied");
  });

  it("it only shrinks: permissions, models and lifetime", async () => {
    const narrow = await mint({ scope: "infer:chat", models: "qwen3:8b", expires_in: "120" });
    expect(await chat(narrow, "qwen3:8b")).toBe("allowed");
    expect(await chat(narrow)).toBe("model_denied");
    expect((await fetch(`${gateway.url}/api/tags`, { headers: { authorization: `Bearer ${narrow}` } })).status).toBe(
      403,
    );
    const { exp, iat } = part(narrow, 1) as { exp: number; iat: number };
    expect(exp - iat).toBe(120);
    for (const form of [
      { scope: "models:pull" },
      { models: "mistral" },
      { models: "llama3.2:*" },
      { scope: "nonsense" },
    ]) {
      const said = await ask("/oauth/token", { grant_type: "client_credentials", ...form } as Record<string, string>);
      expect([form, said.status, said.body["error"]]).toEqual([form, 400, "invalid_scope"]);
    }
  });

  it("ends with its time, with its key, and with its owner", async () => {
    const token = await mint({ expires_in: "60" });
    expect(await chat(token)).toBe("allowed");
    aheadMs += 61_000;
    expect(await chat(token)).toBe("token_expired");
    const next = await mint();
    await gateway.admin("POST", `/v1/keys/${key.id}/suspend`);
    expect(await chat(next)).toBe("key_suspended");
    await gateway.admin("POST", `/v1/keys/${key.id}/resume`);
    expect(await chat(next)).toBe("allowed");
    await gateway.admin("POST", `/v1/keys/${key.id}/revoke`);
    expect(await chat(next)).toBe("key_revoked");
  });

  it("a running stream of a token is cut when its key is revoked", async () => {
    const token = await mint();
    gateway.upstream().intercept = (_seen, response) => {
      response.writeHead(200, { "content-type": "application/x-ndjson" });
      response.write('{"model":"m","created_at":"x","message":{"role":"assistant","content":"a"},"done":false}\n');
      return true;
    };
    const running = await gateway.post("/api/chat", token, { ...CHAT, stream: true });
    await gateway.admin("POST", `/v1/keys/${key.id}/revoke`);
    const last = (await running.text()).trim().split("\n").at(-1)!;
    gateway.upstream().intercept = undefined;
    expect(codeOf(last)).toBe("key_revoked");
  });

  it("survives a restart: signing keys are on disk, sealed", async () => {
    const named = await startGateway({ clock, settings: { publicUrl: "https://models.example.org" } });
    try {
      const held = await named.issue();
      const headers = { ...basic(held), "content-type": "application/x-www-form-urlencoded" };
      const got = await fetch(`${named.url}/oauth/token`, {
        method: "POST",
        headers,
        body: "grant_type=client_credentials",
      });
      const { access_token: token } = (await got.json()) as { access_token: string };
      expect(part(token, 1)["iss"]).toBe("https://models.example.org/e/dev");
      await named.restart();
      expect((await named.post("/api/chat", token, CHAT)).status).toBe(200);
      // Under another key-encryption key they are the same keys.
      await named.gateway.close(1_000);
      expect((await rekey(named.settings, null, () => {})).records).toBeGreaterThan(3);
      named.gateway = await openGateway(named.settings, { clock });
      expect((await named.post("/api/chat", token, CHAT)).status).toBe(200);
      expect(
        (await fetch(`${named.url}/oauth/revoke`, { method: "POST", headers, body: `token=${token}` })).status,
      ).toBe(200);
      await named.restart();
      expect(codeOf(await (await named.post("/api/chat", token, CHAT)).text())).toBe("token_unknown");
      for (const name of ["sallyport.db", "sallyport.db-wal"])
        expect(readFileSync(join(named.directory, name), "latin1")).not.toContain("PRIVATE KEY");
    } finally {
      await named.stop();
    }
  });

  it.each([
    ["a secret in the body", { client_id: "x", client_secret: "y" }, {}, 400, "invalid_request"],
    ["no client", {}, { authorization: "" }, 401, "invalid_client"],
    ["another grant", { grant_type: "password" }, undefined, 400, "unsupported_grant_type"],
    ["a parameter nobody knows", { nonsense: "1" }, undefined, 400, "invalid_request"],
    ["another audience", { audience: "https://other.example" }, undefined, 400, "invalid_scope"],
  ])("refuses %s", async (_, form, headers, status, error) => {
    const said = await ask(
      "/oauth/token",
      { grant_type: "client_credentials", ...form } as Record<string, string>,
      headers as Record<string, string> | undefined,
    );
    expect([said.status, said.body["error"]]).toEqual([status, error]);
  });

  it("refuses a repeated parameter, another id than the key's, and another environment's path", async () => {
    const answer = await fetch(`${gateway.url}/oauth/token`, {
      method: "POST",
      headers: { ...basic(key), "content-type": "application/x-www-form-urlencoded" },
      body: "grant_type=client_credentials&grant_type=client_credentials",
    });
    expect(answer.status).toBe(400);
    expect(
      (await ask("/oauth/token", { grant_type: "client_credentials", client_id: "aaaaaaaaaaaa" })).body["error"],
    ).toBe("invalid_client");
    expect((await ask("/e/prod/oauth/token", { grant_type: "client_credentials" })).body["error"]).toBe(
      "invalid_client",
    );
    expect((await ask("/e/dev/oauth/token", { grant_type: "client_credentials" })).status).toBe(200);
    expect(
      (await fetch(`${gateway.url}/e/dev/api/tags`, { headers: { authorization: `Bearer ${key.key}` } })).status,
    ).toBe(404);
  });

  it("minting is rate-limited", async () => {
    const said = await Promise.all(
      Array.from({ length: 70 }, () => ask("/oauth/token", { grant_type: "client_credentials" })),
    );
    expect(said.filter(({ status }) => status === 200)).toHaveLength(60);
    expect(said.find(({ status }) => status === 429)?.headers.get("retry-after")).toBeTruthy();
  });

  it("where policy wants tokens, the key alone opens nothing", async () => {
    const strict = await startGateway({ environmentYaml: "    tokens: { only: true, ttl: 5m }\n" });
    try {
      const only = await strict.issue();
      const refused = await strict.post("/api/chat", only.key, CHAT);
      expect(codeOf(await refused.text())).toBe("token_required");
      const headers = { ...basic(only), "content-type": "application/x-www-form-urlencoded" };
      const got = await fetch(`${strict.url}/oauth/token`, {
        method: "POST",
        headers,
        body: "grant_type=client_credentials",
      });
      const { access_token: token, expires_in: seconds } = (await got.json()) as {
        access_token: string;
        expires_in: number;
      };
      expect(seconds).toBe(300);
      expect((await strict.post("/api/chat", token, CHAT)).status).toBe(200);
    } finally {
      await strict.stop();
    }
  });
});

describe("what is no token of ours", () => {
  it.each([
    ["alg none", (header: Record<string, unknown>) => ({ ...header, alg: "none" }), (claims: object) => claims],
    [
      "HMAC under the public key",
      (header: Record<string, unknown>) => ({ ...header, alg: "HS256" }),
      (claims: object) => claims,
    ],
    [
      "another kid",
      (header: Record<string, unknown>) => ({ ...header, kid: "aaaaaaaaaaaaaaaa" }),
      (claims: object) => claims,
    ],
    [
      "more scope",
      (header: Record<string, unknown>) => header,
      (claims: object) => ({ ...claims, scope: "infer:chat models:pull" }),
    ],
    [
      "another environment",
      (header: Record<string, unknown>) => header,
      (claims: object) => ({ ...claims, environment: "prod" }),
    ],
    [
      "a later end",
      (header: Record<string, unknown>) => header,
      (claims: object) => ({ ...claims, exp: 9_999_999_999 }),
    ],
  ])("%s", async (_, withHeader, withClaims) => {
    const token = await mint();
    const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");
    const forged = `${encode(withHeader(part(token, 0)))}.${encode(withClaims(part(token, 1)))}.${token.split(".")[2]}`;
    expect(await chat(forged)).toBe("token_unknown");
  });

  it("a token signed by ourselves with another key, and one of another issuer", async () => {
    const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const token = await mint();
    const [header, claims] = token.split(".") as [string, string];
    const signature = sign("sha256", Buffer.from(`${header}.${claims}`), {
      key: privateKey,
      dsaEncoding: "ieee-p1363",
    });
    expect(await chat(`${header}.${claims}.${signature.toString("base64url")}`)).toBe("token_unknown");
  });

  it("a dev token says nothing in prod", async () => {
    const prod = await gateway.issue({ environment: "prod" });
    const token = await mint({}, basic(prod));
    expect(part(token, 1)).toMatchObject({ environment: "prod", iss: `${gateway.url}/e/prod` });
    expect(await chat(token)).toBe("allowed");
    const introspected = await ask("/oauth/introspect", { token });
    expect(introspected.body).toEqual({ active: false });
  });
});

describe("token exchange", () => {
  const EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange";
  const TYPE = "urn:ietf:params:oauth:token-type:access_token";

  it("narrows a token further, keeps who acted, and never lengthens", async () => {
    const first = await mint({ scope: "infer:chat models:list", models: "qwen3:*", expires_in: "300" });
    const form = {
      grant_type: EXCHANGE,
      subject_token: first,
      subject_token_type: TYPE,
      scope: "infer:chat",
      models: "qwen3:8b",
      expires_in: "3600",
    };
    const { status, body } = await ask("/oauth/token", form);
    expect([status, body["issued_token_type"]]).toEqual([200, TYPE]);
    const second = String(body["access_token"]);
    const claims = part(second, 1) as { exp: number; act: object };
    expect(claims.exp).toBeLessThanOrEqual((part(first, 1) as { exp: number }).exp);
    expect(claims.act).toEqual({ sub: (part(first, 1) as { jti: string }).jti });
    expect(await chat(second, "qwen3:8b")).toBe("allowed");
    for (const wider of [{ scope: "models:delete" }, { models: "llama3.2" }])
      expect((await ask("/oauth/token", { ...form, subject_token: second, ...wider })).body["error"]).toBe(
        "invalid_scope",
      );
    const stranger = await gateway.issue();
    expect((await ask("/oauth/token", form, basic(stranger))).body["error"]).toBe("invalid_grant");
  });
});

describe("introspection and revocation", () => {
  it("tells who holds the right what a token is worth, and only then", async () => {
    const token = await mint({ scope: "infer:chat" });
    const { body } = await ask("/oauth/introspect", { token });
    expect(body).toMatchObject({ active: true, scope: "infer:chat", client_id: key.id, environment: "dev" });
    const plain = await gateway.issue();
    expect((await ask("/oauth/introspect", { token }, basic(plain))).body["error"]).toBe("unauthorized_client");
    await gateway.admin("POST", `/v1/keys/${key.id}/suspend`);
    const other = await gateway.issue({ allow: ["tokens:introspect"] });
    expect((await ask("/oauth/introspect", { token }, basic(other))).body).toEqual({ active: false });
  });

  it("a client ends its own token, for good and at once, and no other's", async () => {
    const token = await mint();
    const stranger = await gateway.issue();
    expect((await ask("/oauth/revoke", { token }, basic(stranger))).body["error"]).toBe("unauthorized_client");
    expect(await chat(token)).toBe("allowed");
    expect([
      (await ask("/oauth/revoke", { token })).status,
      (await ask("/oauth/revoke", { token: "nonsense" })).status,
    ]).toEqual([200, 200]);
    expect(await chat(token)).toBe("token_unknown");
    const revoked = async (): Promise<number> =>
      ((await gateway.admin("GET", "/v1/audit?type=token.revoked&limit=100")) as { records: unknown[] }).records.length;
    const before = await revoked();
    expect((await ask("/oauth/revoke", { token })).status).toBe(200);
    expect(await revoked()).toBe(before);
  });
});

it("a token does not become a key: rotating oneself takes the key", async () => {
  const own = await gateway.issue({ allow: ["infer:chat", "self:rotate"] });
  const token = await mint({ scope: "self:rotate" }, basic(own));
  const asked = JSON.stringify({ idempotencyKey: "0123456789abcdef" });
  const answer = await gateway.post("/sallyport/key/rotate", token, asked);
  expect([answer.status, codeOf(await answer.text())]).toEqual([403, "permission_denied"]);
});

describe("factors", () => {
  it("apply when a token is made and again when it is used", async () => {
    const bound = await gateway.issue({ roles: [], networks: ["127.0.0.0/8"] } as object);
    const token = await mint({}, basic(bound));
    expect(await chat(token)).toBe("allowed");
    await gateway.admin("POST", `/v1/keys/${bound.id}/factors`, { networks: ["10.0.0.0/8"] });
    expect(await chat(token)).toBe("network_denied");
    expect((await ask("/oauth/token", { grant_type: "client_credentials" }, basic(bound))).body["code"]).toBe(
      "network_denied",
    );
    await gateway.admin("POST", `/v1/keys/${bound.id}/factors`, { networks: null, require: ["signature"] });
    expect((await ask("/oauth/token", { grant_type: "client_credentials" }, basic(bound))).body["code"]).toBe(
      "signature_missing",
    );
    expect(await chat(token)).toBe("signature_missing");
  });
});

// The last one: it sets the clock on by months.
it("signing keys change every 30 days: what the last one signed holds to its end, and then it is published no more", async () => {
  const DAY_MS = 86_400_000;
  const published = async (): Promise<string[]> => {
    const answer = await fetch(`${gateway.url}/e/dev/.well-known/jwks.json`);
    return ((await answer.json()) as { keys: { kid: string }[] }).keys.map(({ kid }) => kid);
  };
  const kidOf = (token: string): string => String((part(token, 0) as { kid: string }).kid);
  aheadMs += 31 * DAY_MS;
  const first = await mint({});
  aheadMs += 30 * DAY_MS - 60_000;
  const last = await mint({});
  expect(kidOf(last)).toBe(kidOf(first));
  aheadMs += 120_000;
  const next = await mint({});
  expect(kidOf(next)).not.toBe(kidOf(last));
  expect((await published()).slice(0, 2)).toEqual([kidOf(next), kidOf(last)]);
  expect([await chat(last), await chat(next)]).toEqual(["allowed", "allowed"]);
  aheadMs += DAY_MS;
  expect(await published()).toEqual([kidOf(next)]);
});
