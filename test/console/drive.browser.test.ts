/**
 * The console in a real browser against a real gateway: every page in both colour schemes and two widths, without a
 * violation of its policy and without one that axe finds; what people do there; what ends a session.
 *
 * `SALLYPORT_CONSOLE_PICTURES=FOLDER` keeps the screenshots.
 */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { brokenRules, close, driveConsole, HOSTILE, isBrowserThere } from "./driven-console.ts";
import type { DrivenConsole } from "./driven-console.ts";

const pictures = process.env["SALLYPORT_CONSOLE_PICTURES"];
const PAGES = [
  "", "keys", "keys/new", "live", "usage", "access", "access/roles", "access/people", "access/assignments",
  "access/policy", "access/rightsizing", "access/explain", "security", "reviews", "findings", "audit", "health", "session",
] as const; // prettier-ignore

let driven: DrivenConsole;

beforeAll(async () => {
  if (!isBrowserThere) return;
  driven = await driveConsole({
    environments: ["dev", "prod"],
    moreYaml: "roles:\n  bot: { allow: [{ do: [infer:chat], on: [llama3.2] }], limits: { outputTokens: 10k/day } }\n",
  });
  const { gateway } = driven;
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
}, 120_000);
afterAll(async () => driven?.stop());

const heading = async (page: Page): Promise<string | null> => page.textContent("h1");

