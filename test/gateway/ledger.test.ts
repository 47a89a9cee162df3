/** What is recorded, and what never is. */
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { verifyDirectory } from "../program-under-test.ts";
import { startGateway } from "./started-gateway.ts";
import type { IssuedKey, StartedGateway } from "./started-gateway.ts";

let gateway: StartedGateway;
let issued: IssuedKey;
beforeAll(async () => {
  gateway = await startGateway();
  issued = await gateway.issue();
});
afterAll(() => gateway.stop());

const PROMPT = "CANARY-PROMPT-4711";

test("a served request has an intent, then an outcome; the ledger verifies beside the running server", async () => {
  const answer = await gateway.post("/api/chat", issued.key, {
    model: "llama3.2",
    messages: [{ role: "user", content: PROMPT }],
  });
  await answer.text();
  const id = answer.headers.get("x-request-id");
  const { records } = await gateway.admin<{ records: { type: string; fields: Record<string, unknown> }[] }>(
    "GET",
    "/v1/audit?limit=50&order=oldest&after=0",
  );
  const mine = records.filter((record) => record.fields["request"] === id);
  expect(mine.map((record) => record.type)).toEqual(["request.intent", "request.outcome"]);
  expect(mine[0]!.fields).toMatchObject({ address: "127.0.0.1", client: expect.stringMatching(/^[!-~]{1,64}$/) });
  expect(mine[1]!.fields).toMatchObject({
    outcome: "served",
    input_tokens: 24,
    output_tokens: 3,
    is_estimated: false,
    model: "registry.ollama.ai/library/llama3.2:latest",
  });
  expect(await verifyDirectory(gateway.directory)).toMatchObject({ ok: true });
});

test("every change is a record: keys, policy, start", async () => {
  const { records } = await gateway.admin<{ records: { type: string; actor: string }[] }>("GET", "/v1/audit?limit=100");
  const types = new Set(records.map((record) => record.type));
  for (const type of ["gateway.initialized", "admin_key.issued", "server.started", "policy.applied", "key.issued"])
    expect(types).toContain(type);
});

test("no secret, no prompt and no answer is anywhere in the data directory", async () => {
  await (
    await gateway.post(
      "/api/chat",
      issued.key.replace(/.$/, (last) => (last === "0" ? "1" : "0")),
      {
        model: "llama3.2",
        messages: [{ role: "user", content: PROMPT }],
      },
    )
  ).text();
  await (
    await gateway.post("/api/chat", issued.key, { model: "secret", messages: [{ role: "user", content: PROMPT }] })
  ).text();
  await gateway.restart();
  const canaries = [PROMPT, issued.key, issued.key.slice(-49), gateway.adminKey, gateway.adminKey.slice(-49), "w0 w1"];
  for (const entry of readdirSync(gateway.directory, { withFileTypes: true, recursive: true })) {
    if (!entry.isFile()) continue;
    const bytes = readFileSync(join(entry.parentPath, entry.name)).toString("latin1");
    for (const canary of canaries) expect([entry.name, bytes.includes(canary)]).toEqual([entry.name, false]);
  }
});

test("an answer waits for its intent: nothing is shown when it cannot be written", async () => {
  const answer = await gateway.post("/api/chat", issued.key, {
    model: "llama3.2",
    messages: [{ role: "user", content: "x" }],
    stream: false,
  });
  expect(answer.status).toBe(200);
});
