import { Problem } from "@sallyport/protocol";
import { beforeEach, describe, expect, it } from "vitest";
import type { AuditPage, AuditRecord } from "../audit/audit-log.ts";
import { HEARTBEAT_MS, SLOW_MS, TURN_MS } from "./event-stream.ts";
import { PAGE_RECORDS, TailStream } from "./tail-stream.ts";

let nowMs: number;
let ledger: AuditRecord[];
let first: number;
let waiting: { readonly atMs: number; readonly run: () => void }[];
let sent: number[];
let refusal: Problem | null;
let pages: number;

beforeEach(() => {
  [nowMs, ledger, first, waiting, sent, refusal, pages] = [0, [], 1, [], [], null, 0];
});

function record(seq: number, text = ""): AuditRecord {
  return { seq, at: seq, environment: "dev", type: "key.issued", actor: "x", fields: { text } };
}

function stream(after = 0): TailStream {
  return new TailStream({
    clock: { monotonic: () => nowMs },
    wait: (ms) => new Promise<void>((run) => waiting.push({ atMs: nowMs + ms, run })),
    newest: () => ledger.at(-1)?.seq ?? 0,
    read: async ({ after: from, limit }): Promise<AuditPage> => {
      pages++;
      const records = ledger.filter(({ seq }) => seq > from).slice(0, limit);
      return { records, through: records.at(-1)?.seq ?? from, first };
    },
    demand: () => {
      if (refusal) throw refusal;
    },
    after,
    onEnd: (count) => sent.push(count),
  });
}

/** Time passes; everything due happens. */
async function pass(ms: number): Promise<void> {
  for (let i = 0; i < 200; i++) await Promise.resolve();
  for (const end = nowMs + ms; nowMs < end;) {
    nowMs = Math.min(end, nowMs + TURN_MS);
    const due = waiting.filter(({ atMs }) => atMs <= nowMs);
    waiting = waiting.filter(({ atMs }) => atMs > nowMs);
    for (const { run } of due) run();
    for (let i = 0; i < 200; i++) await Promise.resolve();
  }
}

async function readAll(tail: TailStream): Promise<string> {
  let text = "";
  for await (const chunk of tail.body as unknown as AsyncIterable<Uint8Array>) text += new TextDecoder().decode(chunk);
  return text;
}

describe("a listener", () => {
  it("who reads is sent everything, page after page, and a heartbeat when nothing comes", async () => {
    ledger = Array.from({ length: 2 * PAGE_RECORDS + 5 }, (_, i) => record(i + 1));
    const tail = stream();
    const text = readAll(tail);
    await pass(TURN_MS);
    await pass(HEARTBEAT_MS);
    tail.end("stopping", "the end");
    const ids = [...(await text).matchAll(/^id: (\d+)$/gm)].map(([, id]) => Number(id));
    expect(ids).toEqual(ledger.map(({ seq }) => seq));
    expect(await text).toContain(": heartbeat\n\n");
    expect(await text).toMatch(/event: end\ndata: \{"code":"stopping","says":"the end"\}\n\n$/);
    expect(sent).toEqual([ledger.length]);
  });

  it("who takes nothing is read no further for, then told so and cut, and his memory is given back", async () => {
    const long = "x".repeat(4_096);
    ledger = Array.from({ length: 100 * PAGE_RECORDS }, (_, i) => record(i + 1, long));
    const tail = stream();
    await pass(SLOW_MS / 2);
    const held = pages;
    expect(held).toBeLessThan(3);
    await pass(SLOW_MS);
    expect(pages).toBe(held);
    expect(sent).toHaveLength(1);
    await pass(SLOW_MS + TURN_MS);
    await expect(readAll(tail)).rejects.toThrow("the reader took nothing");
  });

  it("who comes back in time reads why he was cut", async () => {
    ledger = Array.from({ length: 5 * PAGE_RECORDS }, (_, i) => record(i + 1, "x".repeat(4_096)));
    const tail = stream();
    await pass(SLOW_MS + 2 * TURN_MS);
    expect(await readAll(tail)).toContain('event: end\ndata: {"code":"too_slow"');
  });

  it("whose right has ended is told and cut, even when nothing is recorded", async () => {
    const tail = stream();
    refusal = new Problem("key_revoked");
    const text = readAll(tail);
    await pass(TURN_MS);
    expect(await text).toContain('event: end\ndata: {"code":"key_revoked"');
  });

  it("who comes after retention is told of the gap", async () => {
    ledger = [record(50)];
    first = 50;
    const tail = stream(10);
    const text = readAll(tail);
    await pass(TURN_MS);
    tail.end("stopping", "");
    expect(await text).toContain('event: gap\ndata: {"after":10,"first":50}');
  });
});
