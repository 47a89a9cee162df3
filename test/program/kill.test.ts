/** kill -9 at any moment: what was acknowledged is there afterwards, and the ledger verifies. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { GoUpstream } from "../upstream/go-upstream.ts";
import { request, sallyport, sallyportJson, serve } from "./program.ts";

/** More by hand: `KILL_ROUNDS=40 npx vitest run test/program/kill.test.ts`. */
const ROUNDS = Number(process.env["KILL_ROUNDS"] ?? 20);
const upstream = new GoUpstream();
let directory: string;
let policy: string;
let adminKey: string;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), "sallyport-kill-"));
  policy = join(directory, "policy.yaml");
  writeFileSync(policy, `environments:\n  dev:\n    upstreams: [{ url: "${await upstream.listen()}" }]\n`);
  ({ adminKey } = await sallyportJson<{ adminKey: string }>(["init", "--data", join(directory, "data")]));
});
afterAll(async () => {
  await upstream.close();
  rmSync(directory, { recursive: true, force: true });
});

interface Acknowledged {
  readonly keys: { id: string; key: string }[];
  readonly revoked: Set<string>;
  readonly served: Set<string>;
}

/** Keeps creating, revoking and chatting until the server is gone; writes down what it was told is done. */
async function load(dataUrl: string, adminUrl: string, done: Acknowledged): Promise<void> {
  const admin = async (path: string, body?: object): Promise<Record<string, string>> => {
    const answer = await request("POST", adminUrl + path, adminKey, body);
    if (answer.status >= 300) throw new Error(answer.text);
    return JSON.parse(answer.text) as Record<string, string>;
  };
  for (let turn = 0; ; turn++) {
    const made = await admin("/v1/keys", {
      environment: "dev",
      name: `k${turn}`,
      allow: ["infer:chat"],
      models: ["llama3.2"],
    });
    done.keys.push({ id: made["id"]!, key: made["key"]! });
    const answer = await request("POST", `${dataUrl}/api/chat`, made["key"]!, {
      model: "llama3.2",
      messages: [{ role: "user", content: "x" }],
    });
    // A whole answer was shown: its intent must be on disk.
    if (answer.status === 200) done.served.add(answer.requestId);
    if (turn % 3 === 0) {
      await admin(`/v1/keys/${made["id"]}/revoke`);
      done.revoked.add(made["id"]!);
    }
  }
}

test(`${ROUNDS} kills during load: nothing acknowledged is lost`, { timeout: 12_000 * ROUNDS }, async () => {
  const data = join(directory, "data");
  const done: Acknowledged = { keys: [], revoked: new Set(), served: new Set() };
  for (let round = 0; round < ROUNDS; round++) {
    const running = await serve(data, ["--policy", policy]);
    const before = done.keys.length;
    const workers = Array.from({ length: 4 }, () =>
      load(running.dataUrl, running.adminUrl, done).catch(() => undefined),
    );
    // Killed after as much work as the round's number says, never at the same place.
    const watch = setInterval(() => {
      if (done.keys.length - before >= 3 + round * 2) running.child.kill("SIGKILL");
    }, 1);
    await Promise.all(workers);
    clearInterval(watch);
    await running.ended;
    const verdict = await sallyportJson<{ ok: boolean; records: number }>(["audit", "verify", "--data", data]);
    expect([round, verdict.ok]).toEqual([round, true]);
    const state = await sallyportJson<{ ok: boolean }>(["audit", "verify", "--state", "--data", data]);
    expect([round, state.ok]).toEqual([round, true]);
  }
  const running = await serve(data, ["--policy", policy]);
  for (const { id } of done.keys) {
    const shown = await request("GET", `${running.adminUrl}/v1/keys/${id}`, adminKey);
    const { state } = JSON.parse(shown.text) as { state?: string };
    if (done.revoked.has(id)) expect([id, state]).toEqual([id, "revoked"]);
    else expect(["active", "revoked"]).toContain(state);
  }
  const intents = new Set<string>();
  for (let after = 0; ;) {
    const answer = await request(
      "GET",
      `${running.adminUrl}/v1/audit?type=request.intent&order=oldest&limit=1000&after=${after}`,
      adminKey,
    );
    const { records } = JSON.parse(answer.text) as { records: { seq: number; fields: { request: string } }[] };
    if (records.length === 0) break;
    for (const record of records) intents.add(record.fields.request);
    after = records.at(-1)!.seq;
  }
  expect([...done.served].filter((id) => !intents.has(id))).toEqual([]);
  expect(done.keys.length).toBeGreaterThan(ROUNDS * 3);
  expect(done.served.size).toBeGreaterThan(ROUNDS);
  running.child.kill("SIGTERM");
  expect((await running.ended).code).toBe(0);
  expect((await sallyport(["audit", "verify", "--data", data])).code).toBe(0);
});
