/** A person's own keys by his log-in: he sees them, has one back that disuse has stopped, once, and reaches nothing else. */
import { isRefusal } from "@sallyport/protocol";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { storeCredential } from "@sallyport/client";
import type { OwnKeysAnswer, OwnKeyView } from "@sallyport/protocol";
import { openCore, openGateway, openLog, SessionDesk } from "../program-under-test.ts";
import type { Clock } from "../program-under-test.ts";
import { sallyport } from "../program/program.ts";
import { codeOf, startGateway } from "./started-gateway.ts";
import type { IssuedKey, StartedGateway } from "./started-gateway.ts";

const DAY_MS = 86_400_000;
const LIST = "/sallyport/keys";
const RESUME = "/sallyport/keys/resume";
const UNKNOWN_ID = "A".repeat(12);

let aheadMs = 0;
const clock: Clock = { now: () => Date.now() + aheadMs, monotonic: () => performance.now() + aheadMs };
let gateway: StartedGateway;
beforeAll(async () => {
  gateway = await startGateway({
    clock,
    environments: ["dev", "prod"],
    environmentYaml: "    keys: { idle: 20d, unusedNotice: 15d, onLeave: keep }\n",
    moreYaml: `  strict:
    upstreams: [{ url: "http://127.0.0.1:9" }]
    keys: { idle: 20d, unusedNotice: 15d }
    require: [identity]
    tokens: { only: true }
roles:
  bot: { allow: [{ do: [infer:chat, infer:embed], on: [llama3.2] }] }
assign: [{ group: ml-team, role: bot, in: [dev, prod, strict] }]
`,
  });
});
afterAll(() => gateway.stop());

interface LoggedIn {
  readonly id: string;
  readonly session: string;
}

/** What `finishLogin` does once the provider has said who he is: the desk itself, on the same directory. */
async function logIn(name: string, environment = "dev"): Promise<LoggedIn> {
  await gateway.gateway.close(1_000);
  const core = await openCore(gateway.settings, clock, openLog("silent"));
  const { snapshot, peppers, reconciler, changes } = core;
  const desk = new SessionDesk({ clock, snapshot, peppers, reconciler, inTurn: (work) => changes.inTurn(work) });
  const authenticatedAt = Math.floor(clock.now() / 1_000);
  const who = { issuer: "https://id.example", subject: name, sid: null, authenticatedAt, name, groups: ["ml-team"] };
  const opened = await desk.open(who, environment, "127.0.0.1");
  await core.close();
  gateway.gateway = await openGateway(gateway.settings, { clock });
  if (isRefusal(opened)) throw new Error(opened.code);
  return { id: opened.person.id, session: opened.text.reveal() };
}

const issue = (owner: string, environment = "dev"): Promise<IssuedKey> =>
  gateway.issue({ owner, environment, allow: ["infer:embed"] });
const sweep = (): Promise<unknown> => gateway.admin("POST", "/v1/keys/sweep", { dryRun: false });
const pass = async (days: number): Promise<unknown> => {
  aheadMs += days * DAY_MS;
  return sweep();
};

async function said(answer: Response): Promise<string> {
  const text = await answer.text();
  return answer.ok ? "allowed" : `${answer.status} ${codeOf(text)}`;
}
const use = async ({ key }: IssuedKey): Promise<string> =>
  said(await gateway.post("/api/embed", key, { model: "llama3.2", input: "x" }));
const askResume = (credential: string, id: string): Promise<Response> => gateway.post(RESUME, credential, { id });
const resume = async ({ session }: LoggedIn, { id }: { id: string }): Promise<string> =>
  said(await askResume(session, id));
const askList = (credential: string): Promise<Response> =>
  fetch(gateway.url + LIST, { headers: { authorization: `Bearer ${credential}` } });
async function see({ session }: LoggedIn, { id }: IssuedKey): Promise<OwnKeyView> {
  const { keys } = (await (await askList(session)).json()) as OwnKeysAnswer;
  return keys.find((key) => key.id === id)!;
}
async function resumptions(id: string): Promise<{ actor: string; fields: Record<string, unknown> }[]> {
  const { records } = await gateway.admin<{
    records: { type: string; actor: string; fields: Record<string, unknown> }[];
  }>("GET", "/v1/audit?limit=1000");
  return records.filter(({ type, fields }) => type === "key.resumed" && fields["key"] === id);
}

