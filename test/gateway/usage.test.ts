/** Who used what: the report is the fold of the audit log, and each caller sees what is theirs. */
import { join } from "node:path";
import { isRefusal } from "@sallyport/protocol";
import type { OwnUsageAnswer, OwnUsageRow } from "@sallyport/protocol";
import type { UsageView } from "@sallyport/contract";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openCore, openDatabase, openGateway, openLog, readPlainOutcome, SessionDesk } from "../program-under-test.ts";
import { sallyport, sallyportJson } from "../program/program.ts";
import { foldOf } from "../usage-fold.ts";
import type { Counted } from "../usage-fold.ts";
import { codeOf, startGateway } from "./started-gateway.ts";
import type { IssuedKey, StartedGateway } from "./started-gateway.ts";
import { TokenDesk } from "./token-desk.ts";

const OWN = "/sallyport/usage";
let gateway: StartedGateway;
beforeAll(async () => {
  gateway = await startGateway({
    environments: ["dev", "prod"],
    moreYaml: `roles:
  bot: { allow: [{ do: [infer:chat, infer:embed], on: ["*"] }, { do: [usage:read] }] }
assign: [{ group: ml-team, role: bot, in: [dev, prod] }]
`,
  });
});
afterAll(() => gateway.stop());

interface UsageList {
  readonly rows: UsageView[];
  readonly next: string | null;
  readonly since: string;
  readonly until: string;
  readonly firstDay: string | null;
}

const usage = (query: string, key?: string): Promise<UsageList> =>
  gateway.admin("GET", `/v1/usage?${query}`, undefined, key);
const issue = (environment = "dev", more: object = {}): Promise<IssuedKey> =>
  gateway.issue({ environment, allow: ["infer:chat", "infer:embed", "usage:read"], models: ["*"], ...more });
