/** No byte of an answer leaves before its intent is on disk, and what cannot be recorded is not served: with a disk that does as it is told. */
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { pino } from "pino";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { keyOf, principalOf, ringOf } from "../builders.ts";
import {
  compileSnapshot,
  environmentDefaults,
  formatKeyText,
  hashKeyText,
  KeyDirectory,
  makeDataPlane,
  makeGatewayMetrics,
  PermissionUses,
  systemClock,
  USUAL_STATE,
  UseRecord,
} from "../program-under-test.ts";
import type { Core, DataPlane, Environment, GatewayMetrics } from "../program-under-test.ts";
import { GoUpstream } from "../upstream/go-upstream.ts";
import { codeOf, testSettings } from "./started-gateway.ts";

/** A ledger whose disk waits until it is told what to do. */
class HeldLedger {
  readonly lines: string[] = [];
  readonly #waiting: ((isOnDisk: boolean) => void)[] = [];
  #durable = 0;
  isFull = false;
  isAlive = true;
  onWait: () => void = () => {};

  append(line: string): number | undefined {
    return this.isFull ? undefined : this.lines.push(line);
  }
  isDurable(ticket: number): boolean {
    return ticket <= this.#durable;
  }
  whenDurable(_ticket: number, then: (isOnDisk: boolean) => void): void {
    this.#waiting.push(then);
    this.onWait();
  }
  figures(): object {
    return {};
  }
  takesChanges(): boolean {
    return this.isAlive;
  }
  isWritable(): boolean {
    return !this.isFull;
  }
  /** The commit ends. */
  settle(isOnDisk: boolean): void {
    if (isOnDisk) this.#durable = this.lines.length;
    for (const then of this.#waiting.splice(0)) then(isOnDisk);
  }
}

let upstream: GoUpstream;
let ledger: HeldLedger;
let plane: DataPlane;
let metrics: GatewayMetrics;
let url: string;
let environment: Environment;
let leapMs = 0;
const clock = { now: () => systemClock.now(), monotonic: () => systemClock.monotonic() + leapMs };
const text = formatKeyText("sp", "dev", "A".repeat(12), "s".repeat(43));

beforeEach(async () => {
  upstream = new GoUpstream();
  ledger = new HeldLedger();
  const pepper = { version: 1, bytes: randomBytes(32) };
  const right = { roles: ["operator"], allow: ["infer:chat"] as const, models: ["*"] };
  const secret = { hash: hashKeyText(text, pepper), expiresAt: Number.MAX_SAFE_INTEGER };
  const key = keyOf({ id: "A".repeat(12), ceiling: right }, secret);
  const source = {
    key: () => key,
    eachKeyId: (visit: (environment: string, id: string) => void) => visit("dev", key.id),
  };
  environment = { ...environmentDefaults, name: "dev", upstreams: [{ id: "u1", url: await upstream.listen() }] };
  const compiled = compileSnapshot({
    epoch: 1,
    environments: [environment],
    roles: [],
    principals: [principalOf("p", { kind: "service" })],
    assignments: [{ id: "a", subject: { principal: "p" }, environment: "dev", right, source: "admin" }],
  });
  const environments = { get: () => environment, keys: () => ["dev"].values(), values: () => [environment].values() };
  const snapshot = { ...compiled, environments };
  const core = {
    store: ledger,
    keys: new KeyDirectory(source, ringOf(pepper)),
    snapshot: () => snapshot,
    uses: new UseRecord({ keyUses: () => [], noteUses: () => {} }),
    permissionUses: new PermissionUses(0),
    lifecycle: { firstUse: () => {} },
    quarantine: { restored: () => undefined, end: () => {} },
    clock: systemClock,
    peppers: { get: () => pepper },
    firstNetworks: { boundTo: () => undefined, bind: () => {} },
    ollamaSigners: { find: () => undefined },
    revokedTokens: { has: () => false },
    tokenKeys: { verifying: () => undefined },
    changes: { inTurn: (run: () => unknown) => run(), change: () => {} },
    reconciler: { look: () => {} },
    onSwap: () => {},
    rebuiltViews: () => 0,
    upstreamStates: { of: () => USUAL_STATE, onChange: () => {} },
  } as unknown as Core;
  metrics = makeGatewayMetrics(core);
  plane = makeDataPlane({
    settings: testSettings("/nowhere"),
    core,
    clock,
    log: pino({ level: "silent" }),
    tls: null,
    connectionsMax: 64,
    metrics,
    listeners: [],
    tracing: null,
    traffic: { actionIn: () => "notify", note: () => {} },
    listenerUrl: () => "",
  });
  plane.server.listen(0, "127.0.0.1");
  await once(plane.server, "listening");
  url = `http://127.0.0.1:${(plane.server.address() as AddressInfo).port}`;
});
afterEach(async () => {
  ledger.settle(false);
  plane.end();
  metrics.close();
  plane.server.closeAllConnections();
  plane.server.close();
  await plane.closeUpstreams();
  await upstream.close();
});

function ask(path: string, body: object): Promise<Response> {
  return fetch(url + path, {
    method: "POST",
    headers: { authorization: `Bearer ${text}` },
    body: JSON.stringify(body),
  });
}
const chat = { model: "llama3.2", messages: [{ role: "user", content: "x" }] };

test.each([
  ["a stream", "/api/chat", chat],
  ["a whole answer", "/api/chat", { ...chat, stream: false }],
  ["an answer that is rewritten", "/api/show", { model: "llama3.2" }],
])("%s waits for the commit, while the model works", async (_, path, body) => {
  let isAnswered = false;
  const waits = new Promise<void>((resolve) => void (ledger.onWait = resolve));
  const answer = ask(path, body).then((said) => {
    isAnswered = true;
    return said;
  });
  await waits;
  expect([upstream.seen.length, isAnswered]).toEqual([1, false]);
  ledger.settle(true);
  const said = await answer;
  expect([said.status, (await said.text()).length > 0]).toEqual([200, true]);
  expect(ledger.lines[0]).toContain('"request.intent"');
});

test("a comment that keeps an event stream alive waits for the commit, too", async () => {
  let go = (): void => {};
  upstream.intercept = async () => {
    await new Promise<void>((resolve) => void (go = resolve));
    return false;
  };
  let isAnswered = false;
  const answer = ask("/v1/chat/completions", { ...chat, stream: true }).then((said) => {
    isAnswered = true;
    return said;
  });
  while (upstream.seen.length === 0) await new Promise((resolve) => setImmediate(resolve));
  leapMs += 20_000;
  await new Promise((resolve) => setTimeout(resolve, 1_100));
  expect(isAnswered).toBe(false);
  ledger.settle(true);
  const said = await answer;
  go();
  ledger.onWait = () => ledger.settle(true);
  expect((await said.text()).startsWith(": keep-alive\n\ndata: ")).toBe(true);
});

test("a commit that fails aborts the upstream, and the caller gets 503 and no byte of the answer", async () => {
  const waits = new Promise<void>((resolve) => void (ledger.onWait = resolve));
  const answer = ask("/api/chat", chat);
  await waits;
  ledger.settle(false);
  const said = await answer;
  expect([said.status, codeOf(await said.text())]).toEqual([503, "ledger_unavailable"]);
  expect(ledger.lines.at(-1)).toContain('"not_recorded"');
});

test("what manages models waits before it acts", async () => {
  const waits = new Promise<void>((resolve) => void (ledger.onWait = resolve));
  const answer = ask("/api/pull", { model: "llama3.2" });
  await waits;
  expect(upstream.seen).toEqual([]);
  ledger.settle(false);
  expect([(await answer).status, upstream.seen.length]).toEqual([503, 0]);
});

test("a ledger that takes nothing: refused before the upstream sees anything, readiness says so", async () => {
  ledger.isFull = true;
  const said = await ask("/api/chat", chat);
  expect([said.status, codeOf(await said.text()), upstream.seen.length]).toEqual([503, "ledger_unavailable", 0]);
  expect((await fetch(`${url}/readyz`)).status).toBe(503);
  expect((await fetch(`${url}/healthz`)).status).toBe(200);
  ledger.isFull = false;
  ledger.onWait = () => ledger.settle(true);
  expect((await ask("/api/chat", chat)).status).toBe(200);
});

describe("where policy says fail_open_with_gap_record", () => {
  beforeEach(() => {
    environment = { ...environment, inferenceRecording: "fail_open_with_gap_record" };
  });

  test("a ledger that takes nothing: inference is served, readiness says ready, the gap is written when it takes records again", async () => {
    ledger.isFull = true;
    const said = await ask("/api/chat", chat);
    expect([said.status, (await said.text()).includes('"done":true')]).toEqual([200, true]);
    expect([ledger.lines, (await fetch(`${url}/readyz`)).status]).toEqual([[], 200]);
    expect(metrics.write(() => true)).toContain("sallyport_unrecorded_requests_total 1");
    ledger.isFull = false;
    ledger.onWait = () => ledger.settle(true);
    await (await ask("/api/chat", chat)).text();
    const gap = ledger.lines.find((line) => line.includes('"ledger.gap"'))!;
    const { environment: of, fields } = JSON.parse(gap) as { environment: string; fields: object };
    expect([of, fields]).toEqual(["dev", expect.objectContaining({ requests: 1, keys: ["A".repeat(12)] })]);
  });

  test("a commit that fails: the answer goes on", async () => {
    const waits = new Promise<void>((resolve) => void (ledger.onWait = resolve));
    const answer = ask("/api/chat", chat);
    await waits;
    ledger.settle(false);
    const said = await answer;
    expect([said.status, (await said.text()).includes('"done":true')]).toEqual([200, true]);
  });

  test("what manages models, and what is no inference, is refused all the same", async () => {
    ledger.isFull = true;
    const answers = [await ask("/api/pull", { model: "llama3.2" }), await ask("/api/show", { model: "llama3.2" })];
    expect([answers.map(({ status }) => status), upstream.seen.length]).toEqual([[503, 503], 0]);
  });

  test("a writer that is gone: refused, because nothing can be revoked any more", async () => {
    ledger.isFull = true;
    ledger.isAlive = false;
    expect([(await ask("/api/chat", chat)).status, (await fetch(`${url}/readyz`)).status]).toEqual([503, 503]);
  });
});
