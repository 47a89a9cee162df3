/** A whole review of five hundred keys by three reviewers, to a report that proves itself and notices every change. */
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createHash } from "node:crypto";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { LineView, ReviewView } from "@sallyport/contract";
import { publishedKeys } from "../program-under-test.ts";
import { sallyport, sallyportJson } from "../program/program.ts";
import { startGateway } from "./started-gateway.ts";
import type { StartedGateway } from "./started-gateway.ts";

const KEYS = 500;
const HOSTILE = `=cmd|'/c calc'!A0 <img src=x onerror=alert(1)>`;
/** Wall time is moved by the test alone, so that reviewers take as long as it says. */
const clock = { wallMs: Date.now(), now: () => clock.wallMs, monotonic: () => performance.now() };

let gateway: StartedGateway;
let home: string;
let reviewId: string;
let out: string;
let closed: ReviewView;
const reviewers = new Map<string, { readonly actor: string; readonly key: string }>();

interface Verdict {
  readonly ok: boolean;
  readonly file?: string;
  readonly reason?: string;
  readonly records?: number;
  readonly lines?: number;
}

function cli<T>(...words: string[]): Promise<T> {
  return sallyportJson<T>([...words, "--data", gateway.directory]);
}

async function verify(directory: string, ...words: string[]): Promise<Verdict> {
  const { stdout } = await sallyport(["review", "verify", directory, "--json", ...words]);
  return JSON.parse(stdout) as Verdict;
}

function as<T = Record<string, unknown>>(name: string, path: string, body?: object): Promise<T> {
  return gateway.admin<T>("POST", `/v1/reviews/${reviewId}${path}`, body, reviewers.get(name)!.key);
}

async function openLines(): Promise<LineView[]> {
  const { lines } = await cli<{ lines: LineView[] }>("review", "show", reviewId);
  return lines.filter(({ status }) => status === "open");
}

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), "sallyport-review-"));
  out = join(home, "report");
  gateway = await startGateway({
    moreYaml: `roles:
  chatting: { allow: [{ do: [infer:chat], on: ["*"] }] }
assign: [{ group: ml, role: chatting, in: [dev] }]
`,
    clock,
  });
  const owner = await gateway.admin<{ id: string }>("POST", "/v1/principals", {
    kind: "person",
    name: HOSTILE,
    groups: ["ml"],
  });
  for (const name of ["ada", "grace", "rush"]) {
    const { id, key } = await gateway.admin<{ id: string; key: string }>("POST", "/v1/admin-keys", {
      name,
      role: "access-reviewer",
      environments: ["dev"],
    });
    reviewers.set(name, { actor: `key:${id}`, key });
  }
  const names = Array.from({ length: KEYS }, (_, n) => (n === 0 ? HOSTILE : `app ${n}`));
  for (let from = 0; from < KEYS; from += 50)
    await Promise.all(
      names
        .slice(from, from + 50)
        .map((name) => gateway.issue({ name, owner: owner.id, allow: ["infer:chat"], models: ["llama3.2"] })),
    );
  ({ reviewId } = await cli<{ reviewId: string }>(
    "review",
    "start",
    "--env",
    "dev",
    "--reviewer",
    "ada,grace",
    "--reviewer",
    "rush",
  ));
}, 60_000);

afterAll(async () => {
  await gateway.stop();
  rmSync(home, { recursive: true, force: true });
});

it("is frozen with canary lines, and distributed evenly", async () => {
  const review = await gateway.admin<ReviewView>("GET", `/v1/reviews/${reviewId}`);
  expect(review).toMatchObject({ state: "open", entries: KEYS + 5, lines: KEYS + 15, unassigned: 0 });
  const shares = review.reviewers.map(({ open }) => open);
  expect(Math.max(...shares) - Math.min(...shares)).toBeLessThanOrEqual(1);
});

// The careful ones see all evidence for some seconds, and revoke what is wide and unused.
it.each(["ada", "grace"])("is decided with a look at each line by %s", async (name) => {
  const mine = (await openLines()).filter(({ assignedTo }) => assignedTo === reviewers.get(name)!.actor);
  for (let from = 0; from < mine.length; from += 25) {
    const some = mine.slice(from, from + 25);
    await Promise.all(some.map(({ line }) => as(name, `/lines/${line}/open`)));
    clock.wallMs += 20_000;
    await Promise.all(
      some.map(({ line, risks }) => {
        const isDoubtful = (risks.includes("wide") && risks.includes("unused")) || line % 7 === 0;
        const decision = isDoubtful && !risks.includes("privileged") ? "revoke" : "keep";
        const reason = isDoubtful ? "no one uses it" : "in use, by its team";
        return as(name, `/lines/${line}/decide`, { decision, reason });
      }),
    );
  }
});

