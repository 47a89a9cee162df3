/**
 * Live events in a real browser: twenty tabs over one connection (HTTP/1.1, where a browser opens six to a host), a session
 * that ends while a form is open, a gateway that goes away and comes back, and a browser without shared workers.
 */
import { execFileSync } from "node:child_process";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startGateway } from "../gateway/started-gateway.ts";
import type { IssuedKey, StartedGateway } from "../gateway/started-gateway.ts";
import { openGateway } from "../program-under-test.ts";
import { isBrowserThere, launchBrowser } from "./driven-console.ts";

const TABS = 20;
const chat = { model: "llama3.2", messages: [{ role: "user", content: "x" }], stream: false };
let gateway: StartedGateway;
let browser: Browser;
let issued: IssuedKey;
const complaints: string[] = [];

beforeAll(async () => {
  if (!isBrowserThere) return;
  execFileSync(process.execPath, ["tools/bundle-console.js"]);
  gateway = await startGateway({ environments: ["dev"] });
  // It comes back where it was.
  const { port } = new URL(gateway.gateway.adminUrl);
  Object.assign(gateway.settings, { adminListen: { host: "127.0.0.1", port: Number(port) } });
  issued = await gateway.issue({ name: "my app" });
  browser = await launchBrowser();
}, 120_000);
afterAll(async () => {
  await browser?.close();
  await gateway?.stop();
});

const linkOf = async (): Promise<string> => (await gateway.admin<{ url: string }>("POST", "/v1/console/links")).url;
const use = async (): Promise<number> => (await gateway.post("/api/chat", issued.key, chat)).status;

async function newContext(): Promise<BrowserContext> {
  const context = await browser.newContext();
  context.setDefaultTimeout(30_000);
  await context.addInitScript(() => {
    addEventListener("securitypolicyviolation", (event) => console.error(`policy: ${event.violatedDirective}`));
  });
  context.on("console", (message) => {
    if (message.type() === "error") complaints.push(message.text());
  });
  context.on("weberror", (error) => complaints.push(String(error.error())));
  return context;
}

async function enter(context: BrowserContext, path: string): Promise<Page> {
  const page = await context.newPage();
  await page.goto(await linkOf());
  await page.waitForSelector("nav");
  await page.evaluate((to) => void (location.hash = `#/${to}`), path);
  return page;
}

async function another(context: BrowserContext, path: string): Promise<Page> {
  const page = await context.newPage();
  await page.goto(`${gateway.gateway.adminUrl}/#/${path}`);
  await page.waitForSelector("nav");
  return page;
}

const sees = (page: Page): Promise<unknown> =>
  page.getByRole("table", { name: "Requests that are over" }).getByText("my app").first().waitFor();
const isOpen = (page: Page): Promise<unknown> =>
  page.waitForFunction(() => document.querySelector("[data-connection]")?.getAttribute("data-connection") === "open");

/** As a person who reads the link in a terminal. */
async function comeBack(page: Page): Promise<void> {
  const dialog = page.getByRole("dialog", { name: "Your session has ended" });
  await dialog.waitFor();
  await dialog.getByLabel("Link").fill(await linkOf());
  await dialog.getByRole("button", { name: "Go on" }).click();
  await dialog.waitFor({ state: "detached" });
}

describe.skipIf(!isBrowserThere)("live events", () => {
  test("twenty tabs are live over one connection", { timeout: 120_000 }, async () => {
    const context = await newContext();
    const first = await enter(context, "live");
    const tabs = [first, ...(await Promise.all(Array.from({ length: TABS - 1 }, () => another(context, "live"))))];
    await Promise.all(tabs.map(isOpen));
    // More streams than these a caller does not get.
    const session = await browser.newBrowserCDPSession();
    const { targetInfos } = await session.send("Target.getTargets");
    expect(targetInfos.filter(({ type }) => type === "shared_worker")).toHaveLength(1);
    expect(await use()).toBe(200);
    await Promise.all(tabs.map(sees));
    // A change is seen by a list that no one touched.
    await first.evaluate(() => void (location.hash = "#/keys"));
    await first.getByRole("link", { name: /^my app/ }).waitFor();
    await gateway.issue({ name: "made elsewhere" });
    await first.getByRole("link", { name: /^made elsewhere/ }).waitFor();
    await context.close();
  });

  test("a session that ends loses nothing that was typed", { timeout: 60_000 }, async () => {
    const context = await newContext();
    const page = await enter(context, "keys/new");
    await isOpen(page);
    await page.getByLabel("Name", { exact: true }).fill("typed before");
    await page.evaluate(() =>
      fetch("/console/session", {
        method: "DELETE",
        headers: { "x-sallyport-console": localStorage.getItem("sallyport.session")! },
      }),
    );
    await comeBack(page);
    expect(await page.getByLabel("Name", { exact: true }).inputValue()).toBe("typed before");
    await page.getByRole("textbox", { name: /Models/ }).fill("llama3.2");
    await page.getByRole("button", { name: "Create the key" }).click();
    await page.waitForSelector("[data-secret]");
    await context.close();
  });

  test("a gateway that goes away is said, and comes back by itself", { timeout: 60_000 }, async () => {
    const context = await newContext();
    const page = await enter(context, "live");
    await isOpen(page);
    await gateway.gateway.close(100);
    await page.getByText("Not connected:").waitFor();
    gateway.gateway = await openGateway(gateway.settings, { clock: gateway.clock });
    await comeBack(page);
    await isOpen(page);
    expect(await page.getByText("Not connected:").count()).toBe(0);
    await use();
    await sees(page);
    await context.close();
  });

  test("without shared workers one tab holds the connection, and then the next", { timeout: 60_000 }, async () => {
    const context = await newContext();
    await context.addInitScript(() => void delete (globalThis as { SharedWorker?: unknown }).SharedWorker);
    const leader = await enter(context, "live");
    await isOpen(leader);
    const second = await another(context, "live");
    await isOpen(second);
    await use();
    await Promise.all([sees(leader), sees(second)]);
    await leader.close();
    await second.reload();
    await isOpen(second);
    await use();
    await sees(second);
    await context.close();
  });

  test("the browser complained about nothing", () => {
    const expected = /status of (?:401|503)|ERR_CONNECTION|ERR_INCOMPLETE|ERR_EMPTY/;
    expect(complaints.filter((text) => !expected.test(text))).toEqual([]);
  });
});
