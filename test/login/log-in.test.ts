/** A person logs in at a certified provider, in a real browser, for a program that waits; and what ends it. */
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { chromium } from "playwright-core";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Clock } from "../program-under-test.ts";
import { codeOf } from "../gateway/started-gateway.ts";
import type { StartedGateway } from "../gateway/started-gateway.ts";
import { cleanEnv, ENTRY, sallyport } from "../program/program.ts";
import { IdentityProvider } from "./identity-provider.ts";
import { startWithProvider } from "./provider-gateway.ts";
import type { ProviderGateway } from "./provider-gateway.ts";

const BROWSER = "/usr/bin/chromium";
const isThere = existsSync(BROWSER);
if (!isThere && process.env["SALLYPORT_TEST_BROWSER"]) throw new Error(`${BROWSER} is not there`);
const DEVICE = "urn:ietf:params:oauth:grant-type:device_code";
const CHAT = { model: "llama3.2", messages: [{ role: "user", content: "hi" }], stream: false };

let aheadMs = 0;
/** The clock may be put back; the monotonic one goes on. */
let mostMs = 0;
const clock: Clock = {
  now: () => Date.now() + aheadMs,
  monotonic: () => performance.now() + (mostMs = Math.max(mostMs, aheadMs)),
};
const provider = new IdentityProvider();
let gateway: StartedGateway;
let started: ProviderGateway | undefined;
let browser: Browser;
let page: Page;

beforeAll(async () => {
  if (!isThere) return;
  started = await startWithProvider(provider, {
    clock,
    environmentYaml: '    requireFor: [{ do: ["models:delete"], need: [identity] }]\n',
    moreYaml:
      "roles:\n  bot: { allow: [{ do: [infer:chat, models:delete], on: [llama3.2] }] }\nassign: [{ group: ml-team, role: bot, in: [dev] }]\n",
  });
  ({ gateway } = started);
  browser = await chromium.launch({
    executablePath: BROWSER,
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
}, 60_000);
afterAll(async () => {
  await browser?.close();
  await started?.stop();
});
beforeEach(async () => {
  if (!isThere) return;
  page = await (await browser.newContext()).newPage();
});

async function post(
  path: string,
  form: Record<string, string>,
): Promise<{ status: number; body: Record<string, unknown> }> {
  const answer = await fetch(gateway.url + path, {
    method: "POST",
    headers: { "content-type": "application/x-www-form-urlencoded" },
    body: new URLSearchParams(form).toString(),
  });
  return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
}

interface Waiting {
  readonly device_code: string;
  readonly user_code: string;
  readonly verification_uri_complete: string;
}
const ask = async (): Promise<Waiting> =>
  (await post("/e/dev/oauth/device_authorization", { client_id: "sallyport-cli" })).body as unknown as Waiting;
const poll = (waiting: Waiting): Promise<{ status: number; body: Record<string, unknown> }> => {
  aheadMs += 6_000;
  return post("/e/dev/oauth/token", {
    grant_type: DEVICE,
    client_id: "sallyport-cli",
    device_code: waiting.device_code,
  });
};

/** What a person does with the pages, up to the last one. */
async function logInAs(person: string, waiting: Waiting): Promise<string> {
  await page.goto(waiting.verification_uri_complete);
  expect(await page.textContent("code")).toBe(waiting.user_code);
  await page.click('button[value="yes"]');
  await page.fill('input[name="login"]', person);
  await page.fill('input[name="password"]', "any");
  await page.click('button[type="submit"]');
  await page.click('button[type="submit"]');
  await page.waitForURL(`${gateway.url}/oidc/callback**`);
  return (await page.textContent("h1")) ?? "";
}

async function chat(credential: string): Promise<string> {
  const answer = await gateway.post("/api/chat", credential, CHAT);
  const text = await answer.text();
  return answer.ok ? "allowed" : codeOf(text);
}

/** `sallyport login`, as far as the address it prints. */
function login(env: Record<string, string>): {
  address: Promise<string>;
  ended: Promise<{ code: number | null; stdout: string }>;
} {
  const child = spawn(process.execPath, [ENTRY, "login", "--env", "dev", "--json"], { env: { ...cleanEnv(), ...env } });
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString("utf8")));
  const address = new Promise<string>((resolve) =>
    child.stderr.on("data", (chunk: Buffer) => {
      stderr += chunk.toString("utf8");
      const found = /^Open (\S+)$/m.exec(stderr)?.[1];
      if (found) resolve(found);
    }),
  );
  return { address, ended: new Promise((resolve) => child.on("close", (code) => resolve({ code, stdout }))) };
}

