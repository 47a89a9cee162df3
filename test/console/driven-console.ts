/** The console of a real gateway in a real browser, for tests that look and act as people do. */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { chromium } from "playwright-core";
import type { Browser, BrowserContext, Page, Request } from "playwright-core";
import { startGateway } from "../gateway/started-gateway.ts";
import type { StartedGateway } from "../gateway/started-gateway.ts";

const BROWSER = "/usr/bin/chromium";
export const isBrowserThere = existsSync(BROWSER);
if (!isBrowserThere && process.env["SALLYPORT_TEST_BROWSER"]) throw new Error(`${BROWSER} is not there`);
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** What a hostile caller would put where it is shown. */
export const HOSTILE = `<img src=x onerror="document.title='owned'">{{7*7}}`;

export interface DrivenConsole {
  readonly gateway: StartedGateway;
  readonly browser: Browser;
  /** What the browsers complained about. */
  readonly complaints: readonly string[];
  /** Commands that pages offered to copy. */
  readonly commands: ReadonlySet<string>;
  readonly linkOf: (key?: string) => Promise<string>;
  /** A page that has entered. */
  readonly enter: (options?: Parameters<Browser["newContext"]>[0], key?: string) => Promise<Page>;
  readonly look: (page: Page, path: string) => Promise<void>;
  readonly settled: (page: Page) => Promise<void>;
  readonly stop: () => Promise<void>;
}

export const launchBrowser = (): Promise<Browser> =>
  chromium.launch({
    executablePath: BROWSER,
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"],
  });

export async function driveConsole(options: Parameters<typeof startGateway>[0]): Promise<DrivenConsole> {
  execFileSync(process.execPath, ["tools/bundle-console.js"]);
  const gateway = await startGateway(options);
  const browser = await launchBrowser();
  const complaints: string[] = [];
  const commands = new Set<string>();
  /** Requests of a page that are not answered yet, but those of workers: the driver sees them begin and not end. */
  const unanswered = new WeakMap<Page, Set<Request>>();

  function watchRequests(page: Page): void {
    const open = new Set<Request>();
    unanswered.set(page, open);
    page.on("request", (request) => isOfWorker(request) || open.add(request));
    page.on("requestfinished", (request) => open.delete(request));
    page.on("requestfailed", (request) => open.delete(request));
  }

  async function linkOf(key = gateway.adminKey): Promise<string> {
    return (await gateway.admin<{ url: string }>("POST", "/v1/console/links", undefined, key)).url;
  }

  async function enter(contextOptions: Parameters<Browser["newContext"]>[0] = {}, key?: string): Promise<Page> {
    const context: BrowserContext = await browser.newContext(contextOptions);
    await context.addInitScript(() => {
      addEventListener("securitypolicyviolation", (event) => console.error(`policy: ${event.violatedDirective}`));
    });
    context.setDefaultTimeout(90_000);
    const page = await context.newPage();
    watchRequests(page);
    page.on("console", (message) => {
      if (message.type() === "error" || message.type() === "warning") complaints.push(message.text());
    });
    page.on("pageerror", (error) => complaints.push(String(error)));
    await page.goto(await linkOf(key));
    await page.waitForSelector("nav");
    return page;
  }

  async function look(page: Page, path: string): Promise<void> {
    await page.evaluate((to) => void (location.hash = `#/${to}`), path);
    await page.waitForFunction(() => document.querySelector("h1") && !document.querySelector(".loading"));
    await settled(page);
  }

  /** Everything that the page asked for was answered and is shown: what it asked for because of an answer, too. */
  async function settled(page: Page): Promise<void> {
    for (let frames = 0; frames < 3; frames++) {
      await page.evaluate(
        () => new Promise<void>((resolve) => requestAnimationFrame(() => requestAnimationFrame(() => resolve()))),
      );
      if (unanswered.get(page)!.size > 0) frames = -1;
    }
    for (const text of await page.locator(".command code").allTextContents()) commands.add(text);
  }

  return {
    gateway,
    browser,
    complaints,
    commands,
    linkOf,
    enter,
    look,
    settled,
    stop: async () => {
      await browser.close();
      await gateway.stop();
    },
  };
}

function isOfWorker(request: Request): boolean {
  return /\/v1\/events$|\/assets\/(?:events|proof)-/.test(request.url());
}

export const close = async (page: Page): Promise<void> => page.context().close();

interface Axe {
  run(options: object): Promise<{
    readonly violations: readonly { readonly id: string; readonly nodes: readonly { readonly html: string }[] }[];
  }>;
}

/** The rules of WCAG 2.2 A and AA that the page breaks. */
export async function brokenRules(page: Page): Promise<string[]> {
  // The page's own policy lets in no script; the driver's way around it is the driver's.
  await page
    .evaluate((code) => ("axe" in globalThis ? undefined : code), axe)
    .then((code) => code && page.evaluate(code));
  return page.evaluate(async () => {
    const { axe: rules } = globalThis as unknown as { axe: Axe };
    const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
    const { violations } = await rules.run({ runOnly: tags });
    return violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html.slice(0, 120)).join(" | ")}`);
  });
}
