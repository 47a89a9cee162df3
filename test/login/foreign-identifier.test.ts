/**
 * The weakest provisioning key tries to become somebody who is strong in prod: by an id the provider will use one day, by a
 * changed id, by an invitation before the person is anybody, by a group an administrator assigns later. None of it counts
 * beyond what the key could hand out; and whoever provisions honestly notices nothing.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { openGateway } from "../program-under-test.ts";
import type { Clock, ProviderSettings } from "../program-under-test.ts";
import { codeOf } from "../gateway/started-gateway.ts";
import type { StartedGateway } from "../gateway/started-gateway.ts";
import { IdentityProvider } from "./identity-provider.ts";
import { DEVICE, LocalBrowser, LocalHouse, otpAt, PASSWORD } from "./local-browser.ts";
import { startWithProvider } from "./provider-gateway.ts";
import type { ProviderGateway } from "./provider-gateway.ts";
import { logInByProvider } from "./provider-browser.ts";
import type { Came } from "./provider-browser.ts";

const CHAT = { model: "llama3.2", messages: [{ role: "user", content: "hi" }], stream: false };
const USER = "urn:ietf:params:scim:schemas:core:2.0:User";
const GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group";
const PATCH_OP = "urn:ietf:params:scim:api:messages:2.0:PatchOp";
const POLICY = `
roles:
  bot: { allow: [{ do: [infer:chat], on: [llama3.2] }] }
assign:
  - { group: ml-team, role: bot, in: [dev, prod] }
`;

let aheadMs = 0;
const clock: Clock = { now: () => Date.now() + aheadMs, monotonic: () => performance.now() + aheadMs };
const provider = new IdentityProvider();
let started: ProviderGateway | undefined;
let gateway: StartedGateway;
let house: LocalHouse;
let counter = 0;

const corp = (): ProviderSettings => ({
  name: "corp",
  issuer: provider.url,
  keysUrl: `${provider.url}/jwks`,
  transmitter: null,
  audience: null,
  clientId: null,
  hasExternalIds: true,
  mayNameByEmail: false,
  groupsClaim: "groups",
  push: null,
  poll: null,
  directory: null,
});

beforeAll(async () => {
  const options = { clock, environments: ["dev", "prod"], moreYaml: POLICY };
  started = await startWithProvider(provider, options, () => ({ identity: { providers: [corp()] } }));
  ({ gateway } = started);
  house = new LocalHouse(gateway);
}, 60_000);
afterAll(() => started?.stop());
beforeEach(() => {
  aheadMs += 3_600_000;
});

/** A provisioning client; by default the weakest there is. */
async function provisioner(environments: readonly string[] | "*" = ["dev"], mayGrant?: object): Promise<string> {
  const body = { name: "scim", role: "provisioner", environments, ...(mayGrant ? { mayGrant } : {}) };
  return (await gateway.admin<{ key: string }>("POST", "/v1/admin-keys", body)).key;
}