describe.skipIf(!isBrowserThere)("the console", () => {
  test("each page breaks no rule, light and dark, on a phone and on a desk", { timeout: 240_000 }, async () => {
    const page = await driven.enter();
    const { keys } = await driven.gateway.admin<{ keys: { id: string; name: string }[] }>("GET", "/v1/keys?limit=1");
    const opened = { keyId: keys[0]!.id, reason: HOSTILE };
    const { id: incidentId } = await driven.gateway.admin<{ id: string }>("POST", "/v1/incidents", opened);
    const named = [[`keys/${keys[0]!.id}`, "key"], [`incidents/${incidentId}`, "incident"], ["audit/1", "record"]] as const; // prettier-ignore
    for (const [path, name] of [
      ...PAGES.map((one) => [one, one.replaceAll("/", "-") || "overview"] as const),
      ...named,
    ]) {
      await driven.look(page, path);
      expect(await page.title()).toContain("Sallyport");
      for (const width of [360, 1_280])
        for (const colorScheme of ["light", "dark"] as const) {
          await page.setViewportSize({ width, height: 800 });
          await page.emulateMedia({ colorScheme });
          const at = [path, width, colorScheme];
          expect([at, await brokenRules(page)]).toEqual([at, []]);
          // Nothing but tables is wider than the window.
          const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
          expect([at, overflow <= 0]).toEqual([at, true]);
          if (pictures === undefined) continue;
          mkdirSync(pictures, { recursive: true });
          await page.screenshot({ path: join(pictures, `${name}-${colorScheme}-${width}.png`), fullPage: true });
        }
    }
    await close(page);
  });

  test("a key is made in a few steps by keyboard, and works", { timeout: 180_000 }, async () => {
    const page = await driven.enter();
    expect(await page.evaluate(() => location.href)).not.toContain("link=");
    await driven.look(page, "keys/new");
    await page.getByLabel("Name", { exact: true }).focus();
    await page.keyboard.type("by keyboard");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Tab");
    await page.keyboard.type("llama3.2");
    await page.keyboard.press("Enter");
    const key = (await page.textContent("[data-secret]"))!.trim();
    const chat = { model: "llama3.2", messages: [{ role: "user", content: "x" }], stream: false };
    expect((await driven.gateway.post("/api/chat", key, chat)).status).toBe(200);
    const kept = await page.evaluate(() =>
      JSON.stringify([localStorage, sessionStorage, location.href, document.cookie]),
    );
    expect(kept).not.toContain(key);
    await driven.look(page, "keys");
    expect(await page.content()).not.toContain(key);

    const id = key.split("_")[2]!;
    await driven.look(page, `keys/${id}`);
    await page.getByRole("button", { name: "Suspend", exact: true }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Suspend", exact: true }).click();
    await page.waitForSelector(".state.suspended");
    expect((await driven.gateway.post("/api/chat", key, chat)).status).toBe(401);
    await page.getByRole("button", { name: "Resume", exact: true }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Resume", exact: true }).click();
    await page.waitForSelector(".state.active");
    expect((await driven.gateway.post("/api/chat", key, chat)).status).toBe(200);
    await page.getByRole("button", { name: "Revoke", exact: true }).click();
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });
    expect((await driven.gateway.post("/api/chat", key, chat)).status).toBe(200);
    await page.getByRole("button", { name: "Revoke", exact: true }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Revoke", exact: true }).click();
    await page.waitForSelector(".state.revoked");
    expect((await driven.gateway.post("/api/chat", key, chat)).status).toBe(401);
    await close(page);
  });

  test("a page that was hidden asks once it is shown", { timeout: 180_000 }, async () => {
    const page = await driven.enter();
    const turn = (isHidden: boolean): Promise<void> =>
      page.evaluate((hidden) => {
        Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
        document.dispatchEvent(new Event("visibilitychange"));
      }, isHidden);
    await turn(true);
    await driven.look(page, "usage");
    expect(await page.locator("table").count()).toBe(0);
    await turn(false);
    await page.waitForSelector("table");
    await close(page);
  });

  test("hostile names are text", { timeout: 180_000 }, async () => {
    const page = await driven.enter();
    for (const path of ["keys", "audit", "usage", "live"]) await driven.look(page, path);
    await driven.look(page, "keys");
    expect(await page.textContent("table")).toContain("<img src=x");
    expect(await page.locator("img").count()).toBe(0);
    expect(await page.title()).toBe("Keys · Sallyport");
    await close(page);
  });

  test("what a person may not do is not offered", { timeout: 180_000 }, async () => {
    const made = await driven.gateway.admin<{ key: string }>("POST", "/v1/admin-keys", {
      name: "reader",
      role: "viewer",
      environments: ["dev"],
      ttl: "1d",
    });
    const page = await driven.enter({}, made.key);
    const links = await page.locator("nav a").allTextContents();
    expect(links).toEqual(
      ["Overview", "Keys", "Live", "Usage", "Access", "Security", "Reviews", "Findings", "Audit", "Health"], // prettier-ignore
    );
    await driven.look(page, "keys");
    expect(await page.getByRole("link", { name: "New key" }).count()).toBe(0);
    expect(await page.textContent("table")).not.toContain("prod");
    await close(page);
  });

  test("a reviewer decides a line on its evidence, with a reason", { timeout: 180_000 }, async () => {
    const order = { name: "carla", role: "access-reviewer", environments: ["prod"], ttl: "1d" };
    const { key } = await driven.gateway.admin<{ key: string }>("POST", "/v1/admin-keys", order);
    const { reviewId } = await driven.gateway.admin<{ reviewId: string }>("POST", "/v1/reviews", {
      environment: "prod",
    });
    const page = await driven.enter({}, key);
    await driven.look(page, "reviews");
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
    const { keys } = await driven.gateway.admin<{ keys: { name: string; state: string }[] }>(
      "GET",
      "/v1/keys?environment=prod",
    );
    expect(keys.find(({ name }) => name === "app 1")!.state).toBe("revoked");
    const { records } = await driven.gateway.admin<{ records: { fields: object }[] }>(
      "GET",
      "/v1/audit?type=review.decided",
    );
    expect(records[0]!.fields).toMatchObject({ decision: "revoke", reason: "left the project" });
    await close(page);
  });

  test(
    "a used link, a log-out and a restart lead to the door, which says what to do",
    { timeout: 180_000 },
    async () => {
      const url = await driven.linkOf();
      const context = await driven.browser.newContext();
      const page = await context.newPage();
      await page.goto(url);
      await page.waitForSelector("nav");
      await page.reload();
      await page.waitForSelector("nav");
      await page.getByRole("button", { name: "Log out" }).click();
      await page.waitForSelector(".door");
      const second = await (await driven.browser.newContext()).newPage();
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
    expect(driven.complaints.filter((text) => !/status of 40[13]/.test(text))).toEqual([]);
  });
});

test("a build without the console says so", async () => {
  const folder = mkdtempSync(join(tmpdir(), "no-console-"));
  const { ConsoleFiles } = await import("../program-under-test.ts");
  const answer = new ConsoleFiles(folder).answer("/");
  expect([answer.status, ((await answer.json()) as { code: string }).code]).toEqual([404, "console_absent"]);
  rmSync(folder, { recursive: true });
});
