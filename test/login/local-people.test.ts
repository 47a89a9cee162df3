/** People without a provider: invited, enrolled, logged in by password and code; and everything that lets nobody in. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { openLedgerReader } from "../program-under-test.ts";
import type { Clock } from "../program-under-test.ts";
import { codeOf, startGateway } from "../gateway/started-gateway.ts";
import type { StartedGateway } from "../gateway/started-gateway.ts";
import { LocalBrowser, LocalHouse, otpAt, PASSWORD } from "./local-browser.ts";
import type { Enrolled } from "./local-browser.ts";

const CHAT = { model: "llama3.2", messages: [{ role: "user", content: "hi" }], stream: false };
const WRONG = "rong name, password or code";

let aheadMs = 0;
const clock: Clock = { now: () => Date.now() + aheadMs, monotonic: () => performance.now() + aheadMs };
let gateway: StartedGateway;
let house: LocalHouse;
let ada: Enrolled;

beforeAll(async () => {
  gateway = await startGateway({
    clock,
    moreYaml:
      "roles:\n  bot: { allow: [{ do: [infer:chat], on: [llama3.2] }] }\nassign: [{ group: ml-team, role: bot, in: [dev] }]\n",
  });
  house = new LocalHouse(gateway);
}, 60_000);
afterAll(() => gateway?.stop());
beforeEach(async () => {
  // Another minute, another code; and nothing is left of the delays of the test before.
  aheadMs += 25 * 3_600_000;
  ada = await house.enrol();
  aheadMs += 60_000;
});

const code = (): string => otpAt(ada.secret, clock.now());

async function chat(credential: string): Promise<string> {
  const answer = await gateway.post("/api/chat", credential, CHAT);
  const text = await answer.text();
  return answer.ok ? "allowed" : codeOf(text);
}

/** What the log-in comes to for the program that waits. */
async function logIn(said: { name?: string; password?: string; code?: string } = {}): Promise<string> {
  const waiting = await house.ask();
  const browser = await house.form(waiting);
  const shown = await house.say(browser, { name: ada.name, code: code(), ...said });
  const { body } = await house.poll(waiting);
  const token = body["access_token"];
  if (typeof token === "string") return token;
  expect(shown.status).not.toBe(200);
  expect(body["error"]).toMatch(/authorization_pending|access_denied/);
  return shown.text;
}

async function events(type: string): Promise<readonly Readonly<Record<string, unknown>>[]> {
  const log = openLedgerReader(gateway.directory);
  const found = (await log.search({ order: "newest", limit: 100, type })).map(({ fields }) => fields);
  log.close();
  return found;
}