it("goes through the ladder: seen, suspended, had back, used, had back again, and not without a use", async () => {
  const before = await logIn("ada");
  const key = await issue(before.id);
  const fresh = await see(before, key);
  expect(fresh).toMatchObject({ state: "active", reason: null, lastUsedAt: null, isResumable: false });
  expect(fresh.next).toMatchObject({ action: "suspend", code: "key_never_used" });
  expect(Date.parse(fresh.next!.at) - clock.now()).toBeGreaterThan(13.9 * DAY_MS);

  await pass(14);
  expect(await use(key)).toBe("401 key_suspended");
  let ada = await logIn("ada");
  expect(ada.id).toBe(before.id);
  const list = await (await askList(ada.session)).text();
  expect(list).not.toContain(key.key.slice(-40));
  expect(list).not.toContain("log-in of");
  expect(await see(ada, key)).toMatchObject({
    state: "suspended",
    reason: "key_never_used",
    isResumable: true,
    // Before the 90 days are over its secret is too old.
    next: { action: "expire", code: "key_expired", at: key.expiresAt },
  });
  const resumed = (await (await askResume(ada.session, key.id)).json()) as OwnKeyView;
  expect(resumed).toMatchObject({ id: key.id, state: "active", reason: null, isResumable: false });
  expect(Date.parse(resumed.next!.at) - clock.now()).toBeGreaterThan(13.9 * DAY_MS);
  expect(await resumptions(key.id)).toMatchObject([
    {
      actor: `principal:${ada.id}`,
      fields: { owner: ada.id, session: ada.session.split("_")[2], address: "127.0.0.1" },
    },
  ]);
  expect(await use(key)).toBe("allowed");

  await pass(20);
  ada = await logIn("ada");
  expect(await see(ada, key)).toMatchObject({ state: "suspended", reason: "key_unused", isResumable: true });
  expect(await resume(ada, key)).toBe("allowed");

  await pass(20);
  ada = await logIn("ada");
  expect(await see(ada, key)).toMatchObject({ state: "suspended", reason: "key_unused", isResumable: false });
  expect(await resume(ada, key)).toBe("403 resume_spent");
  await gateway.admin("POST", `/v1/keys/${key.id}/resume`);
  expect(await use(key)).toBe("allowed");
});

it("twice at once, and again while it works, changes nothing more", async () => {
  const key = await issue((await logIn("ada")).id);
  await pass(14);
  const ada = await logIn("ada");
  expect(await Promise.all([resume(ada, key), resume(ada, key), resume(ada, key)])).toEqual(Array(3).fill("allowed"));
  expect(await resume(ada, key)).toBe("allowed");
  expect(await resumptions(key.id)).toHaveLength(1);
});

describe("for disuse and for nothing else", () => {
  let ada: LoggedIn;
  let key: IssuedKey;
  beforeEach(async () => {
    key = await issue((await logIn("ada")).id);
  });
  it.each([
    ["an administrator", 0, "suspend", "403 resume_denied"],
    ["an administrator, after disuse had", 14, "suspend", "403 resume_denied"],
    ["an administrator for good", 0, "revoke", "403 resume_denied"],
    ["an administrator for good, after disuse had", 14, "revoke", "403 resume_denied"],
    ["disuse alone", 14, null, "allowed"],
  ] as const)("stopped by %s", async (_, days, verb, expected) => {
    await pass(days);
    if (verb) await gateway.admin("POST", `/v1/keys/${key.id}/${verb}`);
    ada = await logIn("ada");
    expect(await resume(ada, key)).toBe(expected);
    expect(await use(key)).toMatch(verb ? /^401 key_(suspended|revoked)$/ : /^allowed$/);
  });
});

it("his own, here: every other id is answered like one that does not exist", async () => {
  const bob = await logIn("bob");
  const other = await issue(bob.id);
  const service = await gateway.issue();
  let ada = await logIn("ada");
  const elsewhere = await issue(ada.id, "prod");
  await pass(14);
  ada = await logIn("ada");
  const sessionId = ada.session.split("_")[2]!;
  const bodies = new Set<string>();
  for (const id of [other.id, service.id, elsewhere.id, sessionId, UNKNOWN_ID]) {
    const answer = await askResume(ada.session, id);
    const { request_id: _, ...body } = (await answer.json()) as Record<string, unknown>;
    bodies.add(`${answer.status} ${JSON.stringify(body)}`);
  }
  expect([...bodies]).toEqual([expect.stringMatching(/^404 .*"code":"not_found"/)]);
  const { keys, environment } = (await (await askList(ada.session)).json()) as OwnKeysAnswer;
  expect(environment).toBe("dev");
  const seen = keys.map(({ id }) => id);
  for (const id of [other.id, service.id, elsewhere.id, sessionId]) expect(seen).not.toContain(id);
  expect(await use(other)).toBe("401 key_suspended");
  const atHome = await logIn("ada", "prod");
  expect(await resume(atHome, elsewhere)).toBe("allowed");
});

