/** The usage report as scripts get it: exact after kill -9, and over a month. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { encodeEvent } from "@sallyport/ledger";
import { afterAll, beforeAll, expect, it } from "vitest";
import { makeDirectory, open } from "../store/store-fixture.ts";
import { GoUpstream } from "../upstream/go-upstream.ts";
import { foldOf } from "../usage-fold.ts";
import type { Counted } from "../usage-fold.ts";
import { request, sallyport, sallyportJson, serve } from "./program.ts";

/** More by hand: `KILL_ROUNDS=20 npx vitest run test/program/usage.test.ts`. */
const ROUNDS = Number(process.env["KILL_ROUNDS"] ?? 4);
const DAY_MS = 86_400_000;
const upstream = new GoUpstream();
let directory: string;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), "sallyport-usage-"));
  const policy = `environments:\n  dev:\n    upstreams: [{ url: "${await upstream.listen()}", concurrency: 4 }]\n`;
  writeFileSync(join(directory, "policy.yaml"), policy);
});
afterAll(async () => {
  await upstream.close();
  rmSync(directory, { recursive: true, force: true });
});

const MEMBERS = [
  "requests",
  "denied",
  "inputTokens",
  "outputTokens",
  "computeMs",
  "queueMs",
  "bytesIn",
  "bytesOut",
] as const;
type Sums = Record<string, Record<(typeof MEMBERS)[number], number>>;
type Row = Readonly<Record<(typeof MEMBERS)[number], number>>;

function sumsOf<T extends Row>(rows: readonly T[], nameOf: (row: T) => string): Sums {
  const sums: Sums = {};
  for (const row of rows) {
    const sum = (sums[nameOf(row)] ??= { requests: 0, denied: 0, inputTokens: 0, outputTokens: 0, computeMs: 0, queueMs: 0, bytesIn: 0, bytesOut: 0 }); // prettier-ignore
    for (const member of MEMBERS) sum[member] += row[member];
  }
  return sums;
}

it(
  `${ROUNDS} kills under load: the report equals the fold of what \`audit export\` has`,
  { timeout: 60_000 * ROUNDS },
  async () => {
    const data = join(directory, "data");
    const { adminKey } = await sallyportJson<{ adminKey: string }>(["init", "--data", data]);
    for (let round = 0; round < ROUNDS; round++) {
      const running = await serve(data, ["--policy", join(directory, "policy.yaml")]);
      const made = await request("POST", `${running.adminUrl}/v1/keys`, adminKey, {
        environment: "dev",
        name: `k${round}`,
        allow: ["infer:chat"],
        models: ["llama3.2"],
      });
      const { key } = JSON.parse(made.text) as { key: string };
      let served = 0;
      const worker = async (): Promise<void> => {
        for (let turn = 0; ; turn++) {
          // Every fifth is denied.
          const model = turn % 5 === 4 ? "qwen3" : "llama3.2";
          await request("POST", `${running.dataUrl}/api/chat`, key, {
            model,
            messages: [{ role: "user", content: "x" }],
          });
          if (++served >= 40 + round * 60) running.child.kill("SIGKILL");
        }
      };
      await Promise.all([worker(), worker(), worker()].map((one) => one.catch(() => undefined)));
      await running.ended;

      const out = join(directory, `${round}.jsonl`);
      await sallyport(["audit", "export", "--format", "jsonl", "--data", data, "--out", out]);
      const records = readFileSync(out, "utf8").trimEnd().split("\n").map((line) => JSON.parse(line) as Parameters<typeof foldOf>[0][0]); // prettier-ignore
      const expected = sumsOf(foldOf(records), (row: Counted) => row.key);
      const { rows } = await sallyportJson<{ rows: (Row & { key: string })[] }>([
        "usage",
        "--by",
        "key",
        "--data",
        data,
      ]);
      expect([round, sumsOf(rows, (row) => row.key)]).toEqual([round, expected]);
      const requests = rows.reduce((sum, row) => sum + row.requests, 0);
      expect(requests).toBeGreaterThan(20 * (round + 1));
      const rebuilt = await sallyportJson<{ corrected: number }>(["usage", "rebuild", "--data", data]);
      expect([round, rebuilt.corrected]).toEqual([round, 0]);
    }
  },
);

/** The same numbers each time. */
function makeRandom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

it("a month of records is reported as CSV with the generator's own sums", { timeout: 60_000 }, async () => {
  const random = makeRandom(11);
  const expected: Counted[] = [];
  const data = makeDirectory();
  const { store } = await open({ directory: data, segmentRecords: 2_000 });
  const now = Date.now();
  let last = 0;
  for (let day = 29; day >= 0; day--) {
    for (let n = 0; n < 120 + random(80); n++) {
      const at = now - day * DAY_MS - random(Math.max(1, Math.min(3_600_000, now % DAY_MS)));
      const person = random(7);
      const key = `key${person}x${random(3)}`;
      const isDenial = random(10) === 0;
      const counts = { requests: isDenial ? 0 : 1, denied: isDenial ? 1 + random(4) : 0, inputTokens: isDenial ? 0 : random(4_000), outputTokens: isDenial ? 0 : random(900), computeMs: isDenial ? 0 : random(20_000), queueMs: isDenial ? 0 : random(300), bytesIn: isDenial ? 0 : random(9_000), bytesOut: isDenial ? 0 : random(50_000) }; // prettier-ignore
      const fields = isDenial
        ? { principal: `p_${person}`, team: "research", code: "model_denied", count: counts.denied }
        : { principal: `p_${person}`, outcome: "served", model: `registry.ollama.ai/library/m${random(4)}:latest`, team: "research", input_tokens: counts.inputTokens, output_tokens: counts.outputTokens, is_estimated: false, compute_ms: counts.computeMs, queue_ms: counts.queueMs, bytes_in: counts.bytesIn, bytes: counts.bytesOut }; // prettier-ignore
      const type = isDenial ? "request.refused_coalesced" : "request.outcome";
      last = store.append(encodeEvent({ type, at, environment: "dev", actor: `key:${key}`, fields }))!;
      expected.push({ ...counts, principal: `p_${person}` } as Counted);
    }
  }
  await new Promise<void>((resolve) => store.whenDurable(last, () => resolve()));
  await store.close();

  const words = ["usage", "--by", "principal", "--since", "30d", "--data", data];
  const { code, stdout } = await sallyport([...words, "--format", "csv"]);
  expect(code).toBe(0);
  const [heading = "", ...lines] = stdout.trimEnd().split("\n");
  const names = heading.split(",");
  const rows = lines.map((line) => Object.fromEntries(line.split(",").map((cell, at) => [names[at], cell])));
  const asNumbers = rows.map((row) => ({
    principal: String(row["principal"]),
    ...(Object.fromEntries(MEMBERS.map((member) => [member, Number(row[member])])) as Row),
  }));
  const sums = sumsOf(expected, ({ principal }) => principal);
  expect(sumsOf(asNumbers, ({ principal }) => principal)).toEqual(sums);
  expect(lines).toHaveLength(7);
  const json = await sallyportJson<{ rows: (Row & { principal: string })[] }>(words);
  expect(sumsOf(json.rows, ({ principal }) => principal)).toEqual(sums);
  const markdown = await sallyport([...words, "--format", "markdown"]);
  expect(markdown.stdout).toContain("counters for 30 of 31 days");
});
