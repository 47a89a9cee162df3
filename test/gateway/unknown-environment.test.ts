/** A caller's text is never the name of a log: over the network with a viewer's key, and inside the store. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { encodeEvent } from "@sallyport/ledger";
import { openDatabase } from "../program-under-test.ts";
import { change, event, open, settled } from "../store/store-fixture.ts";
import { startGateway } from "./started-gateway.ts";
import type { StartedGateway } from "./started-gateway.ts";

const NAMES = ["A B", "../../evil", 'A"B', "ghost", "DEV", "dev\nx", "dev ", "x".repeat(200), "système", "__proto__"];

let gateway: StartedGateway;
let viewer: string;

beforeAll(async () => {
  gateway = await startGateway();
  const made = await gateway.admin<{ key: string }>("POST", "/v1/admin-keys", {
    name: "watcher",
    role: "admin",
    environments: "*",
  });
  viewer = made.key;
});
afterAll(() => gateway.stop());

async function ask(method: string, path: string, body?: object): Promise<{ status: number; text: string }> {
  const answer = await fetch(`${gateway.gateway.adminUrl}${path}`, {
    method,
    headers: { authorization: `Bearer ${viewer}`, ...(body ? { "content-type": "application/json" } : {}) },
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
  return { status: answer.status, text: await answer.text() };
}

function logNames(directory: string): readonly string[] {
  const database = openDatabase(`${directory}/sallyport.db`, { isReadOnly: true });
  try {
    return database
      .prepare("SELECT environment FROM log")
      .all()
      .map(({ environment }) => String(environment));
  } finally {
    database.close();
  }
}

it.each(NAMES)(
  "a search, a tail and an answer about %j are rejected, with the environments there are",
  async (name) => {
    const query = `environment=${encodeURIComponent(name)}`;
    for (const [method, path, body] of [
      ["GET", `/v1/audit?${query}`],
      ["GET", `/v1/audit/tail?${query}`],
      ["POST", "/v1/anomalies/answer", { alert: `${name}/0123456789ab/rate/1`, verdict: "confirmed" }],
    ] as const) {
      const { status, text } = await ask(method, path, body);
      expect([path, status]).toEqual([path, expect.any(Number)]);
      expect([path, status >= 400 && status < 500]).toEqual([path, true]);
      if (!body)
        expect(JSON.parse(text)).toMatchObject({ code: "unknown_environment", detail: expect.stringContaining("dev") });
    }
    expect(logNames(gateway.directory).toSorted()).toEqual(
      ["dev", "system"].filter((one) => logNames(gateway.directory).includes(one)),
    );
  },
);

it("the store files a request's record about no environment under system, and refuses a change about one", async () => {
  const { store, directory } = await open();
  for (const name of NAMES) {
    const refused = store.change({ operations: [], events: [{ ...event(1), environment: name }] });
    if (name === "ghost") await refused;
    else await expect(refused).rejects.toMatchObject({ code: "input_invalid" });
    const line = encodeEvent({ ...event(2), type: "request.intent", environment: name });
    expect(await settled(store, store.append(line))).toBe(true);
  }
  await store.change(change([], 3));
  expect(logNames(directory).toSorted()).toEqual(["dev", "system"]);
  const database = openDatabase(`${directory}/sallyport.db`, { isReadOnly: true });
  const lines = database.prepare("SELECT line FROM ledger").all();
  database.close();
  const asked = lines.map(({ line }) => JSON.parse(String(line).split("\t")[0]!) as { fields: Record<string, string> });
  expect(asked.map(({ fields }) => fields["asked_environment"]).filter(Boolean)).toContain("../../evil");
});