it("with a live session alone: no key, no token, no form but the one it takes", async () => {
  const before = await logIn("ada");
  const [key, other] = [await issue(before.id), await issue(before.id)];
  await pass(13);
  const first = await logIn("ada");
  await pass(1);
  await gateway.admin("POST", `/v1/keys/${other.id}/resume`);
  expect(await said(await askList(first.session))).toBe("401 key_expired");
  expect(await resume(first, key)).toBe("401 key_expired");
  const ada = await logIn("ada");
  const token = await fetch(`${gateway.url}/e/dev/oauth/token`, {
    method: "POST",
    headers: { "content-type": "application/x-www-form-urlencoded" },
    body: new URLSearchParams({ grant_type: "refresh_token", client_id: "sallyport-cli", refresh_token: ada.session }),
  });
  const { access_token: access } = (await token.json()) as { access_token: string };
  for (const [credential, expected] of [
    [other.key, "403 session_missing"],
    [access, "403 permission_denied"],
    [gateway.adminKey, "401 credential_malformed"],
  ] as const) {
    expect(await said(await askList(credential))).toBe(expected);
    expect(await said(await askResume(credential, key.id))).toBe(expected);
  }
  for (const body of [{}, { id: "short" }, { id: key.id, more: 1 }, { id: 7 }])
    expect(await said(await gateway.post(RESUME, ada.session, body))).toBe("400 field_invalid");
  expect(await said(await gateway.post(LIST, ada.session, {}))).toBe("405 method_not_allowed");
  const head = `GET ${LIST} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer ${ada.session}\r\ncontent-length: 2`;
  const withBody = await gateway.raw(`${head}\r\n\r\n{}`);
  expect([withBody.status, codeOf(withBody.body)]).toEqual([400, "body_not_accepted"]);
  const long = await gateway.post(RESUME, ada.session, { id: key.id, more: "x".repeat(5_000) });
  expect(await said(long)).toBe("413 body_too_large");
  expect(await use(key)).toBe("401 key_suspended");
  await gateway.admin("POST", `/v1/principals/${ada.id}/disable`);
  expect(await resume(ada, key)).toMatch(/^401 (owner_disabled|key_revoked)$/);
  expect(await said(await askList(ada.session))).toMatch(/^401 (owner_disabled|key_revoked)$/);
  await gateway.admin("POST", `/v1/principals/${ada.id}/enable`);
});

it("is explained as it is decided", async () => {
  const ada = await logIn("ada");
  const key = await issue(ada.id);
  const explain = (keyId: string): Promise<unknown> =>
    gateway.admin("POST", "/v1/explain", { keyId, method: "POST", path: RESUME });
  expect(await explain(key.id)).toMatchObject({ allowed: false, code: "session_missing" });
  expect(await explain(ada.session.split("_")[2]!)).toMatchObject({ allowed: true });
});

it("through the doors of its environment, though that takes no bare key for anything else", async () => {
  const key = await issue((await logIn("ada", "strict")).id, "strict");
  await pass(14);
  const ada = await logIn("ada", "strict");
  expect(await use({ ...key, key: ada.session })).toBe("401 token_required");
  aheadMs += 16 * 60_000;
  expect(await said(await askList(ada.session))).toBe("401 identity_missing");
  expect(await resume(ada, key)).toBe("401 identity_missing");
  expect(await resume(await logIn("ada", "strict"), key)).toBe("allowed");
});

it("by the command line, with the session that the log-in has kept", { timeout: 30_000 }, async () => {
  const key = await issue((await logIn("ada")).id);
  await pass(14);
  const ada = await logIn("ada");
  const home = mkdtempSync(join(tmpdir(), "sallyport-mine-"));
  const env = { HOME: home, SALLYPORT_URL: gateway.url };
  try {
    const none = await sallyport(["keys", "mine", "--env", "dev"], env);
    expect([none.code, none.stderr]).toEqual([1, expect.stringContaining("credential_missing")]);
    storeCredential(env, { url: gateway.url, environment: "dev" }, ada.session);
    const listed = await sallyport(["keys", "mine", "--env", "dev"], env);
    expect(listed.stdout).toMatch(new RegExp(`${key.id}  .*suspended \\(key_never_used, --resume\\)`));
    const resumed = await sallyport(["keys", "mine", "--env", "dev", "--resume", key.id, "--json"], env);
    expect(JSON.parse(resumed.stdout)).toMatchObject({ id: key.id, state: "active" });
    expect(await use(key)).toBe("allowed");
    const foreign = await sallyport(["keys", "mine", "--env", "dev", "--resume", UNKNOWN_ID], env);
    expect([foreign.code, foreign.stderr]).toEqual([1, expect.stringContaining("not_found")]);
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
});