describe("a person who was invited", () => {
  it("chooses, logs in for a program, and the program has his rights and no more; all of it is on record", async () => {
    const token = await logIn();
    expect(await chat(token)).toBe("allowed");
    const { principals } = await gateway.admin<{ principals: { id: string; localLogin: string }[] }>(
      "GET",
      "/v1/principals",
    );
    expect(principals.find(({ id }) => id === ada.id)).toMatchObject({ localLogin: "enrolled" });
    const mine = { principal: ada.id };
    expect((await events("person.invited"))[0]).toMatchObject(mine);
    expect((await events("person.enrolled"))[0]).toMatchObject({ ...mine, method: "password+otp" });
    expect((await events("person.proved"))[0]).toMatchObject({ ...mine, method: "password+otp", failed_before: 0 });
    expect((await events("person.logged_in"))[0]).toMatchObject({
      ...mine,
      method: "password+otp",
      issuer: "urn:sallyport:local",
    });
  });

  it("sees pages that are closed to everything else, and his secret as text, as a link and as a picture", async () => {
    const { id } = await house.person();
    const invited = await house.invite(id);
    expect(invited.page).toBe(`${gateway.url}/login/enrol`);
    const browser = new LocalBrowser(gateway);
    expect((await browser.get("/login/enrol")).csp).toBe(
      "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    );
    const { secret } = await house.choose(invited.code, PASSWORD, browser);
    expect(browser.page!.text).toContain(`secret=${secret}`);
    expect(browser.page!.text).toContain("<svg");
    expect(browser.page!.text).not.toContain("<script");
  });

  it.each([
    ["short", "at least 12"],
    ["password1234", "tried first"],
  ])("cannot choose %s, and the invitation is not used up by trying", async (password, why) => {
    const { id } = await house.person();
    const invited = await house.invite(id);
    const { browser } = await house.choose(invited.code, password);
    expect([browser.page!.status, browser.page!.text.includes(why)]).toEqual([400, true]);
    expect((await house.choose(invited.code)).secret).toHaveLength(32);
  });

  it("has to show a code of the authenticator before anything is his", async () => {
    const { id, name } = await house.person();
    const invited = await house.invite(id);
    const { browser, secret } = await house.choose(invited.code);
    const wrong = await browser.post("/login/enrol", {
      state: browser.state,
      code: otpAt(secret, clock.now() - 300_000),
    });
    expect([wrong.status, wrong.text.includes(WRONG)]).toEqual([403, true]);
    expect(await logIn({ name, code: otpAt(secret, clock.now()) })).toContain(WRONG);
    const right = await browser.post("/login/enrol", { state: browser.state, code: otpAt(secret, clock.now()) });
    expect([right.status, right.title]).toEqual([200, `Welcome, ${name}`]);
  });

  it("uses his invitation up, for whoever else has it, and even one who had begun", async () => {
    const { id } = await house.person();
    const invited = await house.invite(id);
    const other = await house.choose(invited.code);
    const { browser, secret } = await house.choose(invited.code);
    await browser.post("/login/enrol", { state: browser.state, code: otpAt(secret, clock.now()) });
    const late = await other.browser.post("/login/enrol", {
      state: other.browser.state,
      code: otpAt(other.secret, clock.now()),
    });
    expect([late.status, late.text.includes("nvalid or expired invitation")]).toEqual([403, true]);
    const again = await house.choose(invited.code);
    expect([again.browser.page!.status, again.secret]).toEqual([403, ""]);
  });

  it("has a day for it", async () => {
    const { id } = await house.person();
    const invited = await house.invite(id);
    aheadMs += 24 * 3_600_000 - 60_000;
    expect((await house.choose(invited.code)).secret).toHaveLength(32);
    aheadMs += 60_000;
    expect((await house.choose(invited.code)).browser.page).toMatchObject({ status: 403 });
  });

  it("invited anew has nothing of the old: no password, no authenticator, no session", async () => {
    const token = await logIn();
    expect(await chat(token)).toBe("allowed");
    const invited = await house.invite(ada.id);
    expect(await chat(token)).toBe("key_revoked");
    aheadMs += 60_000;
    expect(await logIn()).toContain(WRONG);
    const { browser, secret } = await house.choose(invited.code, "another sentence of mine");
    await browser.post("/login/enrol", { state: browser.state, code: otpAt(secret, clock.now()) });
    aheadMs += 60_000;
    expect(await logIn({ code: otpAt(secret, clock.now()) })).toContain(WRONG);
    aheadMs += 60_000;
    const next = await logIn({ password: "another sentence of mine", code: otpAt(secret, clock.now()) });
    expect(await chat(next)).toBe("allowed");
  });

  it("uninvited has no way in and no session", async () => {
    const token = await logIn();
    await gateway.admin("POST", `/v1/principals/${ada.id}/uninvite`);
    aheadMs += 60_000;
    expect([await chat(token), await logIn()]).toEqual(["key_revoked", expect.stringContaining(WRONG)]);
  });
});

describe("nobody gets in", () => {
  const notHis = (text: string): string => text.replace(/value="[^"]+"/g, "");

  it("with a wrong password, a wrong code, or an unknown name, and all three are told the same", async () => {
    const told = [
      await logIn({ password: `${PASSWORD}.` }),
      await logIn({ code: otpAt(ada.secret, clock.now() - 300_000) }),
      await logIn({ name: "nobody" }),
    ];
    expect(told[0]).toContain(WRONG);
    expect(new Set(told.map(notHis)).size).toBe(1);
  });

  it("without a code", async () => {
    for (const none of ["", "000000", "abcdef"]) {
      aheadMs += 60_000;
      expect(await logIn({ code: none })).toContain(WRONG);
    }
  });

  it("with a code that has counted, though it is still its time", async () => {
    const once = code();
    expect(await chat(await logIn({ code: once }))).toBe("allowed");
    expect(await logIn({ code: once })).toContain(WRONG);
    await gateway.restart();
    expect(await logIn({ code: once })).toContain(WRONG);
    aheadMs += 30_000;
    expect(await chat(await logIn())).toBe("allowed");
  });

  it("with one code twice at the same time", async () => {
    const waiting = [await house.ask(), await house.ask()];
    const browsers = await Promise.all(waiting.map((one) => house.form(one)));
    const shown = await Promise.all(browsers.map((one) => house.say(one, { name: ada.name, code: code() })));
    expect(shown.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 403]);
  });

  it("after too many tries, right or wrong, until he has waited", async () => {
    for (let i = 0; i < 3; i++) expect(await logIn({ password: "wrong" })).toContain(WRONG);
    const waiting = await house.ask();
    const shown = await house.say(await house.form(waiting), { name: ada.name, code: code() });
    expect([shown.status, shown.retryAfter, shown.text.includes("oo many wrong attempts")]).toEqual([429, "1", true]);
    aheadMs += 1_000;
    expect(await chat(await logIn())).toBe("allowed");
    expect((await events("person.proved"))[0]).toMatchObject({ failed_before: 3 });
  });

  it("who is disabled, though all he says is right", async () => {
    const token = await logIn();
    await gateway.admin("POST", `/v1/principals/${ada.id}/disable`);
    expect(["owner_disabled", "key_revoked"]).toContain(await chat(token));
    aheadMs += 60_000;
    expect(await logIn()).toContain("That did not work");
    await expect(house.invite(ada.id)).rejects.toThrow("owner_disabled");
  });

  it("without a role there", async () => {
    ada = await house.enrol(["sales"]);
    aheadMs += 60_000;
    expect(await logIn()).toContain("That did not work");
  });

  it("by a form of another site, of another browser, or sent twice", async () => {
    const waiting = await house.ask();
    for (const headers of [
      { "sec-fetch-site": "cross-site" },
      { "sec-fetch-site": "same-site" },
      { "sec-fetch-site": "none" },
    ]) {
      const browser = await house.form(waiting);
      const shown = await house.say(browser, { name: ada.name, code: code() }, headers);
      expect([shown.status, shown.text.includes("not sent by a page of this gateway")]).toEqual([403, true]);
    }
    const mine = await house.form(waiting);
    const { state } = mine;
    const elsewhere = new LocalBrowser(gateway);
    const said = { state, name: ada.name, password: PASSWORD, code: code() };
    expect((await elsewhere.post("/login/local", said)).text).toContain("the log-in has expired");
    expect((await mine.post("/login/local", { ...said, code: "000000" })).text).toContain(WRONG);
    expect((await mine.post("/login/local", said)).text).toContain("the log-in has expired");
    expect((await house.poll(waiting)).body["error"]).toBe("authorization_pending");
  });

  it("for a program that waits no more", async () => {
    const browser = await house.form(await house.ask());
    aheadMs += 9 * 60_000;
    const late = await house.form(await house.ask());
    aheadMs += 60_000;
    expect((await house.say(browser, { name: ada.name, code: code() })).text).toContain("the log-in has expired");
    expect((await house.say(late, { name: ada.name, code: code() })).status).toBe(200);
  });

  it("and no try is written one by one", async () => {
    const before = openLedgerReader(gateway.directory);
    const count = async (): Promise<number> =>
      (await before.search({ order: "newest", limit: 1_000, since: clock.now() - 1_000 })).length;
    const held = await count();
    for (let i = 0; i < 3; i++) await logIn({ name: "nobody" });
    expect(await count()).toBeLessThanOrEqual(held);
    before.close();
  });
});
