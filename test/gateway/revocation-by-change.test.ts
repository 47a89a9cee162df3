/**
 * A role removed, by each road there is: the next request is refused, a running stream is cut within a second, the
 * ledger says why. Over real sockets, with a provider of its own on loopback.
 */
import type { ServerResponse } from "node:http";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { IdentityProvider } from "./identity-provider.ts";
import { codeOf, startGateway } from "./started-gateway.ts";
import type { StartedGateway } from "./started-gateway.ts";

const BOUND_MS = 1_000;
const body = { model: "llama3.2", messages: [{ role: "user", content: "x" }] };

let provider: IdentityProvider;
let gateway: StartedGateway;
let scimKey: string;
let ada: string;
let team: string;
let key: { id: string; key: string };

beforeEach(async () => {
  provider = await new IdentityProvider().start();
  gateway = await startGateway({
    settings: { identity: provider.settings },
    environmentYaml: "    keys: { onSignOut: revoke }\n",
    moreYaml:
      "roles:\n  bot: { allow: [{ do: [infer:chat], on: [llama3.2] }] }\nassign: [{ group: team, role: bot, in: [dev] }]\n",
  });
  const admin = await gateway.admin<{ key: string }>("POST", "/v1/admin-keys", {
    name: "directory",
    role: "provisioner",
    environments: "*",
    mayGrant: { allow: ["infer:chat"], models: ["llama3.2"] },
  });
  scimKey = admin.key;
  ada = await provisioned("/Users", {
    schemas: ["urn:ietf:params:scim:schemas:core:2.0:User"],
    userName: "ada",
    externalId: "s1",
  });
  team = await provisioned("/Groups", {
    schemas: ["urn:ietf:params:scim:schemas:core:2.0:Group"],
    displayName: "team",
    members: [{ value: ada }],
  });
  provider.users = [{ id: "s1", active: true }];
  provider.groups = [{ displayName: "team", members: [{ value: "s1" }] }];
  key = await gateway.issue({ owner: "ada", roles: ["bot"], allow: [] });
});

afterEach(async () => {
  await gateway.stop();
  provider.stop();
});

async function scim(method: string, path: string, message: object): Promise<Response> {
  return fetch(`${gateway.gateway.adminUrl}/scim/v2${path}`, {
    method,
    headers: { authorization: `Bearer ${scimKey}`, "content-type": "application/scim+json" },
    body: JSON.stringify(message),
  });
}

async function provisioned(path: string, message: object): Promise<string> {
  const answer = await scim("POST", path, message);
  expect(answer.status).toBe(201);
  return ((await answer.json()) as { id: string }).id;
}

/** A chat that streams its first piece and then never ends by itself; answers its last line. */
async function runningChat(): Promise<{ last: Promise<string>; upstreamClosed: Promise<void> }> {
  const upstreamClosed = new Promise<void>((resolve) => {
    gateway.upstream().intercept = (_seen, response: ServerResponse) => {
      response.writeHead(200, { "content-type": "application/x-ndjson" });
      response.write('{"model":"m","created_at":"x","message":{"role":"assistant","content":"a"},"done":false}\n');
      response.on("close", resolve);
      return true;
    };
  });
  const answer = await gateway.post("/api/chat", key.key, body);
  const reader = answer.body!.getReader();
  await reader.read();
  const last = (async () => {
    let text = "";
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return text.trim().split("\n").at(-1)!;
      text += Buffer.from(value).toString("utf8");
    }
  })();
  return { last, upstreamClosed };
}

async function ledger(type: string): Promise<Record<string, unknown>[]> {
  const { records } = await gateway.admin<{ records: { fields: Record<string, unknown> }[] }>(
    "GET",
    `/v1/audit?type=${type}&limit=50`,
  );
  return records.map(({ fields }) => fields);
}

