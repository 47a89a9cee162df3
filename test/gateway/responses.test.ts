/** What policy says is done about an alert counts at once, at every door, and ends by itself. */
import { afterEach, expect, it } from "vitest";
import { codeOf, startGateway } from "./started-gateway.ts";
import type { IssuedKey, StartedGateway } from "./started-gateway.ts";

let gateway: StartedGateway;
afterEach(() => gateway.stop());

const clock = {
  offsetMs: 0,
  now: () => Date.UTC(2026, 0, 5, 8) + clock.offsetMs,
  monotonic: () => performance.now() + clock.offsetMs,
};

async function start(action: string): Promise<IssuedKey> {
  gateway = await startGateway({
    clock,
    settings: { trustedProxies: ["127.0.0.1/32"] },
    environmentYaml: `    anomalies: { actions: { scope_probing: ${action} }, for: 10m }\n`,
  });
  const key = await gateway.issue({ allow: ["infer:chat", "models:list"], models: ["llama3.2"] });
  for (let n = 0; n < 5; n++) expect(await chat(key)).toBe("served");
  return key;
}

const chat = async (key: IssuedKey, from = "10.0.0.7"): Promise<string> => {
  const body = { model: "llama3.2", messages: [{ role: "user", content: "x" }], stream: false };
  const answer = await gateway.post("/api/chat", key.key, body, { "x-forwarded-for": from });
  const text = await answer.text();
  return answer.status === 200 ? "served" : codeOf(text);
};

/** Asks for one thing after another that the key may not do, until something is done about it. */
async function probe(key: IssuedKey): Promise<void> {
  const asked: [string, object][] = [
    ["/api/pull", { model: "a" }],
    ["/api/push", { model: "b" }],
    ["/api/copy", { source: "c", destination: "d" }],
    ["/api/create", { model: "e", from: "llama3.2" }],
    ["/api/embed", { model: "f", input: "x" }],
    ["/api/generate", { model: "g", prompt: "x" }],
    ["/api/show", { model: "h" }],
  ];
  for (const [path, body] of asked) {
    const answer = await gateway.post(path, key.key, body, { "x-forwarded-for": "10.0.0.7" });
    await answer.text();
    clock.offsetMs += 1_000;
  }
  expect(await probing()).toMatchObject({ activeUntil: expect.any(String) });
}

async function probing() {
  const { alerts } = await gateway.admin<{ alerts: { kind: string; activeUntil: string | null }[] }>(
    "GET",
    "/v1/anomalies",
  );
  return alerts.find(({ kind }) => kind === "scope_probing");
}

async function later(ms: number): Promise<void> {
  clock.offsetMs += ms;
  await gateway.restart();
}

it("tighten: the key goes on, slowly, also after a restart, until the time is over", async () => {
  const key = await start("tighten");
  await probe(key);
  const codes = new Set<string>();
  for (let n = 0; n < 15; n++) codes.add(await chat(key));
  expect([...codes]).toEqual(["served", "rate_limited"]);
  await later(60_000);
  codes.clear();
  for (let n = 0; n < 15; n++) codes.add(await chat(key));
  expect([...codes]).toContain("rate_limited");
  await later(600_000);
  await expect.poll(probing, { timeout: 15_000 }).toMatchObject({ activeUntil: null });
  codes.clear();
  for (let n = 0; n < 15; n++) codes.add(await chat(key));
  expect([...codes]).toEqual(["served"]);
}, 40_000);

it("networks: the key works from where it was known, and from nowhere else", async () => {
  const key = await start("networks");
  await probe(key);
  expect(await chat(key)).toBe("served");
  expect(await chat(key, "198.51.100.9")).toBe("network_denied");
});

it("signature: a key that nobody registered a signer for is suspended, which is honest about it", async () => {
  const key = await start("signature");
  await probe(key);
  expect(await chat(key)).toBe("key_suspended");
});