it("is decided without a look by the third", async () => {
  const quick = (await openLines()).filter(({ assignedTo }) => assignedTo === reviewers.get("rush")!.actor);
  for (let from = 0; from < quick.length; from += 50)
    await Promise.all(
      quick.slice(from, from + 50).map(async ({ line }) => {
        if (line % 5 === 0) await as("rush", `/lines/${line}/open`);
        await as("rush", `/lines/${line}/decide`, { decision: "keep", reason: "ok" });
      }),
    );
  expect(await openLines()).toEqual([]);
});

it("is closed, and names the reviewer who did not look, and no other", async () => {
  closed = await cli<ReviewView>("review", "close", reviewId);
  const named = closed.result!.figures.filter(({ signs }) => signs.length > 0);
  expect(named.map(({ name }) => name)).toEqual(["rush"]);
  expect(named[0]!.signs.join("; ")).toMatch(
    /median decision under 3 s; evidence of \d+ of \d+ lines never opened; kept \d+ of/,
  );
  const suspended = Object.keys(closed.result!.counts).toSorted();
  expect(suspended).toEqual(["kept", "revoked"]);
});

it("has a report that verifies offline, with the node's key too", async () => {
  await cli("review", "report", reviewId, "--out", out);
  expect(readdirSync(out).toSorted()).toEqual([
    "checkpoint.txt",
    "lines.csv",
    "log-key.txt",
    "manifest.tlog-proof",
    "manifest.txt",
    "population.jsonl",
    "proofs.jsonl",
    "report.html",
    "report.json",
  ]);
  // A decision for each line, the start and the end.
  expect(await verify(out)).toMatchObject({ ok: true, lines: KEYS + 15, records: KEYS + 17 });
  const { key } = (await publishedKeys(gateway.settings)).find(({ name }) => name.endsWith("/dev"))!;
  expect(await verify(out, "--key", key)).toMatchObject({ ok: true });
  const html = readFileSync(join(out, "report.html"), "utf8");
  expect(html).toMatch(/Signs of decisions without a look at the evidence: rush/);
  expect(html).not.toMatch(/<script|<link|<iframe|<img|<[^>]*\son[a-z]+=/i);
  for (const clause of ["CC6.1", "CC6.2", "CC6.3", "A.5.18", "11.2", "7.2.4"]) expect(html).toContain(clause);
  // A name that is a formula stays a text.
  expect(readFileSync(join(out, "lines.csv"), "utf8")).toMatch(/,"?'=cmd/);
  expect(readFileSync(join(out, "population.jsonl"), "utf8").split("\n")).toHaveLength(KEYS + 6);
});

it.each([
  "checkpoint.txt",
  "lines.csv",
  "log-key.txt",
  "manifest.tlog-proof",
  "manifest.txt",
  "population.jsonl",
  "proofs.jsonl",
  "report.html",
  "report.json",
])("one altered byte of %s is noticed", async (name) => {
  const copy = join(home, `altered-${name}`);
  copyReport(copy);
  const bytes = readFileSync(join(out, name));
  const at = Math.floor(bytes.length / 2);
  bytes[at] = bytes[at]! ^ 1;
  writeFileSync(join(copy, name), bytes);
  expect(await verify(copy)).toMatchObject({ ok: false });
});

it("one line less, and one file more, are noticed", async () => {
  const copy = join(home, "shorter");
  copyReport(copy);
  const lines = readFileSync(join(copy, "lines.csv"), "utf8").split("\n");
  writeFileSync(join(copy, "lines.csv"), [...lines.slice(0, 40), ...lines.slice(41)].join("\n"));
  expect(await verify(copy)).toMatchObject({ ok: false, file: "lines.csv" });
  copyFileSync(join(out, "lines.csv"), join(copy, "lines.csv"));
  expect(await verify(copy)).toMatchObject({ ok: true });
  writeFileSync(join(copy, "annex.txt"), "x");
  expect(await verify(copy)).toMatchObject({ ok: false, file: "annex.txt" });
});

it("a report whose manifest was made again for other lines is not one that the audit log knows", async () => {
  const copy = join(home, "forged");
  copyReport(copy);
  const json = readFileSync(join(copy, "report.json"), "utf8").replace("no one uses it", "everyone uses it");
  writeFileSync(join(copy, "report.json"), json);
  const hash = createHash("sha256").update(json).digest("hex");
  const manifest = readFileSync(join(copy, "manifest.txt"), "utf8").replace(
    /^[0-9a-f]{64}(?= {2}report\.json$)/m,
    hash,
  );
  writeFileSync(join(copy, "manifest.txt"), manifest);
  expect(await verify(copy)).toMatchObject({ ok: false, file: "manifest.txt" });
});

it("is not written twice into one directory, nor from another machine", async () => {
  const again = await sallyport(["review", "report", reviewId, "--out", out, "--data", gateway.directory]);
  expect(again.stderr).toContain("already exists");
});

function copyReport(to: string): void {
  rmSync(to, { recursive: true, force: true });
  mkdirSync(to);
  for (const name of readdirSync(out)) copyFileSync(join(out, name), join(to, name));
}
