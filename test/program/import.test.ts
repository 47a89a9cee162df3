/** Imports with the real program: each kind of file, then a call with each imported key. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { GoUpstream } from "../upstream/go-upstream.ts";
import { request, sallyport, sallyportJson, serve } from "./program.ts";
import type { Serving } from "./program.ts";

const testdata = join(import.meta.dirname, "../../testdata/import");
const data = join(mkdtempSync(join(tmpdir(), "sallyport-import-")), "data");
const upstream = new GoUpstream();
let serving: Serving;

interface Imported {
  readonly keys: readonly { readonly name: string; readonly id: string; readonly key: string }[];
  readonly skipped: readonly unknown[];
}

beforeAll(async () => {
  await sallyport(["init", "--json", "--data", data]);
  const policy = join(data, "..", "policy.yaml");
  writeFileSync(policy, `environments:\n  dev:\n    upstreams: [{ url: "${await upstream.listen()}" }]\n`);
  serving = await serve(data, ["--policy", policy]);
}, 30_000);
afterAll(async () => {
  serving.child.kill("SIGTERM");
  await serving.ended;
  await upstream.close();
  rmSync(join(data, ".."), { recursive: true });
});

const files = [
  ["litellm", "litellm-config.yaml", ["litellm"]],
  ["nginx-map", "nginx-map.conf", ["wiki-bot", "search", "search-2", "nginx-1"]],
  ["user-list", "authorized-users.txt", ["alice", "bob"]],
  ["one-api", "one-api-tokens.json", ["notebook", "batch"]],
] as const;

test.each(files)(
  "%s: each imported key can call a model; a second import creates nothing",
  async (format, name, names) => {
    const words = ["import", join(testdata, name), "--format", format, "--env", "dev", "--yes", "--data", data];
    const { keys } = await sallyportJson<Imported>(words);
    expect(keys.map((one) => one.name)).toEqual(names);
    const body = { model: "llama3.2", messages: [{ role: "user", content: "x" }] };
    for (const { key } of keys)
      expect((await request("POST", `${serving.dataUrl}/api/chat`, key, body)).status).toBe(200);
    const again = await sallyportJson<Imported>(words);
    expect([again.keys, again.skipped.length]).toEqual([[], names.length]);
  },
  60_000,
);

test("the old keys open nothing, and no output repeats one", async () => {
  for (const [format, name] of files) {
    const shown = await sallyport(["import", join(testdata, name), "--format", format, "--dry-run", "--data", data]);
    expect([shown.code, /old[-:]/.test(shown.stdout + shown.stderr)]).toEqual([0, false]);
    expect(shown.stdout).toContain("the old keys: ");
  }
  const old = /"Bearer (\S+)" wiki-bot/.exec(readFileSync(join(testdata, "nginx-map.conf"), "utf8"))![1]!;
  expect((await request("GET", `${serving.dataUrl}/api/tags`, old)).status).toBe(401);
}, 60_000);

test("the networks of a token are those of its key, and the model list is its scope", async () => {
  const { keys } = await sallyportJson<{ keys: { name: string; networks: string[] | null; models: string[] }[] }>([
    "keys",
    "list",
    "--data",
    data,
  ]);
  const named = (name: string) => keys.find((key) => key.name === name)!;
  expect(named("notebook")).toMatchObject({ networks: ["127.0.0.0/8"], models: ["llama3.2", "qwen3:8b"] });
  expect(named("batch")).toMatchObject({ networks: null, models: ["*"] });
});

test("what a file says reaches the terminal as visible text", async () => {
  const file = join(data, "..", "hostile.txt");
  writeFileSync(file, "\u001b]0;title\u0007evil\u202e:key\n");
  const { code, stdout } = await sallyport(["import", file, "--format", "user-list", "--dry-run", "--data", data]);
  expect([code, /[\u0007\u001b\u202e]/.test(stdout)]).toEqual([0, false]);
});
