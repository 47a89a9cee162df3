/** Every narrowing of a right takes effect on the next decision and cuts what runs and what waits. */
import type { ServerResponse } from "node:http";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { codeOf, startGateway } from "./started-gateway.ts";
import type { IssuedKey, StartedGateway } from "./started-gateway.ts";

let gateway: StartedGateway;
const body = { model: "llama3.2", messages: [{ role: "user", content: "x" }] };

beforeEach(async () => {
  gateway = await startGateway({
    // The narrowing itself: what becomes of the keys besides is in revocation-by-change.test.ts.
    environmentYaml: "    keys: { onLeave: keep, onRoleLost: keep }\n",
    moreYaml:
      "roles:\n  bot: { allow: [{ do: [infer:chat], on: [llama3.2] }] }\nassign: [{ group: team, role: bot, in: [dev] }]\n",
  });
});
afterEach(() => gateway.stop());

/** A chat that streams its first piece and then never ends by itself. */
async function runningChat(key: string): Promise<{ rest: Promise<string>; upstreamClosed: Promise<void> }> {
  const upstreamClosed = new Promise<void>((resolve) => {
    gateway.upstream().intercept = (_seen, response: ServerResponse) => {
      response.writeHead(200, { "content-type": "application/x-ndjson" });
      response.write('{"model":"m","created_at":"x","message":{"role":"assistant","content":"a"},"done":false}\n');
      response.on("close", resolve);
      return true;
    };
  });
  const answer = await gateway.post("/api/chat", key, body);
  const reader = answer.body!.getReader();
  await reader.read();
  const rest = (async () => {
    let text = "";
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return text;
      text += Buffer.from(value).toString("utf8");
    }
  })();
  return { rest, upstreamClosed };
}

async function expectCut(issued: IssuedKey, narrow: () => Promise<unknown>, code: string): Promise<void> {
  const { rest, upstreamClosed } = await runningChat(issued.key);
  await narrow();
  const last = await rest;
  expect(codeOf(last.trim().split("\n").at(-1)!)).toBe(code);
  await upstreamClosed;
  gateway.upstream().intercept = undefined;
  const next = await gateway.post("/api/chat", issued.key, body);
  expect([next.status >= 400, codeOf(await next.text())]).toEqual([true, code]);
}

describe("a running stream is cut and its upstream cancelled", () => {
  test("when its key is revoked", async () => {
    const issued = await gateway.issue();
    await expectCut(issued, () => gateway.admin("POST", `/v1/keys/${issued.id}/revoke`), "key_revoked");
  });

  test("when its environment takes tokens only from now on; and explain says so", async () => {
    const issued = await gateway.issue();
    const { upstreams } = await gateway.admin<{ upstreams: { url: string }[] }>("GET", "/v1/upstreams");
    const url = upstreams[0]!.url;
    const text = `environments:\n  dev:\n    upstreams: [{ url: "${url}" }]\n    tokens: { only: true }\n`;
    await expectCut(issued, () => gateway.apply(text), "token_required");
    const explained = await gateway.admin("POST", "/v1/explain", {
      keyId: issued.id,
      method: "POST",
      path: "/api/chat",
      model: "llama3.2",
    });
    expect(explained).toMatchObject({ allowed: false, code: "token_required" });
  });

  test("when its key is suspended", async () => {
    const issued = await gateway.issue();
    await expectCut(issued, () => gateway.admin("POST", `/v1/keys/${issued.id}/suspend`), "key_suspended");
  });

  test("when its owner is disabled", async () => {
    const person = await gateway.admin<{ id: string }>("POST", "/v1/principals", {
      kind: "person",
      name: "ada",
      groups: ["team"],
    });
    const issued = await gateway.issue({ owner: "ada", roles: ["bot"], allow: [] });
    await expectCut(issued, () => gateway.admin("POST", `/v1/principals/${person.id}/disable`), "owner_disabled");
  });

  test("when the owner's role is narrowed by policy", async () => {
    await gateway.admin("POST", "/v1/principals", { kind: "person", name: "ada", groups: ["team"] });
    const issued = await gateway.issue({ owner: "ada", roles: ["bot"], allow: [] });
    const policy = `environments:
  dev:
    upstreams: [{ url: "${await upstreamUrl()}" }]
roles:
  bot: { allow: [{ do: [infer:chat], on: [qwen3] }] }
assign: [{ group: team, role: bot, in: [dev] }]
`;
    await expectCut(issued, () => gateway.apply(policy), "model_denied");
  });

  test("when the owner's assignment goes", async () => {
    const issued = await gateway.issue();
    const { assignments } = await gateway.admin<{ assignments: { id: string; source: string }[] }>(
      "GET",
      "/v1/assignments?environment=dev",
    );
    const own = assignments.find((assignment) => assignment.source === "admin")!;
    await expectCut(issued, () => gateway.admin("DELETE", `/v1/assignments/${own.id}`), "permission_denied");
  });
});

async function upstreamUrl(): Promise<string> {
  const { upstreams } = await gateway.admin<{ upstreams: { url: string }[] }>("GET", "/v1/upstreams");
  return upstreams[0]!.url;
}

test("who waits for his turn is refused when his key is revoked, and others go on", async () => {
  await gateway.apply(`environments:\n  dev:\n    upstreams: [{ url: "${await upstreamUrl()}", concurrency: 1 }]\n`);
  const first = await gateway.issue();
  const second = await gateway.issue();
  const { rest } = await runningChat(first.key);
  const waiting = gateway.post("/api/chat", second.key, body);
  await until(async () => (await gateway.admin<{ queued: number }>("GET", "/v1/status")).queued === 1);
  await gateway.admin("POST", `/v1/keys/${second.id}/revoke`);
  const answer = await waiting;
  expect([answer.status, codeOf(await answer.text())]).toEqual([401, "key_revoked"]);
  expect(gateway.upstream().seen.length).toBe(1);
  await gateway.admin("POST", `/v1/keys/${first.id}/revoke`);
  await rest;
});

test("a stopping gateway ends its streams cleanly and records them", async () => {
  const issued = await gateway.issue();
  const { rest } = await runningChat(issued.key);
  await gateway.gateway.close(0);
  expect(codeOf((await rest).trim().split("\n").at(-1)!)).toBe("draining");
});

/** Asks until it is so; the server's own turn decides when. */
async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setImmediate(resolve));
}
