import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { capturedIo } from "../../../../../test/captured-io.ts";
import { runCli } from "../program.ts";

let folder: string;
beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), "anomalies-"))));
afterAll(() => rmSync(folder, { recursive: true }));

async function run(
  ...line: string[]
): Promise<{ readonly exit: number; readonly out: string[]; readonly err: string[] }> {
  const { io, out, err } = capturedIo();
  const exit = await runCli(["anomalies", ...line], io, () => Promise.reject(new Error("no server is asked")));
  return { exit, out, err };
}

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

const record = (type: string, at: string, actor: string, fields: object): string =>
  JSON.stringify({ seq: 1, at, environment: "prod", type, actor, fields });
const bait = [
  record("key.issued", "2026-01-05T10:00:00.000Z", "os:root", { key: "K1", owner: "p_1", roles: [], decoy: true }),
  record("request.intent", "2026-01-05T11:00:00.000Z", "key:K1", {
    request: "r1",
    principal: "p_1",
    address: "192.0.2.1",
  }),
  record("request.outcome", "2026-01-05T11:00:01.000Z", "key:K1", { request: "r1", outcome: "served" }),
].join("\n");

describe("anomalies replay", () => {
  it("says what would have been told and done, and ends with 1", async () => {
    const path = file("export.jsonl", bait);
    const policy = file("policy.yaml", "actions: { decoy_used: suspend }\nfor: 2h\n");
    const { exit, out } = await run("replay", path, "--policy", policy, "--json");
    expect(exit).toBe(1);
    expect(JSON.parse(out[0]!)).toMatchObject({
      records: 3,
      alerts: [
        {
          kind: "decoy_used",
          key: "K1",
          response: { action: "suspend", undo: "resume", until: Date.UTC(2026, 0, 5, 13, 0, 1) },
        },
      ],
    });
    const told = await run("replay", path);
    expect(told.out.join("\n")).toMatch(/prod\/K1 +decoy_used +yes +1 +notify/);
  });

  it("nothing unusual ends with 0", async () => {
    const { exit, out } = await run("replay", file("quiet.jsonl", ""));
    expect([exit, out.at(-1)]).toEqual([0, "no alerts"]);
  });

  it("what cannot be read ends with 2 and a reason", async () => {
    expect(await run("replay", join(folder, "none.jsonl"))).toMatchObject({ exit: 2, out: [] });
    const wrong = file("wrong.yaml", "actions: { stolen: suspend }\nbudget: 0\n");
    const { exit, err } = await run("replay", file("e.jsonl", bait), "--policy", wrong);
    expect([exit, err.join("\n")]).toEqual([
      2,
      expect.stringMatching(/budget is no number[^]*actions\.stolen is no kind/),
    ]);
    expect((await run("replay", file("e.jsonl", bait), "--policy", join(folder, "none.yaml"))).exit).toBe(2);
    expect((await run("score", join(folder, "none"))).exit).toBe(2);
  });
});
