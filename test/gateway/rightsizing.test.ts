/** Right-sizing through a whole gateway: what keys use is counted, a plan is replayed, a boundary denies and is taken back. */
import type { PlannedView, RightsizingView } from "@sallyport/contract";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { sallyport, sallyportJson } from "../program/program.ts";
import { codeOf, startGateway } from "./started-gateway.ts";
import type { IssuedKey, StartedGateway } from "./started-gateway.ts";

const DAY_MS = 86_400_000;
const LLAMA = "registry.ollama.ai/library/llama3.2:latest";

class MovableClock {
  readonly startMs = 1_790_000_000_000;
  ms = 0;
  now(): number {
    return this.startMs + this.ms;
  }
  monotonic(): number {
    return this.ms;
  }
}

const clock = new MovableClock();
let gateway: StartedGateway;
beforeAll(async () => {
  gateway = await startGateway({
    environments: ["dev", "prod"],
    clock,
  });
});
afterAll(() => gateway.stop());

const SCOPE = {
  allow: ["infer:chat", "infer:generate", "infer:embed", "infer:override", "models:list", "models:delete"],
  models: ["*"],
};

async function send(key: IssuedKey, path: string, body: object): Promise<string> {
  const answer = await gateway.post(path, key.key, body);
  const text = await answer.text();
  return answer.ok ? "ok" : codeOf(text);
}
const chat = (key: IssuedKey, model = "llama3.2"): Promise<string> =>
  send(key, "/api/chat", { model, stream: false, messages: [{ role: "user", content: "x" }] });
const embed = (key: IssuedKey, model = "llama3.2"): Promise<string> => send(key, "/api/embed", { model, input: "x" });
const generate = (key: IssuedKey, model = "llama3.2"): Promise<string> =>
  send(key, "/api/generate", { model, stream: false, prompt: "x" });

/** A key that chats on some days of the last months. */
async function usedKey(wish: object = {}): Promise<IssuedKey> {
  let key = await gateway.issue({ ...SCOPE, ...wish });
  for (let n = 0; n < 6; n++) {
    clock.ms += 20 * DAY_MS;
    if (n === 3) key = await rotated(key);
    expect(await chat(key)).toBe("ok");
  }
  return key;
}

async function rotated(key: IssuedKey): Promise<IssuedKey> {
  const { key: text } = await gateway.admin<{ key: string }>("POST", `/v1/keys/${key.id}/rotate`, {});
  return { ...key, key: text };
}

async function plan(body: object): Promise<PlannedView> {
  let view = await gateway.admin<PlannedView>("POST", "/v1/rightsizing/plan", body);
  while (view.state === "running") {
    await new Promise((resolve) => setImmediate(resolve));
    view = await gateway.admin<PlannedView>("GET", "/v1/rightsizing/plan");
  }
  return view;
}
const put = (what: string, body: object): Promise<RightsizingView> =>
  gateway.admin("POST", `/v1/rightsizing/${what}`, body);
async function sizingOf({ id }: IssuedKey): Promise<RightsizingView> {
  const { rightsizings } = await gateway.admin<{ rightsizings: RightsizingView[] }>("GET", `/v1/rightsizing?key=${id}`);
  return rightsizings[0]!;
}
/** Resolves once it is so: what follows a request is written a little later. */
async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setImmediate(resolve));
}
async function eventsOf(type: string): Promise<{ actor: string; fields: Record<string, unknown> }[]> {
  const { records } = await gateway.admin<{ records: { actor: string; fields: Record<string, unknown> }[] }>(
    "GET",
    `/v1/audit?type=${type}&limit=100`,
  );
  return records;
}

describe("a plan", () => {
  it("keeps what was used on the models it was used on, and replays every recorded decision", async () => {
    const key = await usedKey();
    expect(await embed(key, "nomic-embed-text")).toBe("ok");
    expect(await send(key, "/api/generate", { model: "qwen3", prompt: "x", raw: true, stream: false })).toBe("ok");
    const { plans, state } = await plan({ keyId: key.id });
    expect(state).toBe("done");
    expect(plans).toMatchObject([
      {
        subject: `key:${key.id}`,
        removed: ["models:list", "models:delete"].toSorted().toReversed(),
        wouldDeny: 0,
        of: 7,
        deniedAnyway: 0,
        unknown: 0,
      },
    ]);
    expect(plans[0]!.after).toEqual([
      { permissions: ["infer:chat"], models: [LLAMA] },
      { permissions: ["infer:generate", "infer:override"], models: ["registry.ollama.ai/library/qwen3:latest"] },
      { permissions: ["infer:embed"], models: ["registry.ollama.ai/library/nomic-embed-text:latest"] },
    ]);
  });

  it("of a shorter window says which requests it would have denied", async () => {
    const key = await usedKey();
    expect(await embed(key)).toBe("ok");
    clock.ms += 31 * DAY_MS;
    for (let n = 0; n < 5; n++, clock.ms += DAY_MS) await chat(key);
    const { plans } = await plan({ keyId: key.id, unused: "30d" });
    const [one] = plans;
    expect(one).toMatchObject({ wouldDeny: 1, examples: [{ demanded: `infer:embed on ${LLAMA}` }] });
    expect(one!.removed).toContain("infer:embed");
    expect((await plan({ keyId: key.id })).plans[0]!.wouldDeny).toBe(0);
  });

  it("counts fields that rely on a permission, and not denied requests", async () => {
    const key = await usedKey();
    const options = { num_ctx: 4_096 };
    await send(key, "/api/chat", {
      model: "llama3.2",
      stream: false,
      options,
      messages: [{ role: "user", content: "x" }],
    });
    const denied = await gateway.issue({ ...SCOPE, allow: ["infer:chat"] });
    expect(await embed(denied)).toBe("permission_denied");
    const { plans } = await plan({ keyId: key.id });
    expect(plans[0]!.removed).not.toContain("infer:override");
    const young = (await plan({ keyId: denied.id })).plans[0]!;
    expect(young).toMatchObject({ after: null, reason: expect.stringContaining("0 of 100 days") });
  });

  it("shows an administrator of one environment the keys of that one", async () => {
    const key = await usedKey({ environment: "prod" });
    const { key: viewer } = await gateway.admin<{ key: string }>("POST", "/v1/admin-keys", {
      name: "dev viewer",
      role: "viewer",
      environments: ["dev"],
    });
    let view = await gateway.admin<PlannedView>("POST", "/v1/rightsizing/plan", {}, viewer);
    while (view.state === "running")
      view = await gateway.admin<PlannedView>("GET", "/v1/rightsizing/plan", undefined, viewer);
    expect(view.plans.length).toBeGreaterThan(0);
    expect(view.plans.every(({ environment }) => environment === "dev")).toBe(true);
    await expect(gateway.admin("POST", "/v1/rightsizing/plan", { keyId: key.id }, viewer)).rejects.toThrow(
      "permission_denied",
    );
  });
});

