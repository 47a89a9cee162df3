/**
 * What people do at the console, in a real browser: each act is made there, and looked for where it counts. The commands
 * that pages offer instead are commands that the program accepts.
 */
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { mistakeIn } from "../docs/parsed-call.ts";
import { callsIn } from "../docs/shell-words.ts";
import { brokenRules, close, driveConsole, isBrowserThere } from "./driven-console.ts";
import type { DrivenConsole } from "./driven-console.ts";

const LONG = { timeout: 180_000 };
const chat = { model: "llama3.2", messages: [{ role: "user", content: "x" }], stream: false };

let driven: DrivenConsole;

beforeAll(async () => {
  if (!isBrowserThere) return;
  driven = await driveConsole({ environments: ["dev", "prod"] });
}, 120_000);
afterAll(async () => driven?.stop());

const admin = <T>(method: string, path: string, body?: object): Promise<T> =>
  driven.gateway.admin<T>(method, path, body);
const button = (page: Page, name: string | RegExp) => page.getByRole("button", { name, exact: true });
const dialog = (page: Page) => page.getByRole("dialog");

/** The dialog is shown, breaks no rule, and is gone when its act is done. */
async function inDialog(page: Page, act: () => Promise<unknown>): Promise<void> {
  await dialog(page).waitFor();
  await driven.settled(page);
  expect(await brokenRules(page)).toEqual([]);
  await act();
  await dialog(page).waitFor({ state: "detached" });
  await driven.settled(page);
}

