/** A key's row that is not what was written: that key is refused, the others are served, and somebody is told, once. */
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { openDatabase, openGateway } from "../program-under-test.ts";
import { codeOf, startGateway } from "./started-gateway.ts";
import type { IssuedKey, StartedGateway } from "./started-gateway.ts";

const chat = { model: "llama3.2", messages: [{ role: "user", content: "x" }] };
let gateway: StartedGateway;
let good: IssuedKey;
let bad: IssuedKey;

beforeAll(async () => {
  gateway = await startGateway();
  good = await gateway.issue();
  bad = await gateway.issue();
  await alter(`UPDATE key SET secrets = 'x' WHERE id = '${bad.id}'`);
});
afterAll(() => gateway.stop());
beforeEach(() => void (gateway.upstream().seen.length = 0));

/** While the gateway is down; then it is started again. */
async function alter(sql: string): Promise<void> {
  await gateway.gateway.close(1_000);
  const database = openDatabase(join(gateway.directory, "sallyport.db"), { isReadOnly: false });
  database.exec(sql);
  database.close();
  gateway.gateway = await openGateway(gateway.settings);
}

async function ask(key: string): Promise<string> {
  const answer = await gateway.post("/api/chat", key, chat);
  const body = await answer.text();
  return answer.ok ? "200" : `${answer.status} ${codeOf(body)}`;
}

async function told(): Promise<Record<string, unknown>[]> {
  const { records } = await gateway.admin<{ records: Record<string, unknown>[] }>(
    "GET",
    "/v1/audit?type=record.damaged",
  );
  return records;
}

interface Found {
  readonly findings: { code: string; state: string; environment: string; says: string }[];
}
const damage = async (): Promise<Found["findings"]> =>
  (await gateway.admin<Found>("GET", "/v1/findings")).findings.filter(({ code }) => code === "record_damaged");

test("the server starts, refuses that key and serves the others, however often it is asked", async () => {
  for (let i = 0; i < 20; i++) {
    expect(await ask(bad.key)).toBe("500 record_damaged");
    expect(await ask(good.key)).toBe("200");
  }
  expect(gateway.upstream().seen.length).toBe(20);
});

test("it is in the ledger once, in the findings and in the status, by its place and without what stood there", async () => {
  await ask(bad.key);
  await expect.poll(async () => (await told()).length, { timeout: 5_000 }).toBe(1);
  expect((await told())[0]).toMatchObject({
    environment: "dev",
    actor: "gateway",
    fields: { table: "key", record: `dev/${bad.id}` },
  });
  expect(await damage()).toMatchObject([{ state: "wrong", environment: "dev", says: expect.stringContaining(bad.id) }]);
  expect(await gateway.admin("GET", "/v1/status")).toMatchObject({ damagedRecords: 1 });
  expect(await told()).toHaveLength(1);
});

test("administration goes on: others are listed, made, changed and swept, and that one is named as what it is", async () => {
  const { keys } = await gateway.admin<{ keys: { id: string }[] }>("GET", "/v1/keys?environment=dev&limit=1");
  expect(keys).toHaveLength(1);
  const more = await gateway.admin<{ keys: { id: string }[] }>("GET", "/v1/keys?environment=dev");
  expect(more.keys.map(({ id }) => id)).toContain(good.id);
  expect(more.keys.map(({ id }) => id)).not.toContain(bad.id);
  const fresh = await gateway.issue();
  expect(await ask(fresh.key)).toBe("200");
  await gateway.admin("POST", `/v1/keys/${fresh.id}/revoke`);
  expect(await ask(fresh.key)).toBe("401 key_revoked");
  await expect(gateway.admin("GET", `/v1/keys/${bad.id}`)).rejects.toThrow(/record_damaged/);
  expect(await gateway.admin("POST", "/v1/keys/sweep", { dryRun: false })).toEqual({ findings: [] });
});

test("one that nobody uses is found when the keys are looked through, and so is a damaged use of a key", async () => {
  const idle = await gateway.issue();
  const used = await gateway.issue();
  const large = await gateway.issue();
  await ask(used.key);
  await alter(
    `UPDATE key SET ceiling = '{}' WHERE id = '${idle.id}'; UPDATE key SET idle_since = 9007199254740993 WHERE id = '${large.id}'; UPDATE key_use SET used_at = 9007199254740993 WHERE id = '${used.id}'`,
  );
  expect((await damage()).map(({ says }) => says)).toEqual(
    expect.arrayContaining([idle.id, bad.id, large.id].map((id): unknown => expect.stringContaining(id))),
  );
  expect(await ask(large.key)).toBe("500 record_damaged");
  // What is known of the one key's uses cannot be trusted: it is left alone, and the others are looked at.
  expect(await gateway.admin("POST", "/v1/keys/sweep", { dryRun: false })).toEqual({ findings: [] });
  expect((await damage()).map(({ says }) => says)).toContainEqual(expect.stringContaining(`key_use dev/${used.id}`));
  expect(await ask(used.key)).toBe("200");
});
