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
const findings = (as?: string): Promise<Found> => gateway.admin<Found>("GET", "/v1/findings", undefined, as);
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
  expect(found).toMatchObject({ code: "role_excess", state: "note", environment: "dev" });
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
    "dev wrong upstream_shared",
    "prod wrong upstream_shared",
    "prod wrong wildcard_in_production",
  ]);
  const viewer = await gateway.admin<{ key: string }>("POST", "/v1/admin-keys", {
    name: "v", role: "viewer", environments: ["dev"],
  }); // prettier-ignore
  const told = (await findings(viewer.key)).findings;
  expect(told.map(({ environment, code }) => `${environment} ${code}`)).toEqual(["dev upstream_shared"]);
  expect(JSON.stringify(told)).not.toContain("prod");
});