describe.skipIf(!isThere)(
  `a person, in a browser${isThere ? "" : ` (skipped: ${BROWSER} is not here)`}`,
  { timeout: 60_000 },
  () => {
    it("logs in for a program, which then has his rights and no more, as a fresh identity, and renews them", async () => {
      const waiting = await ask();
      expect((await poll(waiting)).body["error"]).toBe("authorization_pending");
      expect(
        (
          await post("/e/dev/oauth/token", {
            grant_type: DEVICE,
            client_id: "sallyport-cli",
            device_code: waiting.device_code,
          })
        ).body["error"],
      ).toBe("slow_down");
      expect(await logInAs("ada", waiting)).toBe("You are logged in, ada");
      aheadMs += 20_000;
      const { status, body } = await poll(waiting);
      expect([status, body["scope"]]).toEqual([200, "infer:chat models:delete"]);
      const token = String(body["access_token"]);
      expect(await chat(token)).toBe("allowed");
      const deletion = await fetch(`${gateway.url}/api/delete`, {
        method: "DELETE",
        headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
        body: JSON.stringify({ model: "llama3.2" }),
      });
      expect(deletion.status).toBe(200);
      // Handed over once; renewed by the session itself; a key that was issued is no session.
      expect((await poll(waiting)).body["error"]).toBe("expired_token");
      const renewed = await post("/e/dev/oauth/token", {
        grant_type: "refresh_token",
        client_id: "sallyport-cli",
        refresh_token: String(body["refresh_token"]),
      });
      expect([renewed.status, await chat(String(renewed.body["access_token"]))]).toEqual([200, "allowed"]);
      const issued = await gateway.issue();
      const wrong = await post("/e/dev/oauth/token", {
        grant_type: "refresh_token",
        client_id: "sallyport-cli",
        refresh_token: issued.key,
      });
      expect(wrong.body["error"]).toBe("invalid_grant");
    });

    it("loses what a group gave at the next log-in, and by it what runs elsewhere in his name", async () => {
      const first = await ask();
      await logInAs("ada", first);
      const { body } = await poll(first);
      expect(await chat(String(body["access_token"]))).toBe("allowed");
      provider.groups["ada"] = ["nobody"];
      page = await (await browser.newContext()).newPage();
      const second = await ask();
      expect(await logInAs("ada", second)).toBe("That did not work");
      expect((await poll(second)).body["error"]).toBe("access_denied");
      expect(["permission_denied", "key_revoked"]).toContain(await chat(String(body["access_token"])));
      provider.groups["ada"] = ["ml-team"];
    });

    it("without a role there gets nothing, and an administrator's word ends his sessions", async () => {
      const waiting = await ask();
      expect(await logInAs("bob", waiting)).toBe("That did not work");
      expect((await poll(waiting)).body["error"]).toBe("access_denied");
      page = await (await browser.newContext()).newPage();
      const next = await ask();
      await logInAs("ada", next);
      const token = String((await poll(next)).body["access_token"]);
      expect(await chat(token)).toBe("allowed");
      const { principals } = await gateway.admin<{ principals: { id: string; name: string }[] }>(
        "GET",
        "/v1/principals",
      );
      await gateway.admin("POST", `/v1/principals/${principals.find(({ name }) => name === "ada")!.id}/disable`);
      expect(["owner_disabled", "key_revoked"]).toContain(await chat(token));
      const after = await ask();
      page = await (await browser.newContext()).newPage();
      expect(await logInAs("ada", after)).toBe("That did not work");
      await gateway.admin("POST", `/v1/principals/${principals.find(({ name }) => name === "ada")!.id}/enable`);
    });

    it("who says that it is not his program gives it nothing, and a stolen link is of no use in another browser", async () => {
      const waiting = await ask();
      await page.goto(waiting.verification_uri_complete);
      await page.click('button[value="no"]');
      expect(await page.textContent("h1")).toBe("It gets nothing");
      expect((await poll(waiting)).body["error"]).toBe("access_denied");

      const next = await ask();
      await page.goto(next.verification_uri_complete);
      await page.click('button[value="yes"]');
      await page.waitForURL(`${provider.url}/**`);
      const state = "made-up";
      const elsewhere = await (await browser.newContext()).newPage();
      await elsewhere.goto(`${gateway.url}/oidc/callback?code=x&state=${state}`);
      expect(await elsewhere.textContent("h1")).toBe("That did not work");
    });

    it("the pages are closed to everything else: no script, no frame, nothing from elsewhere", async () => {
      const waiting = await ask();
      const answer = await page.goto(waiting.verification_uri_complete);
      expect(answer!.headers()["content-security-policy"]).toBe(
        `default-src 'none'; style-src 'unsafe-inline'; form-action 'self' ${provider.url}; base-uri 'none'; frame-ancestors 'none'`,
      );
      await page.goto(`${gateway.url}/e/dev/login?user_code=%3Cscript%3Ealert(1)%3C/script%3E`);
      expect(await page.textContent("h1")).toBe("Log in for a program");
      expect(await page.content()).not.toContain("<script>alert");
    });

    it("by the command line: the session lies in the credentials file, is used from there, and ends with logout", async () => {
      const home = mkdtempSync(join(started!.root, "home-"));
      const env = { HOME: home, SALLYPORT_URL: gateway.url };
      const running = login(env);
      const address = await running.address;
      const code = new URL(address).searchParams.get("user_code")!;
      await logInAs("ada", { device_code: "", user_code: code, verification_uri_complete: address });
      const ended = await running.ended;
      expect([ended.code, JSON.parse(ended.stdout)]).toMatchObject([
        0,
        { environment: "dev", scope: "infer:chat models:delete" },
      ]);
      const file = join(home, ".config", "sallyport", "credentials.json");
      expect(statSync(file).mode & 0o777).toBe(0o600);
      const token = (await sallyport(["token"], env)).stdout.trim();
      expect(await chat(token)).toBe("allowed");
      const mine = await sallyport(["keys", "mine", "--env", "dev", "--json"], env);
      expect([mine.code, JSON.parse(mine.stdout)]).toEqual([0, { environment: "dev", keys: [] }]);
      expect((await sallyport(["logout", "--env", "dev"], env)).code).toBe(0);
      expect(await chat(token)).toBe("key_revoked");
      expect(readFileSync(file, "utf8")).not.toContain("sp_dev_");
      expect((await sallyport(["logout", "--env", "dev"], env)).code).not.toBe(0);
    });

    it("a provider that is down lets nobody in, and ends nobody's session", async () => {
      const waiting = await ask();
      await logInAs("ada", waiting);
      const token = String((await poll(waiting)).body["access_token"]);
      const next = await ask();
      await provider.close();
      aheadMs += 11 * 60_000;
      const late = await ask();
      page = await (await browser.newContext()).newPage();
      await page.goto(late.verification_uri_complete);
      await page.click('button[value="yes"]');
      expect(await page.textContent("h1")).toBe("That did not work");
      expect((await poll(next)).body["error"]).toBe("expired_token");
      aheadMs -= 12 * 60_000;
      expect(await chat(token)).toBe("allowed");
    });
  },
);
