/** Searching and following the ledger as a user does: the exact forms that scripts rely on. */
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { ENTRY, sallyport, sallyportJson, serve } from "./program.ts";
import type { Serving } from "./program.ts";

interface Found {
  readonly records: { seq: number; type: string; fields: Record<string, unknown> }[];
  readonly next: number | null;
}

let root: string;
let data: string;
let serving: Serving;
let following: ChildProcess | undefined;
beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), "sallyport-audit-"));
  data = join(root, "data");
  await sallyport(["init", "--data", data]);
  serving = await serve(data);
});
afterAll(async () => {
  following?.kill();
  serving.child.kill();
  await serving.ended;
  rmSync(root, { recursive: true, force: true });
});

async function issue(name: string): Promise<string> {
  const words = ["keys", "create", "--env", "dev", "--name", name, "--allow", "models:list", "--data", data];
  return (await sallyportJson<{ id: string }>(words)).id;
}

it("finds what a key did and what was done to it, page by page", async () => {
  const id = await issue("one");
  await sallyport(["keys", "suspend", id, "--data", data]);
  await sallyport(["keys", "resume", id, "--data", data]);
  const search = (...more: string[]): Promise<Found> =>
    sallyportJson<Found>(["audit", "search", "--key-id", id, "--since", "7d", ...more, "--data", data]);
  const all = await search();
  expect(all.records.map(({ type }) => type)).toEqual(["key.resumed", "key.suspended", "key.issued"]);
  expect(all.next).toBeNull();
  const page = await search("--limit", "2");
  expect(page.records).toEqual(all.records.slice(0, 2));
  expect((await search("--limit", "2", "--before", String(page.next))).records).toEqual(all.records.slice(2));
  expect((await search("--after", String(all.records[2]!.seq))).records.map(({ type }) => type)).toEqual([
    "key.suspended",
    "key.resumed",
  ]);
  const wrong = await sallyport(["audit", "search", "--since", "yesterday", "--data", data]);
  expect(wrong.code).toBe(2);
});

it("follows: what is recorded from then on comes as it happens, filtered", async () => {
  const before = await issue("two");
  const words = ["audit", "tail", "--follow", "--type", "key.issued", "-n", "1", "--json", "--data", data];
  const child = spawn(process.execPath, [ENTRY, ...words], { stdio: ["ignore", "pipe", "inherit"] });
  following = child;
  let text = "";
  let heard: () => void = () => {};
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
    text += chunk;
    heard();
  });
  const keys = async (count: number): Promise<unknown[]> => {
    while (text.split("\n").length <= count) await new Promise<void>((resolve) => (heard = resolve));
    return text
      .split("\n")
      .slice(0, count)
      .map((line) => (JSON.parse(line) as Found["records"][number]).fields["key"]);
  };
  expect(await keys(1)).toEqual([before]);
  const after = await issue("three");
  expect(await keys(2)).toEqual([before, after]);
});
