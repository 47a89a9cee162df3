/**
 * The weakest callers do their worst, each for some seconds, against the built program. Beside each of them a victim chats
 * and goes on being served, and a revocation, over the Unix socket and over TCP, takes effect within a second.
 */
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { request as httpRequest } from "node:http";
import { availableParallelism, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { request, sallyportJson, serve } from "../program/program.ts";
import type { Serving } from "../program/program.ts";
import { GoUpstream } from "../upstream/go-upstream.ts";
import { answerWithoutEnd } from "../upstream/endless-answer.ts";

const WINDOWS = 3;
const WINDOW_MS = 1_200;
const OVER_BARE_MS = 250;
const REVOKED_MS = 1_000;
/** How busy the machine was before: where others use its processors, a chat waits for them and not for the gateway. */
const BUSY = Math.min(4, Math.max(1, (loadavg()[0] ?? 1) / availableParallelism()));
const CHAT = { model: "llama3.2", stream: false, messages: [{ role: "user", content: "hi" }] };
const CALLER = fileURLToPath(new URL("worst-caller.js", import.meta.url));

const upstream = new GoUpstream({
  intercept(seen, response) {
    if (!seen.body.includes("endless")) return false;
    answerWithoutEnd(response);
    return true;
  },
});
let upstreamUrl: string;
let directory: string;
let serving: Serving;
let adminKey: string;
let victim: string;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), "sallyport-weakest-"));
  upstreamUrl = await upstream.listen();
  const policy = join(directory, "policy.yaml");
  writeFileSync(policy, `environments:\n  dev:\n    upstreams: [{ url: "${upstreamUrl}", concurrency: 8 }]\n`);
  ({ adminKey } = await sallyportJson<{ adminKey: string }>(["init", "--data", join(directory, "data")]));
  serving = await serve(join(directory, "data"), ["--policy", policy]);
  victim = (await issue()).key;
});
afterAll(async () => {
  serving?.child.kill("SIGKILL");
  await upstream.close();
  rmSync(directory, { recursive: true, force: true });
});

async function admin(path: string, body?: object): Promise<Record<string, string>> {
  const answer = await request("POST", serving.adminUrl + path, adminKey, body);
  if (answer.status >= 300) throw new Error(`${answer.status} ${answer.text}`);
  return JSON.parse(answer.text) as Record<string, string>;
}

async function issue(more: object = {}): Promise<{ id: string; key: string }> {
  const wish = { environment: "dev", name: `k ${Math.random()}`, allow: ["infer:chat"], models: ["llama3.2"], ...more };
  return (await admin("/v1/keys", wish)) as unknown as { id: string; key: string };
}

async function issueAdmin(role: string): Promise<string> {
  return (await admin("/v1/admin-keys", { name: `${role} ${Math.random()}`, role, environments: ["dev"] }))["key"]!;
}

/** Over the Unix socket beside the server. */
function revokeOverSocket(id: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const socketPath = join(directory, "data", "admin.sock");
    const sent = httpRequest({ socketPath, method: "POST", path: `/v1/keys/${id}/revoke`, agent: false }, (answer) => {
      answer.resume().on("end", () => resolve(answer.statusCode ?? 0));
    });
    sent.on("error", reject).end();
  });
}

async function revokeOverTcp(id: string): Promise<number> {
  return (await request("POST", `${serving.adminUrl}/v1/keys/${id}/revoke`, adminKey)).status;
}

/** From the call to the first denial, in ms. */
async function timeToRevoke(
  key: { id: string; key: string },
  revoke: (id: string) => Promise<number>,
): Promise<number> {
  const began = performance.now();
  expect(await revoke(key.id)).toBe(200);
  while ((await request("POST", `${serving.dataUrl}/api/chat`, key.key, CHAT)).status === 200);
  return performance.now() - began;
}

