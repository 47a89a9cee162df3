/**
 * The console in a real browser against a real gateway: every page in both colour schemes and two widths, without a
 * violation of its policy and without one that axe finds; what people do there; what ends a session.
 *
 * `SALLYPORT_CONSOLE_PICTURES=FOLDER` keeps the screenshots.
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startGateway } from "../gateway/started-gateway.ts";
import type { StartedGateway } from "../gateway/started-gateway.ts";

const BROWSER = "/usr/bin/chromium";
const isThere = existsSync(BROWSER);
if (!isThere && process.env["SALLYPORT_TEST_BROWSER"]) throw new Error(`${BROWSER} is not there`);
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const pictures = process.env["SALLYPORT_CONSOLE_PICTURES"];

/** What a hostile caller would put where it is shown. */
const HOSTILE = `<img src=x onerror="document.title='owned'">{{7*7}}`;
const PAGES = ["", "keys", "keys/new", "live", "usage", "security", "reviews", "findings", "audit", "session"] as const;

let gateway: StartedGateway;
let browser: Browser;
const complaints: string[] = [];

beforeAll(async () => {
  if (!isThere) return;
  execFileSync(process.execPath, ["tools/bundle-console.js"]);
  gateway = await startGateway({
    environments: ["dev", "prod"],
    moreYaml: "roles:\n  bot: { allow: [{ do: [infer:chat], on: [llama3.2] }], limits: { outputTokens: 10k/day } }\n",
  });
  for (let i = 0; i < 12; i++) {
    const { key } = await gateway.issue({
      name: i === 0 ? HOSTILE.slice(0, 60) : `app ${i}`,
      environment: i % 2 === 0 ? "dev" : "prod",
      roles: ["bot"],
      allow: [],
      models: ["llama3.2"],
    });
    const chat = { model: "llama3.2", messages: [{ role: "user", content: "x" }], stream: false };
    await (await gateway.post("/api/chat", key, chat, { "user-agent": HOSTILE })).text();
  }
  browser = await chromium.launch({
    executablePath: BROWSER,
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"],
  });
}, 120_000);
afterAll(async () => {
  await browser?.close();
  await gateway?.stop();
});

async function linkOf(key = gateway.adminKey): Promise<string> {
  return (await gateway.admin<{ url: string }>("POST", "/v1/console/links", undefined, key)).url;
}

/** A page that has entered. What the browser complains about is kept. */
async function enter(options: Parameters<Browser["newContext"]>[0] = {}, key?: string): Promise<Page> {
  const context: BrowserContext = await browser.newContext(options);
  await context.addInitScript(() => {
    addEventListener("securitypolicyviolation", (event) => console.error(`policy: ${event.violatedDirective}`));
  });
  context.setDefaultTimeout(90_000);
  const page = await context.newPage();
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(String(error)));
  await page.goto(await linkOf(key));
  await page.waitForSelector("nav");
  return page;
}

const heading = async (page: Page): Promise<string | null> => page.textContent("h1");
const close = async (page: Page): Promise<void> => page.context().close();

async function look(page: Page, path: string): Promise<void> {
  await page.evaluate((to) => void (location.hash = `#/${to}`), path);
  await page.waitForFunction(() => document.querySelector("h1") && !document.querySelector(".loading"));
  await page.waitForLoadState("networkidle");
}

interface Axe {
  run(options: object): Promise<{
    readonly violations: readonly { readonly id: string; readonly nodes: readonly { readonly html: string }[] }[];
  }>;
}