const roads: [string, () => Promise<unknown>, { source: string; event: RegExp; reason: string }][] = [
  [
    "SCIM",
    async () => {
      const said = await scim("PATCH", `/Groups/${team}`, {
        schemas: ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        Operations: [{ op: "Remove", path: "members", value: [{ value: ada }] }],
      });
      expect(said.status).toBe(204);
    },
    { source: "scim", event: /^PATCH Groups\//, reason: "role_lost" },
  ],
  [
    "a CAEP event that is pushed",
    async () => {
      const text = await provider.event("s1", "token-claims-change", { claims: { groups: [] } }, "push-1");
      expect((await provider.push(gateway.gateway.adminUrl, text)).status).toBe(202);
    },
    { source: "caep", event: /^push-1$/, reason: "role_lost" },
  ],
  [
    "a CAEP event that is polled",
    async () => {
      provider.waiting.set(
        "poll-1",
        await provider.event("s1", "token-claims-change", { claims: { groups: [] } }, "poll-1"),
      );
      await gateway.gateway.reload();
      expect(provider.waiting.size).toBe(0);
    },
    { source: "caep", event: /^poll-1$/, reason: "role_lost" },
  ],
  [
    "a back-channel log-out",
    async () => {
      const text = await provider.logOutToken("s1", "out-1");
      expect((await provider.logOut(gateway.gateway.adminUrl, text)).status).toBe(200);
    },
    { source: "logout", event: /^out-1$/, reason: "owner_signed_out" },
  ],
  [
    "a look at the directory",
    async () => {
      provider.groups = [];
      await gateway.gateway.reload();
    },
    { source: "directory", event: /^look 2/, reason: "role_lost" },
  ],
  [
    "a look that finds the person gone",
    async () => {
      provider.users = [{ id: "s9", active: true }];
      await gateway.gateway.reload();
    },
    { source: "directory", event: /^look 2/, reason: "owner_left" },
  ],
  [
    "an administrator",
    () => gateway.admin("POST", `/v1/principals/${ada}/disable`),
    { source: "admin", event: /^principals\.disable$/, reason: "owner_left" },
  ],
];

describe("a role removed by", () => {
  test.each(roads)("%s", async (name, remove, why) => {
    const { last, upstreamClosed } = await runningChat();
    const from = performance.now();
    await remove();
    const code = codeOf(await last);
    const tookMs = performance.now() - from;
    await upstreamClosed;
    console.log(`cut ${tookMs.toFixed(1)} ms after it was said by ${name}`);
    expect(code).toBe("key_revoked");
    expect(tookMs).toBeLessThan(BOUND_MS);
    gateway.upstream().intercept = undefined;
    const next = await gateway.post("/api/chat", key.key, body);
    expect([next.status, codeOf(await next.text())]).toEqual([401, "key_revoked"]);
    expect(await ledger("key.revoked")).toMatchObject([
      {
        key: key.id,
        owner: ada,
        reason: why.reason,
        source: why.source,
        source_event: expect.stringMatching(why.event),
      },
    ]);
    const shown = await gateway.admin<{ state: string; reason: string }>("GET", `/v1/keys/${key.id}`);
    expect(shown).toMatchObject({ state: "revoked", reason: why.reason });
  });
});

test("a role that is given back revives no key, and a new one works", async () => {
  await provider.push(
    gateway.gateway.adminUrl,
    await provider.event("s1", "token-claims-change", { claims: { groups: [] } }, "1"),
  );
  await provider.push(
    gateway.gateway.adminUrl,
    await provider.event("s1", "token-claims-change", { claims: { groups: ["team"] } }, "2"),
  );
  const old = await gateway.post("/api/chat", key.key, body);
  expect([old.status, codeOf(await old.text())]).toEqual([401, "key_revoked"]);
  const renewed = await gateway.issue({ owner: "ada", roles: ["bot"], allow: [] });
  const answer = await gateway.post("/api/chat", renewed.key, { ...body, stream: false });
  expect(answer.status).toBe(200);
});

test("high risk suspends; nothing of it is lost in a restart, and the event counts once", async () => {
  const text = await provider.event("s1", "risk-level-change", { current_level: "HIGH", principal: "USER" }, "risk-1");
  expect((await provider.push(gateway.gateway.adminUrl, text)).status).toBe(202);
  await gateway.restart();
  expect(await gateway.admin("GET", `/v1/keys/${key.id}`)).toMatchObject({
    state: "suspended",
    reason: "owner_at_risk",
  });
  await gateway.admin("POST", `/v1/keys/${key.id}/resume`);
  expect((await provider.push(gateway.gateway.adminUrl, text)).status).toBe(202);
  expect(await gateway.admin("GET", `/v1/keys/${key.id}`)).toMatchObject({ state: "active" });
  expect((await ledger("person.signalled")).map(({ says }) => says)).toEqual(["risk_high"]);
});

describe("nothing is done on doubt", () => {
  test("a provider that is down: events are kept by their sender, nobody loses or gains anything", async () => {
    provider.isDown = true;
    const text = await provider.event("s1", "token-claims-change", { claims: { groups: [] } }, "1");
    const said = await provider.push(gateway.gateway.adminUrl, text);
    expect([said.status, codeOf(await said.text())]).toEqual([503, "signals_unverifiable"]);
    expect((await provider.logOut(gateway.gateway.adminUrl, await provider.logOutToken("s1", "2"))).status).toBe(503);
    await gateway.gateway.reload();
    expect((await gateway.post("/api/chat", key.key, { ...body, stream: false })).status).toBe(200);
    const { text: metrics } = await scrape();
    expect(metrics).toMatch(/sallyport_identity_silent_seconds\{source="corp directory"\} [0-9.e-]+/);
    provider.isDown = false;
    expect((await provider.push(gateway.gateway.adminUrl, text)).status).toBe(202);
    expect(await gateway.admin("GET", `/v1/keys/${key.id}`)).toMatchObject({ state: "revoked" });
  });

  test("a push with another bearer, of another type, or of nothing", async () => {
    const { adminUrl } = gateway.gateway;
    const text = await provider.event("s1", "session-revoked", {}, "1");
    const refused = await provider.push(adminUrl, text, "another-secret-0123456789-0123456789");
    expect([refused.status, await refused.json()]).toMatchObject([401, { err: "authentication_failed" }]);
    const bare = await fetch(`${adminUrl}/ssf/events`, {
      method: "POST",
      body: text,
      headers: { "content-type": "application/secevent+jwt" },
    });
    expect(bare.status).toBe(401);
    const wrong = await provider.push(adminUrl, "nonsense");
    expect([wrong.status, await wrong.json()]).toMatchObject([400, { err: "invalid_request" }]);
    expect((await fetch(`${adminUrl}/ssf/events`)).status).toBe(405);
    const form = await fetch(`${adminUrl}/oidc/back-channel-logout`, {
      method: "POST",
      body: new URLSearchParams({ x: "y" }),
    });
    expect([form.status, await form.json()]).toMatchObject([400, { error: "invalid_request" }]);
    const twice = new URLSearchParams([
      ["logout_token", "a"],
      ["logout_token", "b"],
    ]);
    expect((await fetch(`${adminUrl}/oidc/back-channel-logout`, { method: "POST", body: twice })).status).toBe(400);
    expect(await ledger("key.revoked")).toEqual([]);
  });
});

async function scrape(): Promise<{ text: string }> {
  const answer = await fetch(`${gateway.gateway.adminUrl}/metrics`, {
    headers: { authorization: `Bearer ${gateway.adminKey}` },
  });
  return { text: await answer.text() };
}