describe("a shadow", () => {
  it("denies nothing, and records what the boundary would have denied; with a difference it is not applied", async () => {
    const key = await usedKey();
    await put("shadow", { keyId: key.id });
    expect(await chat(key)).toBe("ok");
    expect(await embed(key)).toBe("ok");
    await until(async () => (await sizingOf(key)).differences === 1);
    expect(await sizingOf(key)).toMatchObject({ state: "shadow", examples: [{ demanded: `infer:embed on ${LLAMA}` }] });
    expect((await eventsOf("rightsizing.compared")).some(({ fields }) => fields["key"] === key.id)).toBe(true);
    await expect(put("apply", { keyId: key.id })).rejects.toThrow("rightsizing_conflict");
    await put("stop", { keyId: key.id });
    expect(await sizingOf(key)).toMatchObject({ state: "ended", end: { why: "stopped" } });
  });

  it("without a difference is applied as it was compared", async () => {
    const key = await usedKey();
    const { boundary } = await put("shadow", { keyId: key.id });
    await chat(key);
    clock.ms += 7 * DAY_MS;
    expect(await put("apply", { keyId: key.id })).toMatchObject({ state: "applied", boundary });
    expect(await gateway.admin("GET", `/v1/keys/${key.id}`)).toMatchObject({ boundary });
  });
});

describe("a boundary", () => {
  it("that denies a request which the scope allows is taken back at once, recorded and kept over a restart", async () => {
    const key = await usedKey();
    await put("apply", { keyId: key.id });
    expect(await chat(key)).toBe("ok");
    await gateway.restart();
    expect(await generate(key)).toBe("permission_denied");
    await until(async () => (await sizingOf(key)).state === "ended");
    expect(await sizingOf(key)).toMatchObject({ end: { why: "taken_back", by: "gateway" } });
    expect(await generate(key)).toBe("ok");
    const taken = (await eventsOf("rightsizing.taken_back")).find(({ fields }) => fields["key"] === key.id)!;
    expect(taken).toMatchObject({ actor: "gateway", fields: { reason: expect.stringContaining("infer:generate") } });
    await gateway.restart();
    expect(await generate(key)).toBe("ok");
  });

  it("denies on after the guard, and gives nothing back", async () => {
    const key = await usedKey();
    await put("apply", { keyId: key.id, guard: "1d" });
    clock.ms += 2 * DAY_MS;
    expect(await generate(key)).toBe("permission_denied");
    expect(await chat(key, "qwen3")).toBe("model_denied");
    expect(await sizingOf(key)).toMatchObject({ state: "applied" });
    await put("stop", { keyId: key.id });
    expect(await generate(key)).toBe("ok");
  });

  it("is not taken back by what the key could not do without it", async () => {
    const key = await usedKey({ models: ["llama3.2"] });
    await put("apply", { keyId: key.id });
    expect(await chat(key, "qwen3")).toBe("model_denied");
    expect(await send(key, "/api/pull", { model: "llama3.2" })).toBe("permission_denied");
    expect(await sizingOf(key)).toMatchObject({ state: "applied" });
    expect(await chat(key)).toBe("ok");
  });

  it("goes on with the replacement of a leaked key", async () => {
    const key = await usedKey();
    await put("apply", { keyId: key.id, guard: "1d" });
    clock.ms += 2 * DAY_MS;
    const { id } = await gateway.admin<{ id: string }>("POST", "/v1/incidents", { keyId: key.id, reason: "x" });
    const { issued } = await gateway.admin<{ issued: IssuedKey }>("POST", `/v1/incidents/${id}/close`, {
      outcome: "reissue",
    });
    expect(await chat(issued)).toBe("ok");
    expect(await generate(issued)).toBe("permission_denied");
  });

  it("is shown by explain, and by the commands", async () => {
    const key = await usedKey();
    await put("apply", { keyId: key.id, guard: "1d" });
    const data = ["--data", gateway.directory];
    expect(await sallyportJson(["rightsize", "show", key.id, ...data])).toMatchObject({ state: "applied" });
    const question = ["--key-id", key.id, "--path", "/api/generate", "--model", "llama3.2"];
    const { stdout } = await sallyport(["explain", ...question, ...data, "--json"]);
    const { because } = JSON.parse(stdout) as { because: string[] };
    expect(because.join("\n")).toContain("right-siz");
  });
});