/** The rules of WCAG 2.2 A and AA that the page breaks. */
async function brokenRules(page: Page): Promise<string[]> {
  // The page's own policy lets in no script; the driver's way around it is the driver's.
  await page.evaluate(axe);
  return page.evaluate(async () => {
    const { axe: rules } = globalThis as unknown as { axe: Axe };
    const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
    const { violations } = await rules.run({ runOnly: tags });
    return violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html.slice(0, 120)).join(" | ")}`);
  });
}

describe.skipIf(!isThere)("the console", () => {
  describe.each(["light", "dark"] as const)("%s", (colorScheme) => {
    test.each([360, 1_280])("each page at %d px breaks no rule", { timeout: 180_000 }, async (width) => {
      const page = await enter({ colorScheme, viewport: { width, height: 800 } });
      const { keys } = await gateway.admin<{ keys: { id: string; name: string }[] }>("GET", "/v1/keys?limit=1");
      for (const path of [...PAGES, `keys/${keys[0]!.id}`]) {
        await look(page, path);
        expect([path, await brokenRules(page)]).toEqual([path, []]);
        // Nothing but tables is wider than the window.
        const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        expect([path, overflow <= 0]).toEqual([path, true]);
        expect(await page.title()).toContain("Sallyport");
        if (pictures !== undefined) {
          mkdirSync(pictures, { recursive: true });
          const name = path === "" ? "overview" : path.startsWith("keys/") && path !== "keys/new" ? "key" : path;
          const file = `${name.replaceAll("/", "-")}-${colorScheme}-${width}.png`;
          await page.screenshot({ path: join(pictures, file), fullPage: true });
        }
      }
      await close(page);
    });
  });

  test("a key is made in a few steps by keyboard, and works", { timeout: 180_000 }, async () => {
    const page = await enter();
    expect(await page.evaluate(() => location.href)).not.toContain("link=");
    await look(page, "keys/new");
    await page.getByLabel("Name", { exact: true }).focus();
    await page.keyboard.type("by keyboard");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Tab");
    await page.keyboard.type("llama3.2");
    await page.keyboard.press("Enter");
    const key = (await page.textContent("[data-secret]"))!.trim();
    const chat = { model: "llama3.2", messages: [{ role: "user", content: "x" }], stream: false };
    expect((await gateway.post("/api/chat", key, chat)).status).toBe(200);
    const kept = await page.evaluate(() =>
      JSON.stringify([localStorage, sessionStorage, location.href, document.cookie]),
    );
    expect(kept).not.toContain(key);
    await look(page, "keys");
    expect(await page.content()).not.toContain(key);

    const id = key.split("_")[2]!;
    await look(page, `keys/${id}`);
    await page.getByRole("button", { name: "Suspend", exact: true }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Suspend", exact: true }).click();
    await page.waitForSelector(".state.suspended");
    expect((await gateway.post("/api/chat", key, chat)).status).toBe(401);
    await page.getByRole("button", { name: "Resume", exact: true }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Resume", exact: true }).click();
    await page.waitForSelector(".state.active");
    expect((await gateway.post("/api/chat", key, chat)).status).toBe(200);
    await page.getByRole("button", { name: "Revoke", exact: true }).click();
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });
    expect((await gateway.post("/api/chat", key, chat)).status).toBe(200);
    await page.getByRole("button", { name: "Revoke", exact: true }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Revoke", exact: true }).click();
    await page.waitForSelector(".state.revoked");
    expect((await gateway.post("/api/chat", key, chat)).status).toBe(401);
    await close(page);
  });

  test("a page that was hidden asks once it is shown", { timeout: 180_000 }, async () => {
    const page = await enter();
    const turn = (isHidden: boolean): Promise<void> =>
      page.evaluate((hidden) => {
        Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
        document.dispatchEvent(new Event("visibilitychange"));
      }, isHidden);
    await turn(true);
    await look(page, "usage");
    expect(await page.locator("table").count()).toBe(0);
    await turn(false);
    await page.waitForSelector("table");
    await close(page);
  });

  test("hostile names are text", { timeout: 180_000 }, async () => {
    const page = await enter();
    for (const path of ["keys", "audit", "usage", "live"]) await look(page, path);
    await look(page, "keys");
    expect(await page.textContent("table")).toContain("<img src=x");
    expect(await page.locator("img").count()).toBe(0);
    expect(await page.title()).toBe("Keys · Sallyport");
    await close(page);
  });

  test("what a person may not do is not offered", { timeout: 180_000 }, async () => {
    const made = await gateway.admin<{ key: string }>("POST", "/v1/admin-keys", {
      name: "reader",
      role: "viewer",
      environments: ["dev"],
      ttl: "1d",
    });
    const page = await enter({}, made.key);
    const links = await page.locator("nav a").allTextContents();
    expect(links).toEqual(["Overview", "Keys", "Live", "Usage", "Security", "Reviews", "Findings", "Audit"]);
    await look(page, "keys");
    expect(await page.getByRole("link", { name: "New key" }).count()).toBe(0);
    expect(await page.textContent("table")).not.toContain("prod");
    await close(page);
  });

  test("a reviewer decides a line on its evidence, with a reason", { timeout: 180_000 }, async () => {
    const order = { name: "carla", role: "access-reviewer", environments: ["prod"], ttl: "1d" };
    const { key } = await gateway.admin<{ key: string }>("POST", "/v1/admin-keys", order);
    const { reviewId } = await gateway.admin<{ reviewId: string }>("POST", "/v1/reviews", { environment: "prod" });
    const page = await enter({}, key);
    await look(page, "reviews");
    await page.getByRole("link", { name: reviewId }).click();
    await page
      .getByRole("row", { name: /app 1 key:/ })
      .getByRole("button", { name: /^Open line/ })
      .click();
    await page.getByRole("table", { name: "Evidence" }).waitFor();
    expect(await brokenRules(page)).toEqual([]);
    await page.getByRole("radio", { name: "revoke" }).check();
    await page.getByLabel("Reason").fill("left the project");
    await page.getByRole("button", { name: "Decide" }).click();
    await page.getByRole("dialog").waitFor({ state: "detached" });
    await page.locator("select").selectOption("decided");
    await page.waitForFunction(() => /revoked/.test(document.querySelector("table")?.textContent ?? ""));
    expect(await brokenRules(page)).toEqual([]);
    const { keys } = await gateway.admin<{ keys: { name: string; state: string }[] }>(
      "GET",
      "/v1/keys?environment=prod",
    );
    expect(keys.find(({ name }) => name === "app 1")!.state).toBe("revoked");
    const { records } = await gateway.admin<{ records: { fields: object }[] }>("GET", "/v1/audit?type=review.decided");
    expect(records[0]!.fields).toMatchObject({ decision: "revoke", reason: "left the project" });
    await close(page);
  });

  test(
    "a used link, a log-out and a restart lead to the door, which says what to do",
    { timeout: 180_000 },
    async () => {
      const url = await linkOf();
      const context = await browser.newContext();
      const page = await context.newPage();
      await page.goto(url);
      await page.waitForSelector("nav");
      await page.reload();
      await page.waitForSelector("nav");
      await page.getByRole("button", { name: "Log out" }).click();
      await page.waitForSelector(".door");
      const second = await (await browser.newContext()).newPage();
      await second.goto(url);
      await second.waitForSelector(".door");
      expect(await heading(second)).toBe("Sallyport");
      expect(await second.textContent("[role=alert]")).toContain("the link was already used");
      expect(await second.textContent(".door")).toContain("sallyport console");
      await close(page);
      await close(second);
    },
  );

  test("the browser complained about nothing", () => {
    // A session that has ended is answered with 401, a used link with 403: the browser's console names them.
    expect(complaints.filter((text) => !/status of 40[13]/.test(text))).toEqual([]);
  });
});

test("a build without the console says so", async () => {
  const folder = mkdtempSync(join(tmpdir(), "no-console-"));
  const { ConsoleFiles } = await import("../program-under-test.ts");
  const answer = new ConsoleFiles(folder).answer("/");
  expect([answer.status, ((await answer.json()) as { code: string }).code]).toEqual([404, "console_absent"]);
  rmSync(folder, { recursive: true });
});
