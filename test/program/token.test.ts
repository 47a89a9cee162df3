/** `sallyport token` as a script uses it, where an environment takes tokens only. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { GoUpstream } from "../upstream/go-upstream.ts";
import { request, sallyport, sallyportJson, serve } from "./program.ts";
import type { Serving } from "./program.ts";

const upstream = new GoUpstream();
let root: string;
let data: string;
let server: Serving;
let key: { id: string; key: string };

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), "sallyport-token-"));
  data = join(root, "data");
  const policy = `environments:\n  dev:\n    upstreams: [{ url: "${await upstream.listen()}" }]\n    tokens: { only: true, ttl: 10m }\n`;
  writeFileSync(join(root, "policy.yaml"), policy);
  server = await serve(data, ["--policy", join(root, "policy.yaml")]);
  const words = [
    "keys",
    "create",
    "--env",
    "dev",
    "--name",
    "ci",
    "--allow",
    "infer:chat,models:list",
    "--model",
    "llama3.2",
  ];
  key = await sallyportJson([...words, "--data", data]);
});
afterAll(async () => {
  server.child.kill("SIGTERM");
  await server.ended;
  await upstream.close();
  rmSync(root, { recursive: true, force: true });
});

const env = (more: Record<string, string> = {}): Record<string, string> => ({
  HOME: root,
  SALLYPORT_URL: server.dataUrl,
  SALLYPORT_API_KEY: key.key,
  ...more,
});

it("exchanges the key it finds, and the token opens what the key alone does not", { timeout: 60_000 }, async () => {
  const said = await sallyport(["token", "--ttl", "5m", "--allow", "models:list", "--json"], env());
  expect(said.code).toBe(0);
  const token = JSON.parse(said.stdout) as Record<string, unknown>;
  expect(token).toMatchObject({ token_type: "Bearer", expires_in: 300, scope: "models:list" });
  expect((await request("GET", `${server.dataUrl}/api/tags`, String(token["access_token"]))).status).toBe(200);
  expect((await request("GET", `${server.dataUrl}/api/tags`, key.key)).status).toBe(401);
  // Alone on its line, for `$(…)`.
  expect((await sallyport(["token"], env())).stdout).toMatch(/^eyJ[A-Za-z0-9_.-]+\n$/);
});

it("says what is wrong, with a remedy, and never the key", { timeout: 60_000 }, async () => {
  for (const [words, more, says] of [
    [["token", "--allow", "models:pull"], {}, "the scope exceeds the key's permissions"],
    [["token", "--ttl", "soon"], {}, "is not a duration"],
    [["token"], { SALLYPORT_API_KEY: "" }, "no credential"],
  ] as const) {
    const { code, stderr } = await sallyport([...words], env(more));
    expect([code === 0, stderr.includes(key.key.slice(-20))]).toEqual([false, false]);
    expect(stderr).toContain(says);
  }
});

it("doctor finds the key where tokens are wanted, and explain shows the sum", { timeout: 60_000 }, async () => {
  const { code, stdout } = await sallyport(["doctor", "--data", data, "--json"], env());
  const { findings } = JSON.parse(stdout) as { findings: { code: string; state: string }[] };
  expect([code, findings.find((one) => one.code === "key_where_tokens_wanted")?.state]).toEqual([1, "wrong"]);
  const sum = await sallyport(["explain", "--key-id", key.id, "--token", "--bound", "--data", data], { HOME: root });
  expect(sum.stdout.split("\n")).toEqual([
    "2400 s",
    "  because the environment's usual time is 10m",
    "  because a thief of the token alone cannot use it: x 4",
    "  because so it lives 40m",
    "",
  ]);
});