async function scim(key: string, method: string, path: string, body?: object) {
  const answer = await fetch(`${gateway.gateway.adminUrl}/scim/v2${path}`, {
    method,
    headers: { authorization: `Bearer ${key}`, "content-type": "application/scim+json" },
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
  const text = await answer.text();
  return { status: answer.status, body: (text === "" ? {} : JSON.parse(text)) as Record<string, unknown> };
}

async function user(key: string, userName: string, externalId: string): Promise<string> {
  const made = await scim(key, "POST", "/Users", { schemas: [USER], userName, externalId, active: true });
  expect(made.status).toBe(201);
  return String(made.body["id"]);
}

/** Invited with `key`, with a password and an authenticator of the attacker's. */
async function enrol(id: string, key: string): Promise<string> {
  const { code } = await gateway.admin<{ code: string }>("POST", `/v1/principals/${id}/invite`, undefined, key);
  const { browser, secret } = await house.choose(code);
  await browser.post("/login/enrol", { state: browser.state, code: otpAt(secret, clock.now()) });
  expect(browser.page!.status).toBe(200);
  aheadMs += 60_000;
  return secret;
}

async function logInLocally(environment: string, name: string, secret: string): Promise<string> {
  aheadMs += 60_000;
  const path = `/e/${environment}`;
  const client = { client_id: "sallyport-cli" };
  const waiting = (await house.token(`${path}/oauth/device_authorization`, client)).body as Record<string, string>;
  const browser = new LocalBrowser(gateway);
  await browser.get(`${path}/login?user_code=${waiting["user_code"]}`);
  await browser.post(`${path}/login`, { user_code: waiting["user_code"]!, answer: "local" });
  const shown = await house.say(browser, { name, password: PASSWORD, code: otpAt(secret, clock.now()) });
  const form = { ...client, grant_type: DEVICE, device_code: waiting["device_code"]! };
  const { body } = await house.token(`${path}/oauth/token`, form);
  return typeof body["access_token"] === "string" ? body["access_token"] : `no session: ${shown.text}`;
}

const byProvider = (environment: string, subject: string): Promise<Came> =>
  logInByProvider(gateway, environment, subject, () => (aheadMs += 6_000));

async function chat(environment: string, session: string | undefined): Promise<string> {
  if (session === undefined || session.startsWith("no session")) return session ?? "no session";
  const answer = await gateway.post(`/api/chat`, session, CHAT);
  const text = await answer.text();
  return answer.ok ? `allowed in ${environment}` : codeOf(text);
}

const newSubject = (): string => {
  const subject = `alice-${++counter}`;
  (provider.groups as Record<string, readonly string[]>)[subject] = ["ml-team"];
  return subject;
};

async function personOf(subject: string): Promise<readonly Record<string, unknown>[]> {
  const { principals } = await gateway.admin<{ principals: Record<string, unknown>[] }>("GET", "/v1/principals");
  return principals.filter(({ identities }) =>
    (identities as { subject: string }[]).some((one) => one.subject === subject),
  );
}

describe("the weakest provisioning key", () => {
  it("ties a future subject to its own person: the real one is another person, and the attacker nobody", async () => {
    const subject = newSubject();
    const key = await provisioner();
    const id = await user(key, `shadow-${subject}`, subject);
    const secret = await enrol(id, key);
    // In the key's own environment first: it could not hand out what the person holds there.
    const near = await byProvider("dev", subject);
    expect(await chat("dev", near.session)).toBe("allowed in dev");
    const real = await byProvider("prod", subject);
    expect(await chat("prod", real.session)).toBe("allowed in prod");
    const [own, ...others] = await personOf(subject);
    expect([own?.["id"] === id, others]).toEqual([false, []]);
    for (const environment of ["prod", "dev"]) {
      const session = await logInLocally(environment, `shadow-${subject}`, secret);
      expect(await chat(environment, session)).toMatch(/no session/);
    }
    expect((await gateway.admin<{ groups: string[] }>("GET", `/v1/principals/${id}`)).groups).toEqual([]);
    const { findings } = await gateway.admin<{ findings: { code: string; says: string }[] }>("GET", "/v1/findings");
    expect(findings.filter(({ code, says }) => code === "identity_ambiguous" && says.includes(subject))).toHaveLength(
      1,
    );
  });

  it("changes the id of a person whom another client made: refused, or without effect", async () => {
    const subject = newSubject();
    const corpKey = await provisioner("*", { allow: ["infer:chat"], models: ["llama3.2"] });
    const id = await user(corpKey, `starter-${subject}`, `first-${subject}`);
    const patch = { schemas: [PATCH_OP], Operations: [{ op: "replace", path: "externalId", value: subject }] };
    expect((await scim(await provisioner(), "PATCH", `/Users/${id}`, patch)).status).toBe(403);
    const own = await user(await provisioner(), `own-${subject}`, `own-${subject}`);
    const weak = await provisioner();
    expect((await scim(weak, "PATCH", `/Users/${own}`, patch)).status).toBe(200);
    expect(await chat("prod", (await byProvider("prod", subject)).session)).toBe("allowed in prod");
    expect((await personOf(subject))[0]?.["id"]).not.toBe(own);
  });

  it("invites a new starter before the directory gives anything: suspended once it does, until somebody confirms", async () => {
    const name = `starter ${++counter}`;
    const { id } = await gateway.admin<{ id: string }>("POST", "/v1/principals", { kind: "person", name });
    const key = await provisioner();
    const secret = await enrol(id, key);
    await gateway.admin("POST", "/v1/assignments", {
      subject: { principal: id },
      environment: "prod",
      roles: ["bot"],
    });
    expect(await chat("prod", await logInLocally("prod", name, secret))).toMatch(/no session.*awaits confirmation/s);
    const shown = (): Promise<{ localLogin: string }> => gateway.admin("GET", `/v1/principals/${id}`);
    expect((await shown()).localLogin).toBe("suspended");
    const { records } = await gateway.admin<{ records: { fields: Record<string, unknown> }[] }>(
      "GET",
      "/v1/audit?type=person.local_suspended&limit=10",
    );
    expect(records.some(({ fields }) => fields["principal"] === id)).toBe(true);
    await expect(gateway.admin("POST", `/v1/principals/${id}/confirm`, undefined, key)).rejects.toThrow(/^403/);
    await gateway.admin("POST", `/v1/principals/${id}/confirm`);
    expect(await chat("prod", await logInLocally("prod", name, secret))).toBe("allowed in prod");
  });

  it("that was let in before the person grew is cut with the change", async () => {
    const name = `insider ${++counter}`;
    const { id } = await gateway.admin<{ id: string }>("POST", "/v1/principals", { kind: "person", name });
    const small = { allow: ["models:list"], models: [] };
    const right = { subject: { principal: id }, environment: "dev", allow: ["models:list"], models: [] };
    await gateway.admin("POST", "/v1/assignments", right);
    const body = { name: "deputy", role: "admin", environments: ["dev"], mayGrant: small };
    const { key } = await gateway.admin<{ key: string }>("POST", "/v1/admin-keys", body);
    const session = await logInLocally("dev", name, await enrol(id, key));
    expect(await chat("dev", session)).toBe("permission_denied");
    await gateway.admin("POST", "/v1/assignments", { subject: { principal: id }, environment: "dev", roles: ["bot"] });
    expect(await chat("dev", session)).toMatch(/^(?:permission_denied|key_revoked)$/);
  });

  it("makes a group that an administrator assigns later: its members gain what the key could hand out, no more", async () => {
    const key = await provisioner();
    const name = `later-${++counter}`;
    const id = await user(key, `member-${counter}`, `member-${counter}`);
    const group = { schemas: [GROUP], displayName: name, members: [{ value: id }] };
    expect((await scim(key, "POST", "/Groups", group)).status).toBe(201);
    for (const environment of ["dev", "prod"])
      await gateway.admin("POST", "/v1/assignments", { subject: { group: name }, environment, roles: ["bot"] });
    for (const environment of ["dev", "prod"]) {
      const { key: text } = await gateway.issue({ environment, owner: id, allow: ["infer:chat"] });
      expect(await chat(environment, text)).toBe("permission_denied");
    }
  });
});

describe("honest provisioning", () => {
  const chatting = { allow: ["infer:chat"], models: ["llama3.2"] };

  it("ties people to the provider within what the client may hand out, with no line more in the settings", async () => {
    const subject = newSubject();
    const key = await provisioner("*", chatting);
    const id = await user(key, `okta-${subject}`, subject);
    const came = await byProvider("prod", subject);
    expect(await chat("prod", came.session)).toBe("allowed in prod");
    expect(await personOf(subject)).toEqual([]);
    expect((await gateway.admin<{ groups: string[] }>("GET", `/v1/principals/${id}`)).groups).toEqual(["ml-team"]);
    expect((await scim(key, "PATCH", `/Users/${id}`, off)).status).toBe(200);
    expect(await chat("prod", came.session)).toMatch(/owner_disabled|key_revoked/);
  });

  const off = { schemas: [PATCH_OP], Operations: [{ op: "replace", path: "active", value: false }] };

  it("as the provider's agent counts for the environments it is given, and for these alone", async () => {
    const { id: keyId, key } = await gateway.admin<{ id: string; key: string }>("POST", "/v1/admin-keys", {
      name: "agent",
      role: "provisioner",
      environments: "*",
    });
    await gateway.gateway.close(1_000);
    const agent = { keys: [keyId], environments: ["prod"] };
    Object.assign(gateway.settings, { identity: { providers: [{ ...corp(), agent }] } });
    gateway.gateway = await openGateway(gateway.settings, { clock });
    const subject = newSubject();
    const id = await user(key, `entra-${subject}`, subject);
    expect(await chat("prod", (await byProvider("prod", subject)).session)).toBe("allowed in prod");
    expect(await personOf(subject)).toEqual([]);
    // In dev the provider's word alone counts: there it is another person, without what the agent says.
    expect(await chat("dev", (await byProvider("dev", subject)).session)).toBe("allowed in dev");
    expect((await personOf(subject)).map((one) => one["id"] === id)).toEqual([false]);
    const name = `agent-group-${++counter}`;
    const group = { schemas: [GROUP], displayName: name, members: [{ value: id }] };
    for (const environment of ["dev", "prod"])
      await gateway.admin("POST", "/v1/assignments", { subject: { group: name }, environment, allow: ["models:list"] });
    expect((await scim(key, "POST", "/Groups", group)).status).toBe(201);
    for (const [environment, status] of [
      ["prod", 200],
      ["dev", 403],
    ] as const) {
      const { key: text } = await gateway.issue({ environment, owner: id, allow: ["models:list"] });
      const answer = await fetch(`${gateway.url}/api/tags`, { headers: { authorization: `Bearer ${text}` } });
      expect([environment, answer.status]).toEqual([environment, status]);
    }
  });
});
