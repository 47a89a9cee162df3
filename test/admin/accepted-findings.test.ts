/** Findings are accepted until a date, seen page by page, and belong to those who administer their environment. */
import { AdminClient } from "@sallyport/client";
import { beforeEach, expect, it } from "vitest";
import { everything } from "../program-under-test.ts";
import { clientOf, codeOf } from "./caller.ts";
import { DAY_MS, MemoryGateway, POLICY } from "./memory-ports.ts";

const finding = { code: "no_limits_in_prod", subject: "environment:prod" } as const;
let gateway: MemoryGateway;
let client: AdminClient;
const inDays = (days: number): string => new Date(gateway.nowMs + days * DAY_MS).toISOString();
const accept = (days: number, by = client) =>
  codeOf(by.call("findings.accept", { body: { ...finding, until: inDays(days), reason: "known" } }));
const statusOf = async (): Promise<string[]> =>
  (await client.call("findings")).findings.filter(({ code }) => code === finding.code).map(({ status }) => status);

beforeEach(async () => {
  gateway = new MemoryGateway();
  client = new AdminClient({ handle: (request) => gateway.app.handle(request, { kind: "socket", user: "root" }) });
  await client.call("policy.apply", { body: { text: POLICY } });
});

it("is open, accepted until its date, and open again after it without anyone's doing", async () => {
  expect(await statusOf()).toEqual(["open"]);
  expect(await accept(3)).toBe("done");
  expect(await statusOf()).toEqual(["accepted"]);
  expect(gateway.events.at(-1)).toMatchObject({
    type: "finding.accepted",
    environment: "prod",
    fields: { ...finding },
  });
  gateway.nowMs += 3 * DAY_MS - 1;
  expect(await statusOf()).toEqual(["accepted"]);
  gateway.nowMs += 1;
  expect(await statusOf()).toEqual(["open"]);
});

it("is fixed when it is not there any more, and reopened by a command", async () => {
  await accept(3);
  await client.call("findings.reopen", { body: finding });
  expect(await statusOf()).toEqual(["open"]);
  await accept(3);
  const limited = POLICY.replace("prod: {", "prod: { limits: { requests: 60/min },");
  await client.call("policy.apply", { body: { text: limited } });
  expect(await statusOf()).toEqual(["fixed"]);
  expect(await accept(3)).toBe("conflict");
  expect((await client.call("findings", { query: { status: "open" } })).findings.map(({ code }) => code)).not.toContain(
    finding.code,
  );
});

it.each([
  [0, "input_invalid"],
  [-1, "input_invalid"],
  [401, "input_invalid"],
  [400, "done"],
])("for %s days is %s", async (days, code) => {
  expect(await accept(days)).toBe(code);
});

it("does not exist for those who do not administer its environment", async () => {
  const dev = clientOf(gateway, { ...everything, environments: ["dev"] });
  expect(await accept(3, dev)).toBe("not_found");
  expect((await dev.call("findings")).findings.filter(({ environment }) => environment !== "dev")).toEqual([]);
  expect(await codeOf(dev.call("findings", { query: { environment: "prod" } }))).toBe("permission_denied");
  await accept(3);
  expect(await codeOf(dev.call("findings.reopen", { body: finding }))).toBe("not_found");
  expect(await statusOf()).toEqual(["accepted"]);
});

it("goes with its environment", async () => {
  await accept(3);
  const [, dev = ""] = /(  dev: .*\n)/.exec(POLICY) ?? [];
  await client.call("policy.apply", { body: { text: `environments:\n${dev}` } });
  await client.call("policy.apply", { body: { text: POLICY } });
  expect(await statusOf()).toEqual(["open"]);
});

it("pages are the whole list, worst first, each finding once", async () => {
  gateway.damaged = Array.from({ length: 25 }, (_, n) => ({ environment: n % 2 ? "dev" : "prod", says: `row ${n}` }));
  const whole = (await client.call("findings")).findings;
  const paged: typeof whole = [];
  for (let after: string | undefined; ;) {
    const { findings, next } = await client.call("findings", { query: { after, limit: 4 } });
    paged.push(...findings);
    if (next === null) break;
    after = next;
  }
  expect(paged).toEqual(whole);
  expect(new Set(whole.map(({ code, environment, subject }) => `${code} ${environment} ${subject}`)).size).toBe(
    whole.length,
  );
  expect(whole[0]?.severity).toBe("critical");
});