async function chat({ key }: IssuedKey, model = "llama3.2", count = 1): Promise<void> {
  for (let n = 0; n < count; n++) {
    const answer = await gateway.post("/api/chat", key, {
      model,
      stream: false,
      messages: [{ role: "user", content: "x" }],
    });
    await answer.text();
  }
}
async function own(credential: string, query = ""): Promise<OwnUsageAnswer> {
  const answer = await fetch(gateway.url + OWN + query, { headers: { authorization: `Bearer ${credential}` } });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${answer.status} ${codeOf(text)}`);
  return JSON.parse(text) as OwnUsageAnswer;
}
const requestsBy = (rows: readonly OwnUsageRow[]): Record<string, number> => {
  const sums: Record<string, number> = {};
  for (const { key, requests } of rows) sums[String(key)] = (sums[String(key)] ?? 0) + requests;
  return sums;
};

/** All records, by the test's own fold. */
async function folded(): Promise<Counted[]> {
  const { records } = await gateway.admin<{
    records: (Omit<Parameters<typeof foldOf>[0][0], "at"> & { at: string })[];
  }>("GET", "/v1/audit?limit=1000&order=oldest");
  return foldOf(records.map((record) => ({ ...record, at: Date.parse(record.at) })));
}

function sumBy(rows: readonly Counted[], member: "key" | "model" | "environment"): Record<string, object> {
  const sums: Record<string, Record<string, number>> = {};
  for (const row of rows) {
    const sum = (sums[row[member]] ??= { requests: 0, denied: 0, inputTokens: 0, outputTokens: 0, computeMs: 0, queueMs: 0, bytesIn: 0, bytesOut: 0 }); // prettier-ignore
    for (const name of Object.keys(sum)) sum[name]! += row[name as "requests"];
  }
  return sums;
}

function shown(rows: readonly UsageView[], member: "key" | "model" | "environment"): Record<string, object> {
  return Object.fromEntries(
    rows.map(({ requests, denied, inputTokens, outputTokens, computeMs, queueMs, bytesIn, bytesOut, ...row }) => [
      row[member] ?? "",
      { requests, denied, inputTokens, outputTokens, computeMs, queueMs, bytesIn, bytesOut },
    ]),
  );
}

/** What `finishLogin` does once the provider has said who they are: the desk itself, on the same directory. */
async function logIn(name: string, environment = "dev"): Promise<{ id: string; session: string }> {
  await gateway.gateway.close(1_000);
  const { clock, settings } = gateway;
  const core = await openCore(settings, clock, openLog("silent"));
  const { snapshot, peppers, reconciler, changes } = core;
  const desk = new SessionDesk({ clock, snapshot, peppers, reconciler, inTurn: (work) => changes.inTurn(work) });
  const authenticatedAt = Math.floor(clock.now() / 1_000);
  const who = { issuer: "https://id.example", subject: name, sid: null, authenticatedAt, name, groups: ["ml-team"] };
  const opened = await desk.open(who, environment, "127.0.0.1");
  await core.close();
  gateway.gateway = await openGateway(settings, { clock });
  if (isRefusal(opened)) throw new Error(opened.code);
  return { id: opened.person.id, session: opened.text.reveal() };
}

it("the report is the fold of the audit log, by key, model and environment", async () => {
  const [a, b, c] = [await issue(), await issue("dev", { models: ["llama3.2"] }), await issue("prod")];
  await chat(a, "llama3.2", 3);
  await chat(a, "qwen3:8b", 2);
  await chat(b, "llama3.2");
  // Denied: another model than the key's.
  await chat(b, "qwen3:8b", 2);
  await chat(c, "llama3.2", 4);
  const expected = await folded();
  for (const member of ["key", "model", "environment"] as const)
    expect(shown((await usage(`by=${member}`)).rows, member)).toEqual(sumBy(expected, member));
  const { rows } = await usage(`by=key&key=${b.id}`);
  expect(rows).toMatchObject([{ key: b.id, environment: "dev", requests: 1, denied: 2, codes: { model_denied: 2 } }]);
  expect(rows[0]?.principalName).toEqual(rows[0]?.keyName);
});

it("the gateway's own outcomes have the form that is read without parsing", async () => {
  await chat(await issue());
  await usage("by=key");
  const database = openDatabase(join(gateway.directory, "sallyport.db"), { isReadOnly: true });
  const rows = database.prepare(`SELECT line FROM ledger WHERE line LIKE '%"type":"request.outcome"%'`).all();
  database.close();
  expect(rows.length).toBeGreaterThan(10);
  for (const { line } of rows) expect(readPlainOutcome(String(line))).toBeDefined();
});

it("filters, divides by model, and gives pages", async () => {
  const { rows } = await usage("by=key&environment=dev&model=llama3.2&models=true");
  expect(rows.length).toBeGreaterThan(1);
  expect(new Set(rows.map(({ model, environment }) => `${environment} ${model}`))).toEqual(
    new Set(["dev registry.ollama.ai/library/llama3.2:latest"]),
  );
  const whole = (await usage("by=model")).rows;
  const paged: UsageView[] = [];
  for (let after = ""; ;) {
    const { rows: page, next } = await usage(`by=model&limit=1${after}`);
    paged.push(...page);
    if (next === null) break;
    after = `&after=${encodeURIComponent(next)}`;
  }
  expect(paged).toEqual(whole);
  expect((await usage("by=day&since=0&until=86400000")).rows).toEqual([]);
  await expect(usage("key=unknownunkno")).rejects.toThrow("not_found");
  await expect(usage("by=colour")).rejects.toThrow("query_not_accepted");
  await expect(usage("environment=nowhere")).rejects.toThrow("unknown_environment");
});

describe("an administrator sees the environments of their delegation scope", () => {
  it("and no others", async () => {
    await chat(await issue("dev"));
    await chat(await issue("prod"));
    const order = { name: "viewer of dev", role: "viewer", environments: ["dev"] };
    const viewer = await gateway.admin<{ key: string }>("POST", "/v1/admin-keys", order);
    const all = await usage("by=environment");
    expect(all.rows.map(({ environment }) => environment)).toEqual(expect.arrayContaining(["dev", "prod"]));
    const seen = await usage("by=environment", viewer.key);
    expect(seen.rows.map(({ environment }) => environment)).toEqual(["dev"]);
    for (const by of ["key", "principal", "model", "day", "team"]) {
      const { rows } = await usage(`by=${by}`, viewer.key);
      const sum = rows.reduce((total, { requests }) => total + requests, 0);
      expect([by, sum]).toEqual([by, seen.rows[0]?.requests]);
    }
    await expect(usage("environment=prod", viewer.key)).rejects.toThrow("permission_denied");
  });
});

describe("own usage", () => {
  it("a key sees itself and nothing of another, though both have one owner", async () => {
    const { owner } = await gateway.admin<{ owner: string }>("GET", `/v1/keys/${(await issue()).id}`);
    const [mine, other] = [await issue("dev", { owner }), await issue("dev", { owner })];
    await chat(mine, "llama3.2", 2);
    await chat(other, "qwen3:8b", 3);
    const answer = await own(mine.key);
    expect(requestsBy(answer.rows)).toEqual({ [mine.id]: 2 });
    expect(answer.rows.map(({ model }) => model)).toEqual(["registry.ollama.ai/library/llama3.2:latest"]);
    expect(JSON.stringify(answer)).not.toContain(owner);
    expect(requestsBy((await own(other.key)).rows)).toEqual({ [other.id]: 3 });
  });

  it("a token sees its key's, if it has the permission", async () => {
    const key = await issue();
    await chat(key);
    const desk = new TokenDesk(gateway, key);
    expect(requestsBy((await own(await desk.mint({ scope: "usage:read" }))).rows)).toEqual({ [key.id]: 1 });
    await expect(own(await desk.mint({ scope: "infer:chat" }))).rejects.toThrow("403 permission_denied");
    await expect(own((await gateway.issue()).key)).rejects.toThrow("403 permission_denied");
    await expect(own(gateway.adminKey)).rejects.toThrow("401");
  });

  it("a session sees the user's keys of its environment, and nobody else's", async () => {
    const ada = await logIn("ada");
    const [one, two] = [await issue("dev", { owner: ada.id }), await issue("dev", { owner: ada.id })];
    const [elsewhere, strangers] = [await issue("prod", { owner: ada.id }), await issue()];
    await chat(one);
    await chat(two, "llama3.2", 2);
    await chat(elsewhere, "llama3.2", 4);
    await chat(strangers, "llama3.2", 8);
    expect(requestsBy((await own(ada.session)).rows)).toEqual({ [one.id]: 1, [two.id]: 2 });
  });

  it("takes since alone, and counts against the key's rate", async () => {
    const key = await issue("dev", { limits: { requests: "3/min" } });
    expect(await own(key.key, "?since=2026-01-01")).toMatchObject({ environment: "dev", rows: [] });
    await expect(own(key.key, "?since=yesterday")).rejects.toThrow("400 field_invalid");
    await expect(own(key.key, "?since=1&key=x")).rejects.toThrow("400 query_not_accepted");
    await own(key.key).catch(() => undefined);
    await expect(own(key.key)).rejects.toThrow("429 rate_limited");
  });

  it("is printed by `usage mine` with this machine's credential", async () => {
    const key = await issue();
    await chat(key, "llama3.2", 2);
    const env = { SALLYPORT_API_KEY: key.key, SALLYPORT_URL: gateway.url, HOME: gateway.directory };
    const answer = await sallyportJson<OwnUsageAnswer>(["usage", "mine", "--since", "7d"], env);
    expect(requestsBy(answer.rows)).toEqual({ [key.id]: 2 });
    const { code, stderr } = await sallyport(["usage", "mine", "--by", "day"], env);
    expect([code, stderr]).toEqual([2, expect.stringContaining("--by is not an option of usage mine")]);
  });
});

it("keys list shows the owner, the last use and the requests of 30 days, in the order asked for", async () => {
  const [few, many] = [await issue("prod", { name: "few" }), await issue("prod", { name: "many" })];
  await chat(few, "llama3.2", 1);
  await chat(many, "llama3.2", 9);
  const words = ["keys", "list", "--env", "prod", "--data", gateway.directory];
  interface Listed {
    readonly keys: { id: string; name: string; ownerName: string; lastUsedAt: string; recentRequests: number }[];
  }
  const { keys } = await sallyportJson<Listed>([...words, "--sort", "requests"]);
  expect(keys[0]).toMatchObject({ id: many.id, name: "many", ownerName: "many", recentRequests: 9 });
  expect(keys.find(({ id }) => id === few.id)).toMatchObject({ recentRequests: 1, lastUsedAt: expect.any(String) });
  const named = await sallyportJson<Listed>([...words, "--sort", "name"]);
  expect(named.keys.map(({ name }) => name)).toEqual(named.keys.map(({ name }) => name).toSorted());
  const { stdout } = await sallyport(words);
  expect(stdout).toMatch(/many .* (?:now|\d+ seconds? ago) +████████ 9 /);
  expect((await sallyport([...words, "--sort", "use"])).stderr).toContain("did you mean used?");
});

it("names of strangers stay cells in every form of a report", async () => {
  const name = '=HYPERLINK("http://x","|a")';
  const key = await issue("prod", { name });
  await chat(key);
  const report = (...words: string[]): Promise<{ stdout: string }> =>
    sallyport(["usage", "--env", "prod", "--data", gateway.directory, ...words]);
  expect((await report("--format", "csv")).stdout).toContain(`,${key.id},"'=HYPERLINK(""http://x"",""|a"")",`);
  expect((await report("--format", "markdown")).stdout).toContain('| =HYPERLINK\\("http://x","\\|a"\\) |');
  expect((await report()).stdout).toContain(name);
  const { rows } = JSON.parse((await report("--json")).stdout) as { rows: UsageView[] };
  expect(rows.find((row) => row.key === key.id)).toMatchObject({ keyName: name, requests: 1 });
});

describe("a rebuild", () => {
  const rebuild = (): Promise<{ corrected: number; firstDay: string }> =>
    sallyportJson(["usage", "rebuild", "--data", gateway.directory]);

  it("differs in no row, also while requests are served", async () => {
    const key = await issue();
    const [{ corrected }] = await Promise.all([rebuild(), chat(key, "llama3.2", 30)]);
    expect(corrected).toBe(0);
    expect(shown((await usage("by=key")).rows, "key")).toEqual(sumBy(await folded(), "key"));
  });

  it("corrects what differs from the audit log, and is recorded", async () => {
    const before = (await usage("by=key")).rows;
    await gateway.gateway.close(1_000);
    const database = openDatabase(join(gateway.directory, "sallyport.db"), { isReadOnly: false });
    database.exec(
      "UPDATE usage SET requests = requests + 1000, compute_ms = 0 WHERE environment = 'prod' AND code = ''",
    );
    database.exec("DELETE FROM usage WHERE environment = 'dev'");
    database.close();
    gateway.gateway = await openGateway(gateway.settings, { clock: gateway.clock });
    expect((await usage("by=key")).rows).not.toEqual(before);
    expect((await rebuild()).corrected).toBeGreaterThan(5);
    expect((await usage("by=key")).rows).toEqual(before);
    expect((await rebuild()).corrected).toBe(0);
    const { records } = await gateway.admin<{ records: unknown[] }>("GET", "/v1/audit?type=usage.rebuild");
    expect(records.length).toBeGreaterThanOrEqual(3);
    await expect(gateway.admin("POST", "/v1/usage/rebuild")).rejects.toThrow("403");
  });
});
