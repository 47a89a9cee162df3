/** What is wrong with a policy, told by a real gateway from what its ledger says was used. */
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { encodeEvent } from "@sallyport/ledger";
import { openDatabase, openGateway, openStore, systemClock } from "../program-under-test.ts";
import { rebind } from "../store/store-fixture.ts";
import { startGateway } from "./started-gateway.ts";
import type { IssuedKey, StartedGateway } from "./started-gateway.ts";

const DAY_MS = 86_400_000;
const chat = { model: "llama3.2", messages: [{ role: "user", content: "x" }] };

interface Found {
  readonly findings: { code: string; state: string; environment: string; says: string; remedy: string }[];
  readonly usesKnown: { from: string; to: string };
}

let gateway: StartedGateway;
let key: IssuedKey;
/** What this file is about: `posture-codes.test.ts` is about all of them. */
const JUDGED = ["environments_share_server", "wildcard_in_prod", "role_wider_than_use", "role_use_unknown"];
async function findings(as?: string): Promise<Found> {
  const found = await gateway.admin<Found>("GET", "/v1/findings", undefined, as);
  return { ...found, findings: found.findings.filter(({ code }) => JUDGED.includes(code)) };
}
const codes = async (): Promise<string[]> =>
  (await findings()).findings.map(({ state, code, environment }) => `${environment} ${state} ${code}`);

async function urlOf(environment: string): Promise<string> {
  const path = `/v1/upstreams?environment=${environment}`;
  return (await gateway.admin<{ upstreams: { url: string }[] }>("GET", path)).upstreams[0]!.url;
}

beforeAll(async () => {
  gateway = await startGateway({ environments: ["dev", "prod"] });
  const [dev, prod] = [await urlOf("dev"), await urlOf("prod")];
  await gateway.apply(`
environments:
  dev: { upstreams: [{ url: "${dev}" }] }
  prod: { upstreams: [{ url: "${prod}" }] }
roles:
  wide: { allow: [{ do: [infer:chat, models:delete, models:pull], on: [llama3.2] }] }
`);
  key = await gateway.issue({ roles: ["wide"], allow: [] });
});
afterAll(() => gateway.stop());

/** As if the key were sixty days old, and the ledger had said forty days ago what it was used for. */
async function age(permissions: readonly string[]): Promise<void> {
  await gateway.gateway.close(1_000);
  const { settings, directory } = gateway;
  const store = await openStore({ directory, clock: systemClock, ledger: settings.ledger });
  const at = Date.now() - 40 * DAY_MS;
  const fields = { request: "r", permissions: [...permissions] };
  store.append(encodeEvent({ type: "request.intent", at, environment: "dev", actor: `key:${key.id}`, fields }));
  await store.close();
  const database = openDatabase(join(directory, "sallyport.db"), { isReadOnly: false });
  database.exec(`UPDATE key SET created_at = ${Date.now() - 60 * DAY_MS} WHERE id = '${key.id}'`);
  database.close();
  rebind(directory);
  gateway.gateway = await openGateway(settings);
}

test("of a young gateway's roles nothing is said but how long it has looked", async () => {
  expect(await codes()).toEqual(["dev ok role_use_unknown"]);
});

test("what was used before the start and since counts; what was not is named, with what would be enough", async () => {
  await age(["infer:chat", "models:pull"]);
  const [found, ...more] = (await findings()).findings;
  expect(more).toEqual([]);
  expect(found).toMatchObject({ code: "role_wider_than_use", state: "note", environment: "dev" });
  expect(found?.says).toContain("the role wide grants models:delete in dev");
  expect(found?.remedy).toContain("infer:chat, models:pull alone");
  const { usesKnown } = await findings();
  expect(Math.round((Date.parse(usesKnown.to) - Date.parse(usesKnown.from)) / DAY_MS)).toBe(40);
  // Used now, in this process: its intent may not even be on the disk.
  const answer = await fetch(`${gateway.url}/api/delete`, {
    method: "DELETE",
    headers: { authorization: `Bearer ${key.key}`, "content-type": "application/json" },
    body: JSON.stringify({ model: "llama3.2" }),
  });
  await answer.text();
  expect(await codes()).toEqual([]);
});

test("a request that is refused is no use", async () => {
  const other = await gateway.issue({ roles: ["wide"], allow: [], models: ["other"] });
  const refused = await gateway.post("/api/chat", other.key, chat);
  expect(refused.status).toBe(403);
  await refused.text();
  const { records } = await gateway.admin<{ records: unknown[] }>(
    "GET",
    `/v1/audit?type=request.intent&actor=key:${other.id}`,
  );
  expect(records).toEqual([]);
});

test("a shared model server and a wildcard in production; an administrator of dev is told of dev alone", async () => {
  const url = await urlOf("dev");
  await gateway.apply(`
environments:
  dev: { upstreams: [{ url: "${url}" }] }
  prod: { upstreams: [{ url: "${url}" }] }
roles:
  wide: { allow: [{ do: [infer:chat, models:delete, models:pull], on: [llama3.2] }] }
assign: [{ group: all, role: chatbot, on: ["*"], in: [prod] }]
`);
  expect(await codes()).toEqual([
    "dev wrong environments_share_server",
    "prod wrong environments_share_server",
    "prod wrong wildcard_in_prod",
  ]);
  const viewer = await gateway.admin<{ key: string }>("POST", "/v1/admin-keys", {
    name: "v", role: "viewer", environments: ["dev"],
  }); // prettier-ignore
  const told = (await findings(viewer.key)).findings;
  expect(told.map(({ environment, code }) => `${environment} ${code}`)).toEqual(["dev environments_share_server"]);
  expect(JSON.stringify(told)).not.toContain("prod");
});

test("a finding that was accepted stays so over a restart, until its date; the audit log has who and why", async () => {
  const finding = { code: "wildcard_in_prod", subject: "group:all" };
  const until = new Date(Date.now() + DAY_MS).toISOString();
  await gateway.admin("POST", "/v1/findings/accept", { ...finding, until, reason: "until the models are named" });
  const { settings } = gateway;
  await gateway.gateway.close(1_000);
  gateway.gateway = await openGateway(settings);
  const accepted = async (): Promise<unknown[]> =>
    (await gateway.admin<Found>("GET", "/v1/findings?status=accepted")).findings;
  expect(await accepted()).toMatchObject([{ ...finding, accepted: { until, reason: "until the models are named" } }]);
  const { records } = await gateway.admin<{ records: { fields: object }[] }>("GET", "/v1/audit?type=finding.accepted");
  expect(records).toMatchObject([
    { environment: "prod", fields: { ...finding, reason: "until the models are named" } },
  ]);
  await gateway.admin("POST", "/v1/findings/reopen", finding);
  expect(await accepted()).toEqual([]);
});
