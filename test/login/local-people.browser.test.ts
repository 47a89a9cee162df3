/** The same in a real browser: what the pages' forms, cookie, headers and policy come to there. */
import { existsSync } from "node:fs";
import { chromium } from "playwright-core";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Clock } from "../program-under-test.ts";
import { startGateway } from "../gateway/started-gateway.ts";
import type { StartedGateway } from "../gateway/started-gateway.ts";
import { LocalHouse, otpAt, PASSWORD } from "./local-browser.ts";

const BROWSER = "/usr/bin/chromium";
const isThere = existsSync(BROWSER);
if (!isThere && process.env["SALLYPORT_TEST_BROWSER"]) throw new Error(`${BROWSER} is not there`);

let aheadMs = 0;
const clock: Clock = { now: () => Date.now() + aheadMs, monotonic: () => performance.now() + aheadMs };
let gateway: StartedGateway;
let browser: Browser;

beforeAll(async () => {
  if (!isThere) return;
  gateway = await startGateway({
    clock,
    moreYaml:
      "roles:\n  bot: { allow: [{ do: [infer:chat], on: [llama3.2] }] }\nassign: [{ group: ml-team, role: bot, in: [dev] }]\n",
  });
  browser = await chromium.launch({
    executablePath: BROWSER,
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"],
  });
}, 60_000);
afterAll(async () => {
  await browser?.close();
  await gateway?.stop();
});

const title = (page: Page): Promise<string | null> => page.textContent("h1");

it.skipIf(!isThere)(
  "a person chooses his password, adds his authenticator and logs in, all by the pages",
  { timeout: 60_000 },
  async () => {
    const house = new LocalHouse(gateway);
    const page = await (await browser.newContext()).newPage();
    const complaints: string[] = [];
    page.on("console", (message) => complaints.push(message.text()));
    const { id, name } = await house.person();
    const invited = await house.invite(id);
    await page.goto(invited.page);
    await page.fill('input[name="invitation"]', invited.code);
    await page.fill('input[name="password"]', PASSWORD);
    await page.fill('input[name="again"]', PASSWORD);
    await page.click("button");
    expect(await title(page)).toBe("Add it to your authenticator");
    const picture = await page.locator("svg").boundingBox();
    expect(picture?.width).toBeGreaterThan(100);
    const secret = ((await page.textContent("code")) ?? "").replaceAll(" ", "");
    await page.fill('input[name="code"]', otpAt(secret, clock.now()));
    await page.click("button");
    expect(await title(page)).toBe(`Welcome, ${name}`);

    aheadMs += 60_000;
    const waiting = await house.ask();
    await page.goto(`${gateway.url}/e/dev/login?user_code=${waiting.user_code}`);
    expect(await page.textContent("code")).toBe(waiting.user_code);
    await page.click('button[value="local"]');
    await page.fill('input[name="name"]', name);
    await page.fill('input[name="password"]', "not his at all");
    await page.fill('input[name="code"]', otpAt(secret, clock.now()));
    await page.click("button");
    expect(await title(page)).toBe("Log in");
    await page.fill('input[name="name"]', name);
    await page.fill('input[name="password"]', PASSWORD);
    await page.fill('input[name="code"]', otpAt(secret, clock.now()));
    await page.click("button");
    expect(await title(page)).toBe(`You are logged in, ${name}`);
    const { body } = await house.poll(waiting);
    const answer = await gateway.post("/api/chat", String(body["access_token"]), {
      model: "llama3.2",
      messages: [{ role: "user", content: "hi" }],
      stream: false,
    });
    expect(answer.status).toBe(200);
    await answer.text();
    expect(complaints.filter((text) => text.includes("Content Security Policy"))).toEqual([]);
  },
);

it.skipIf(!isThere)("a page of another site cannot send the form", { timeout: 60_000 }, async () => {
  const house = new LocalHouse(gateway);
  const waiting = await house.ask();
  const page = await (await browser.newContext()).newPage();
  await page.setContent(
    `<form method="post" action="${gateway.url}/e/dev/login"><input name="user_code" value="${waiting.user_code}"><input name="answer" value="local"><button>x</button></form>`,
  );
  await page.click("button");
  await page.waitForURL(`${gateway.url}/**`);
  expect(await page.textContent("p")).toContain("not sent by a page of this gateway");
});