/** The time of each of the victim's chats in a while, in ms; with those made past the gateway. */
async function chatFor(ms: number): Promise<{ through: number[]; bare: number[] }> {
  const times = { through: [] as number[], bare: [] as number[] };
  const endsMs = performance.now() + ms;
  while (times.through.length === 0 || performance.now() < endsMs) {
    for (const [list, url] of [
      [times.bare, upstreamUrl],
      [times.through, serving.dataUrl],
    ] as const) {
      const began = performance.now();
      const { status, text } = await request("POST", `${url}/api/chat`, victim, CHAT);
      expect([status, status === 200 ? "" : text]).toEqual([200, ""]);
      list.push(performance.now() - began);
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return times;
}

function p99(times: readonly number[]): number {
  const sorted = times.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * 0.99))]!;
}

interface Caller {
  readonly child: ChildProcess;
  /** What it did, when it has ended. */
  readonly ended: Promise<string>;
}

function runCaller(kind: string, key: string, sockets: number): Caller {
  const wish = { kind, key, sockets, dataUrl: serving.dataUrl, adminUrl: serving.adminUrl };
  const child = spawn(process.execPath, [CALLER, JSON.stringify(wish)], { stdio: ["ignore", "pipe", "inherit"] });
  let out = "";
  child.stdout.on("data", (chunk: Buffer) => (out += chunk.toString("utf8")));
  const ended = new Promise<string>((resolve, reject) =>
    child.on("error", reject).on("close", () => resolve(out.trim())),
  );
  return { child, ended };
}

function medianOf(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
}

/** What this machine lets one process hold, and no more than was asked for. */
function socketsMax(): number {
  try {
    const limit = /^Max open files +\d+ +(\d+)/m.exec(readFileSync("/proc/self/limits", "latin1"))?.[1];
    return Math.min(20_000, Number(limit ?? 1_024) - 64);
  } catch {
    return 960;
  }
}

const callers: readonly [string, () => Promise<string>][] = [
  ["stranger", async () => ""],
  ["embedder", async () => (await issue({ allow: ["infer:embed"] })).key],
  ["viewer", () => issueAdmin("viewer")],
  ["provisioner", () => issueAdmin("provisioner")],
  ["silent reader", async () => (await issue({ limits: { concurrency: 4 } })).key],
  ["sockets", async () => ""],
];

test.each(callers)(
  "%s: a victim's chat goes on, and revocation takes effect",
  { timeout: 50_000 },
  async (kind, key) => {
    const revoked = await Promise.all(Array.from({ length: 2 * WINDOWS }, () => issue()));
    const { child, ended } = runCaller(kind, await key(), socketsMax());
    const overBare: number[] = [];
    const overSocket: number[] = [];
    const overTcp: number[] = [];
    try {
      // It takes a moment until the caller is at its worst.
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      // Several tries, because the machine does other things as well: what counts is the one in the middle.
      for (let window = 0; window < WINDOWS; window++) {
        const chats = chatFor(WINDOW_MS);
        overSocket.push(await timeToRevoke(revoked[2 * window]!, revokeOverSocket));
        overTcp.push(await timeToRevoke(revoked[2 * window + 1]!, revokeOverTcp));
        const { through, bare } = await chats;
        overBare.push(p99(through) - p99(bare));
      }
    } finally {
      child.kill("SIGTERM");
    }
    const inMs = (values: readonly number[]): string => values.map((ms) => ms.toFixed(0)).join(", ");
    console.log(
      `${kind}: victim's p99 over bare ${inMs(overBare)} ms; revoked in ${inMs(overSocket)} ms (Unix socket), ${inMs(overTcp)} ms (TCP); the machine's load before: ${BUSY.toFixed(1)} a processor; it did ${await ended}`,
    );
    expect(medianOf(overSocket)).toBeLessThan(REVOKED_MS);
    expect(medianOf(overTcp)).toBeLessThan(REVOKED_MS);
    expect(medianOf(overBare)).toBeLessThan(OVER_BARE_MS * BUSY);
  },
);
