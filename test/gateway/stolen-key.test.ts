/** A stolen key, end to end: somebody else's network, a look at the models, a new one, and much of it. Contained by itself, within a minute. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { noPins } from "@sallyport/ledger";
import { verifyPath } from "../program-under-test.ts";
import { sallyportJson } from "../program/program.ts";
import { codeOf, startGateway } from "./started-gateway.ts";
import type { IssuedKey, StartedGateway } from "./started-gateway.ts";

const HOUR_MS = 3_600_000;
const clock = {
  offsetMs: 0,
  now: () => Date.UTC(2026, 0, 5, 8) + clock.offsetMs,
  monotonic: () => performance.now() + clock.offsetMs,
};

let gateway: StartedGateway;
let key: IssuedKey;
let quiet: IssuedKey;

const chat = async (text: string, from: string, client: string, model = "llama3.2") => {
  const answer = await gateway.post(
    "/api/chat",
    text,
    { model, messages: [{ role: "user", content: "hello" }], stream: false },
    { "x-forwarded-for": from, "user-agent": client },
  );
  return { status: answer.status, body: await answer.text() };
};
const records = async (type: string) =>
  (
    await gateway.admin<{ records: { at: string; fields: Record<string, unknown> }[] }>(
      "GET",
      `/v1/audit?type=${type}&limit=50`,
    )
  ).records;

beforeAll(async () => {
  gateway = await startGateway({
    clock,
    settings: { trustedProxies: ["127.0.0.1/32"] },
    environmentYaml:
      "    anomalies: { actions: { stolen_key: suspend, model_hunt: suspend, enumeration: suspend }, for: 2h }\n",
  });
  const wish = { allow: ["infer:chat", "models:list"], models: ["llama3.2", "qwen3:8b"] };
  key = await gateway.issue(wish);
  quiet = await gateway.issue(wish);
  // Two weeks of an application that asks four times an hour, from nine to five.
  for (let day = 0; day < 14; day++) {
    for (let hour = 9; hour < 17; hour++) {
      for (let n = 0; n < 4; n++) {
        clock.offsetMs = day * 24 * HOUR_MS + (hour - 8) * HOUR_MS + n * 900_000;
        for (const one of [key, quiet]) {
          const { status, body } = await chat(one.key, "10.0.0.7", "support-app/1.4");
          if (status !== 200) throw new Error(`${status} ${body}`);
        }
      }
    }
  }
}, 120_000);
afterAll(() => gateway.stop());

it("is contained within a minute of its first use, and only it; the reason is in plain words", async () => {
  expect(await records("anomaly.detected")).toEqual([]);
  const begun = (clock.offsetMs += HOUR_MS / 2);
  const thief = ["198.51.100.23", "python-requests/2.32.3"] as const;
  const listed = await fetch(`${gateway.url}/api/tags`, {
    headers: { authorization: `Bearer ${key.key}`, "x-forwarded-for": thief[0], "user-agent": thief[1] },
  });
  expect(listed.status).toBe(200);
  let last = { status: 0, body: "" };
  let served = 0;
  for (; clock.offsetMs - begun < 60_000; clock.offsetMs += 1_000) {
    last = await chat(key.key, ...thief, "qwen3:8b");
    if (last.status !== 200) break;
    served++;
  }
  const containedMs = clock.offsetMs - begun;
  expect([last.status, codeOf(last.body)]).toEqual([401, "key_suspended"]);
  expect(containedMs).toBeLessThan(60_000);
  // It is not let run on to be sure of it.
  expect(served).toBeLessThan(30);

  const [alert] = await records("anomaly.detected");
  expect(alert!.fields).toMatchObject({ key: key.id, action: "suspend" });
  const factors = (alert!.fields["factors"] as string[]).join("\n");
  expect(factors).toContain("198.51.100.0/24");
  expect(factors).toContain("10.0.0.0/24");
  expect((alert!.fields["requests"] as string[]).length).toBeGreaterThan(0);
  expect((await records("key.suspended"))[0]!.fields).toMatchObject({ key: key.id, reason: "anomaly" });
  // The other key of the same kind goes on.
  expect((await chat(quiet.key, "10.0.0.7", "support-app/1.4")).status).toBe(200);
});

it("is an incident by one command: a report with the stranger's network in it, and every proof accepted alone", async () => {
  const incident = await sallyportJson<{ incidentId: string; reportFile: string }>([
    "incident",
    "open",
    "--key-id",
    key.id,
    "--data",
    gateway.directory,
  ]);
  const report = readFileSync(incident.reportFile, "utf8");
  expect(report).toContain("198.51.100");
  expect(report).toContain(key.id);
  const proofs = join(incident.reportFile, "..", "proofs");
  expect(readdirSync(proofs).length).toBeGreaterThan(2);
  for (const name of readdirSync(proofs))
    expect([name, (await verifyPath(join(proofs, name), noPins)).ok]).toEqual([name, true]);
  await sallyportJson(["incident", "close", incident.incidentId, "--false-alarm", "--data", gateway.directory]);
});

it("is over when its time is, or when somebody says that it was nothing, and that is learned", async () => {
  const [alert] = await records("anomaly.detected");
  await gateway.admin("POST", "/v1/anomalies/answer", { alert: alert!.fields["alert"], verdict: "false_alarm" });
  expect((await chat(key.key, "10.0.0.7", "support-app/1.4")).status).toBe(200);
  expect((await records("anomaly.response_ended"))[0]!.fields).toMatchObject({ key: key.id, reason: "false_alarm" });
  expect((await records("key.resumed"))[0]!.fields).toMatchObject({ key: key.id });
});