describe.skipIf(!isBrowserThere)("at the console", () => {
  test("a person is made, gets a right, is invited, loses the right, and is disabled", LONG, async () => {
    const page = await driven.enter();
    await driven.look(page, "access/people");
    await button(page, "New person or service").click();
    await inDialog(page, async () => {
      await page.getByLabel("Name", { exact: true }).last().fill("Ada L'Ovelace");
      await page.getByLabel("Groups").fill("ml-team, staff");
      await button(page, "Create").click();
    });
    const { principals } = await admin<{ principals: { id: string; name: string; groups: string[] }[] }>(
      "GET",
      "/v1/principals?kind=person",
    );
    expect(principals).toMatchObject([{ name: "Ada L'Ovelace", groups: ["ml-team", "staff"] }]);
    const { id } = principals[0]!;

    await driven.look(page, `access/assignments?principal=${id}`);
    await button(page, "New assignment").click();
    await inDialog(page, async () => {
      await page.getByLabel("For", { exact: true }).selectOption("principal");
      await page.getByLabel("Id or unique name").fill(id);
      await dialog(page).getByLabel("Environment").selectOption("prod");
      await page.getByLabel("Models").fill("llama3.2");
      await button(page, "Assign").click();
    });
    const assigned = (): Promise<{ assignments: object[] }> => admin("GET", `/v1/assignments?principal=${id}`);
    expect((await assigned()).assignments).toMatchObject([
      { environment: "prod", roles: ["chatbot"], models: ["llama3.2"] },
    ]);

    await driven.look(page, "access/people?kind=person");
    await button(page, "Invite: Ada L'Ovelace").click();
    await dialog(page).waitFor();
    await button(page, "Invite").click();
    const code = (await page.textContent("[data-secret]"))!;
    expect(code.length).toBeGreaterThan(16);
    expect(await brokenRules(page)).toEqual([]);
    await inDialog(page, () => button(page, "Close").click());
    expect(await page.content()).not.toContain(code);

    await driven.look(page, `access/assignments?principal=${id}`);
    await button(page, /^Remove: /).click();
    await inDialog(page, () => button(page, "Remove").click());
    expect((await assigned()).assignments).toEqual([]);

    await driven.look(page, "access/people?kind=person");
    await button(page, "Remove the log-in: Ada L'Ovelace").click();
    await inDialog(page, () => button(page, "Remove the log-in").click());
    await button(page, "Disable: Ada L'Ovelace").click();
    await inDialog(page, () => button(page, "Disable").click());
    expect(await page.textContent("table")).toContain("disabled by admin");
    await button(page, "Enable: Ada L'Ovelace").click();
    await inDialog(page, () => button(page, "Enable").click());
    expect(await admin("GET", `/v1/principals/${id}`)).toMatchObject({ isDisabled: false, localLogin: "none" });
    await close(page);
  });

  test(
    "a policy is planned, applied, and put back; what another changed meanwhile is shown, and nothing is lost",
    LONG,
    async () => {
      const page = await driven.enter();
      await driven.look(page, "access/policy");
      const text = page.getByLabel("Policy file (YAML)");
      const first = await text.inputValue();
      expect(await button(page, "Plan the change").isDisabled()).toBe(true);
      await text.fill("environments: { dev: { cloud: maybe } }");
      await button(page, "Plan the change").click();
      expect(await page.getByRole("alert").textContent()).toContain("environments.dev.cloud");

      const bot = `${first}roles:\n  bot:\n    allow:\n      - do: [infer:chat]\n        on: [llama3.2]\n`;
      await text.fill(bot);
      await button(page, "Plan the change").click();
      expect(await page.getByRole("region", { name: "Plan" }).textContent()).toContain("+ role bot");
      expect(await brokenRules(page)).toEqual([]);
      await button(page, "Apply this change").click();
      await page.getByText(/^Applied: /).waitFor();
      expect(await admin("GET", "/v1/roles/bot")).toMatchObject({ allow: [{ do: ["infer:chat"], on: ["llama3.2"] }] });

      // Another administrator applies a change while this one writes.
      await text.fill(`${await text.inputValue()}  mine:\n    allow:\n      - do: [usage:read]\n`);
      const { text: now } = await admin<{ text: string }>("GET", "/v1/policy/text");
      await admin("POST", "/v1/policy", { text: now.replace("  bot:", "  theirs:\n    allow: []\n  bot:") });
      await button(page, "Plan the change").click();
      await page.getByRole("region", { name: "Plan" }).waitFor();
      expect(await page.getByRole("region", { name: "Plan" }).textContent()).toContain("- role theirs");
      await admin("POST", "/v1/policy", { text: now.replace("  bot:", "  others:\n    allow: []\n  bot:") });
      await button(page, /^Apply these/).click();
      expect(await page.getByRole("alert").textContent()).toContain("changed since");
      const changed = page.getByRole("region", { name: "Changed by others" });
      await changed.waitFor();
      expect(await changed.textContent()).toContain("+   others:");
      expect(await brokenRules(page)).toEqual([]);
      expect(await text.inputValue()).toContain("mine:");
      await button(page, "Discard my text").click();
      expect(await text.inputValue()).toContain("others:");

      await text.fill(first);
      await button(page, "Plan the change").click();
      await button(page, /^Apply/).click();
      await page.getByText(/^Applied: /).waitFor();
      await button(page, "Put back what was before").click();
      expect(await text.inputValue()).toContain("others:");
      await close(page);
    },
  );

  test("a decision is explained", LONG, async () => {
    const { id } = await driven.gateway.issue({ name: "asked", environment: "dev", models: ["llama3.2"] });
    const page = await driven.enter();
    await driven.look(page, `access/explain?key=${id}`);
    await page.getByLabel("Model", { exact: true }).fill("llama3.2");
    await button(page, "Ask").click();
    await page.getByRole("region", { name: "Decision" }).waitFor();
    expect(await page.getByRole("region", { name: "Decision" }).textContent()).toContain("Allowed");
    await page.getByLabel("Model", { exact: true }).fill("other");
    await button(page, "Ask").click();
    await page.getByRole("region", { name: "Decision" }).waitFor();
    expect(await page.getByRole("region", { name: "Decision" }).textContent()).toContain("Denied: ");
    expect(await brokenRules(page)).toEqual([]);
    await close(page);
  });

  test("a key is right-sized, and gets its scope back", LONG, async () => {
    const issued = await driven.gateway.issue({ name: "wide", environment: "dev", allow: ["infer:chat", "infer:embed"], models: ["*"] }); // prettier-ignore
    await (await driven.gateway.post("/api/chat", issued.key, chat)).text();
    const page = await driven.enter();
    await driven.look(page, "access/rightsizing?environment=dev");
    await button(page, "Make a plan").click();
    await page.getByRole("table", { name: "What is proposed" }).waitFor();
    await driven.settled(page);
    expect(await brokenRules(page)).toEqual([]);
    const proposed = await page.getByRole("row", { name: /^wide/ }).textContent();
    expect(proposed).toContain("infer:chat");
    await close(page);
  });

  test("an incident is read, its report is saved, and it ends with another key", LONG, async () => {
    const issued = await driven.gateway.issue({ name: "leaked", environment: "dev", models: ["llama3.2"] });
    await (await driven.gateway.post("/api/chat", issued.key, chat)).text();
    const { id } = await admin<{ id: string }>("POST", "/v1/incidents", { keyId: issued.id, reason: "in a paste" });
    const page = await driven.enter();
    await driven.look(page, "security");
    await page.getByRole("link", { name: id }).click();
    await page.getByRole("table", { name: "Addresses that used the key" }).waitFor();
    const [download] = await Promise.all([page.waitForEvent("download"), button(page, "Save the report").click()]);
    expect(download.suggestedFilename()).toBe(`${id}.html`);
    await button(page, "Close the incident").first().click();
    await dialog(page).waitFor();
    for (const outcome of [/works again/, /^Revoke the key/, /make another/]) {
      await page.getByRole("radio", { name: outcome }).check();
      await driven.settled(page);
    }
    expect(await brokenRules(page)).toEqual([]);
    await page.getByLabel("Note").fill("the paste is gone");
    await dialog(page).getByRole("button", { name: "Close the incident" }).click();
    const key = (await page.textContent("[data-secret]"))!.trim();
    expect((await driven.gateway.post("/api/chat", key, chat)).status).toBe(200);
    expect((await driven.gateway.post("/api/chat", issued.key, chat)).status).toBe(401);
    await inDialog(page, () => dialog(page).getByRole("button", { name: "Close", exact: true }).click());
    expect(await page.textContent(".facts")).toContain("the paste is gone");
    await close(page);
  });

  test("a model server is drained and put back, and the audit log is verified", LONG, async () => {
    const page = await driven.enter();
    await driven.look(page, "health");
    await button(page, "Drain: u1 of prod").click();
    await inDialog(page, () => button(page, "Drain").click());
    expect(await admin("GET", "/v1/upstreams?environment=prod")).toMatchObject({ upstreams: [{ isDrained: true }] });
    await button(page, "Resume: u1 of prod").click();
    await inDialog(page, () => button(page, "Resume").click());
    expect(await admin("GET", "/v1/upstreams?environment=prod")).toMatchObject({ upstreams: [{ isDrained: false }] });
    await button(page, "Verify it now").click();
    await page.getByText("Whole", { exact: true }).waitFor();
    expect(await brokenRules(page)).toEqual([]);
    await close(page);
  });

  test("the browser checks the proof of a record, and a proof that was changed on its way is found", LONG, async () => {
    const page = await driven.enter();
    const { records } = await admin<{ records: { seq: number }[] }>("GET", "/v1/audit?type=key.issued&limit=1");
    const { seq } = records[0]!;
    await driven.look(page, `audit/${seq}`);
    await button(page, "Prove this record").click();
    await page.getByText("This browser verified the proof.").waitFor();
    expect(await page.getByText("of the log").textContent()).toMatch(/\/prod|\/dev/);
    const saved = page.waitForEvent("download");
    await button(page, "Save the proof").click();
    expect((await saved).suggestedFilename()).toBe(`${seq}.tlog-proof`);
    await driven.settled(page);
    expect(await brokenRules(page)).toEqual([]);

    await page.route("**/proof", async (route) => {
      const answer = await route.fetch();
      const { proof } = (await answer.json()) as { proof: string };
      await route.fulfill({ response: answer, json: { proof: proof.replace(/^index \d+/m, "index 999999") } });
    });
    await button(page, "Prove this record").click();
    await page.getByText("The proof does not hold").waitFor();
    await page.unroute("**/proof");
  });

  test("each page is a few letters away", LONG, async () => {
    const page = await driven.enter();
    await page.keyboard.press("Control+k");
    await dialog(page).waitFor();
    expect(await brokenRules(page)).toEqual([]);
    await page.keyboard.type("people");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "People and services" }).waitFor();
    await page.keyboard.press("Control+k");
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("ArrowUp");
    await page.keyboard.press("Escape");
    await dialog(page).waitFor({ state: "detached" });
    await close(page);
  });

  test("what is offered to copy is accepted by the program", LONG, async () => {
    const calls = [...driven.commands].flatMap(callsIn);
    expect(calls.length).toBeGreaterThan(10);
    const mistakes = await Promise.all(calls.map(mistakeIn));
    expect(mistakes.filter((one) => one !== undefined)).toEqual([]);
  });

  test("the browser complained about nothing", () => {
    // What the gateway denies is in the browser's console, too: a policy with a mistake, and one that was changed meanwhile.
    expect(driven.complaints.filter((text) => !/status of (409|422)/.test(text))).toEqual([]);
  });
});
