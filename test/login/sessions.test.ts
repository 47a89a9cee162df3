/**
 * What a log-in at a provider gives and what it does not, without a browser: `log-in.test.ts` is the same with one, where
 * there is one.
 */
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { codeOf } from "../gateway/started-gateway.ts";
import type { StartedGateway } from "../gateway/started-gateway.ts";
import type { Clock } from "../program-under-test.ts";
import { IdentityProvider } from "./identity-provider.ts";
import { logInByProvider } from "./provider-browser.ts";
import type { Came } from "./provider-browser.ts";
import { startWithProvider } from "./provider-gateway.ts";
import type { ProviderGateway } from "./provider-gateway.ts";

const CHAT = { model: "llama3.2", messages: [{ role: "user", content: "hi" }], stream: false };
let aheadMs = 0;
const clock: Clock = { now: () => Date.now() + aheadMs, monotonic: () => performance.now() + aheadMs };
const provider = new IdentityProvider();
let started: ProviderGateway | undefined;
let gateway: StartedGateway;

beforeAll(async () => {
  started = await startWithProvider(provider, {
    clock,
    moreYaml:
      "roles:\n  bot: { allow: [{ do: [infer:chat], on: [llama3.2] }] }\nassign: [{ group: ml-team, role: bot, in: [dev] }]\n",
  });
  ({ gateway } = started);
});
afterAll(() => started?.stop());
beforeEach(() => {
  aheadMs += 3_600_000;
});

const logIn = (person: string): Promise<Came> => logInByProvider(gateway, "dev", person, () => (aheadMs += 6_000));

async function chat(credential: string): Promise<string> {
  const answer = await gateway.post("/api/chat", credential, CHAT);
  const text = await answer.text();
  return answer.ok ? "allowed" : codeOf(text);
}

async function setDisabled(name: string, act: "disable" | "enable"): Promise<void> {
  const { principals } = await gateway.admin<{ principals: { id: string; name: string }[] }>("GET", "/v1/principals");
  await gateway.admin("POST", `/v1/principals/${principals.find((one) => one.name === name)!.id}/${act}`);
}

test("what was approved is handed over once", async () => {
  const came = await logIn("ada");
  expect(await chat(came.session!)).toBe("allowed");
  expect(await came.pollAgain()).toMatchObject({ error: "expired_token" });
});

test("a key that was issued is no session, so it is not renewed", async () => {
  const { key } = await gateway.issue();
  const answer = await fetch(`${gateway.url}/e/dev/oauth/token`, {
    method: "POST",
    body: new URLSearchParams({ grant_type: "refresh_token", client_id: "sallyport-cli", refresh_token: key }),
  });
  expect(await answer.json()).toMatchObject({ error: "invalid_grant" });
});

test("groups that a log-in no longer has are lost, although it is denied", async () => {
  const { session } = await logIn("ada");
  provider.groups["ada"] = ["nobody"];
  const denied = await logIn("ada");
  provider.groups["ada"] = ["ml-team"];
  expect([denied.session, denied.error]).toEqual([undefined, "access_denied"]);
  expect(["permission_denied", "key_revoked"]).toContain(await chat(session!));
});

test("whoever is disabled, or has no role there, gets no session", async () => {
  expect((await logIn("bob")).session).toBeUndefined();
  await logIn("ada");
  await setDisabled("ada", "disable");
  const denied = await logIn("ada");
  await setDisabled("ada", "enable");
  expect([denied.session, denied.error]).toEqual([undefined, "access_denied"]);
});
