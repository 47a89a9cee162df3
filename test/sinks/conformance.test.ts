/** What every sink promises, whatever it is: order, nothing lost by an outage or a restart, and no sink waits for another. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { SinkDelivery, judgeStatus, makeOutgoing } from "../program-under-test.ts";
import type { AuditPage, AuditRecord, DeliveryPorts, Sink } from "../program-under-test.ts";
import { receivers } from "./receivers.ts";
import type { Receiver } from "./receivers.ts";

const START_MS = 1_760_000_000_000;
const HOUR_MS = 3_600_000;

/** A ledger in memory, time that passes when the test says so, and deliveries over it. */
class Bench {
  readonly root = mkdtempSync(join(tmpdir(), "sallyport-sinks-"));
  nowMs = START_MS;
  ledger: AuditRecord[] = [];
  first = 1;
  readonly letters: string[] = [];
  readonly gaps: (readonly [number, number])[] = [];
  readonly told: string[] = [];
  readonly cursors = new Map<string, number>([["main", 0]]);
  #pauses: { readonly atMs: number; readonly end: () => void }[] = [];
  readonly clock = { now: () => this.nowMs, monotonic: () => this.nowMs };

  record(count: number): void {
    for (let i = 0; i < count; i++) {
      const seq = (this.ledger.at(-1)?.seq ?? 0) + 1;
      const fields = { request: `req_${seq}`, note: "ü\u2028" };
      this.ledger.push({ seq, at: this.nowMs, environment: "dev", type: "request.intent", actor: "key:k", fields });
    }
  }

  deliver(sink: Sink, name = "main", more: Partial<DeliveryPorts> = {}): SinkDelivery {
    return new SinkDelivery({
      sink,
      filter: {},
      outgoing: makeOutgoing("ocsf", { node: "n1", version: "0" }),
      read: async ({ after = 0, limit }): Promise<AuditPage> => {
        const records = this.ledger.filter(({ seq }) => seq > after && seq >= this.first).slice(0, limit);
        const newest = this.ledger.at(-1)?.seq ?? 0;
        return { records, through: records.length < limit ? newest : records.at(-1)!.seq, first: this.first };
      },
      newest: () => this.ledger.at(-1)?.seq ?? 0,
      cursor: {
        read: async () => this.cursors.get(name) ?? null,
        write: async (seq) => void this.cursors.set(name, seq),
      },
      deadLetter: async (lines) => void this.letters.push(lines),
      clock: this.clock,
      pause: (ms) => {
        let end: () => void = () => {};
        const over = new Promise<void>((resolve) => (end = resolve));
        this.#pauses.push({ atMs: this.nowMs + ms, end });
        return { over, cancel: end };
      },
      random: () => 0.5,
      onGap: async (first, last) => void this.gaps.push([first, last]),
      onDeadLetter: () => undefined,
      onTrouble: (reason) => this.told.push(reason),
      onRecovery: () => this.told.push("recovered"),
      ...more,
    });
  }

  /** Time passes step by step, and real work between the steps is waited for. */
  async pass(ms: number, stepMs = 1_000): Promise<void> {
    for (const end = this.nowMs + ms; this.nowMs < end;) {
      this.nowMs = Math.min(end, this.nowMs + stepMs);
      const due = this.#pauses.filter(({ atMs }) => atMs <= this.nowMs);
      this.#pauses = this.#pauses.filter(({ atMs }) => atMs > this.nowMs);
      for (const { end: wake } of due) wake();
      for (let i = 0; i < 3; i++) await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** Until it is so: everything due is let happen meanwhile. */
  async until(isSo: () => boolean, ms = 10_000): Promise<void> {
    const begun = performance.now();
    while (!isSo()) {
      if (performance.now() - begun > ms) throw new Error("it did not happen");
      await this.pass(500, 500);
    }
  }
}

let bench: Bench;
let receiver: Receiver;
beforeEach(() => {
  bench = new Bench();
});
afterEach(async () => {
  await receiver.close();
  rmSync(bench.root, { recursive: true, force: true });
});

const uids = (from: number, to: number): string[] =>
  Array.from({ length: to - from + 1 }, (_, i) => `n1/dev/${from + i}`);
/** In the order of their first arrival. */
const arrived = (): string[] => [...new Set(receiver.uids())];

describe.each(Object.entries(receivers))("%s", (_name, make) => {
  it("takes everything in order, signed as it should be, and its figures say so", async () => {
    receiver = await make(bench.root, bench.clock);
    bench.record(2_345);
    const delivery = bench.deliver(receiver.sink());
    await bench.until(() => delivery.figures().lagRecords === 0);
    bench.record(5);
    await bench.until(() => delivery.figures().lagRecords === 0 && delivery.figures().sent === 2_350);
    await delivery.close();
    expect(receiver.uids()).toEqual(uids(1, 2_350));
    expect(receiver.forged).toEqual([]);
    expect(delivery.figures()).toMatchObject({ lagSeconds: 0, deadLettered: 0, trouble: null });
    expect(bench.cursors.get("main")).toBe(2_350);
  });

  it("after an hour's outage has everything, in order, and says meanwhile how far it is behind", async () => {
    receiver = await make(bench.root, bench.clock);
    await receiver.down();
    bench.record(700);
    const delivery = bench.deliver(receiver.sink());
    await bench.until(() => delivery.figures().failures > 2);
    await bench.pass(HOUR_MS, 10_000);
    const behind = delivery.figures();
    expect(behind).toMatchObject({ lagRecords: 700, sent: 0, trouble: expect.any(String) });
    expect(behind.lagSeconds).toBeGreaterThan(3_500);
    // It is asked seldom by then: once in five minutes at most, with some chance in it.
    expect(behind.failures).toBeLessThan(60);
    bench.record(50);
    await receiver.up();
    await bench.until(() => delivery.figures().lagRecords === 0);
    await delivery.close();
    expect(arrived()).toEqual(uids(1, 750));
    expect(bench.told).toEqual([expect.any(String), "recovered"]);
    expect(bench.letters).toEqual([]);
  });

  it("goes on after a restart where it was, also where it was down when the program stopped", async () => {
    receiver = await make(bench.root, bench.clock);
    bench.record(300);
    const before = bench.deliver(receiver.sink());
    await bench.until(() => before.figures().lagRecords === 0);
    await before.close();
    bench.record(300);
    const after = bench.deliver(receiver.sink());
    await bench.until(() => after.figures().lagRecords === 0);
    await after.close();
    expect(arrived()).toEqual(uids(1, 600));
  });

  it("a record it never takes is a dead letter, and the others arrive", async () => {
    receiver = await make(bench.root, bench.clock);
    if (!receiver.refuse) return;
    receiver.refuse("n1/dev/57");
    bench.record(100);
    const delivery = bench.deliver(receiver.sink());
    await bench.until(() => delivery.figures().deadLettered === 1 && delivery.figures().lagRecords === 0);
    await delivery.close();
    expect(arrived()).toEqual(uids(1, 100).filter((uid) => uid !== "n1/dev/57"));
    expect(bench.letters.map((line) => JSON.parse(line) as object)).toEqual([
      { uid: "n1/dev/57", at: expect.any(String), reason: "status 422", body: expect.stringContaining("req_57") },
    ]);
    expect(bench.cursors.get("main")).toBe(100);
  });
});

describe("a delivery", () => {
  const deaf: Sink = {
    batch: { records: 100, lingerMs: 0 },
    send: () => new Promise(() => undefined),
    close: async () => undefined,
  };

  it("to a dead sink delays no other", async () => {
    receiver = await receivers["webhook"]!(bench.root, bench.clock);
    bench.cursors.set("dead", 0);
    bench.record(500);
    const dead = bench.deliver(deaf, "dead");
    const alive = bench.deliver(receiver.sink());
    await bench.until(() => alive.figures().lagRecords === 0);
    await alive.close();
    expect(receiver.uids()).toEqual(uids(1, 500));
    expect(dead.figures()).toMatchObject({ lagRecords: 500, sent: 0 });
    expect(bench.cursors.get("dead")).toBe(0);
  });

  it("that retention has overtaken puts the gap on record and goes on behind it", async () => {
    receiver = await receivers["webhook"]!(bench.root, bench.clock);
    bench.record(100);
    bench.first = 41;
    const delivery = bench.deliver(receiver.sink());
    await bench.until(() => delivery.figures().lagRecords === 0);
    await delivery.close();
    expect(bench.gaps).toEqual([[1, 40]]);
    expect(receiver.uids()).toEqual(uids(41, 100));
  });

  it("that is new begins with what comes, and one ahead of a restored ledger too", async () => {
    receiver = await receivers["webhook"]!(bench.root, bench.clock);
    bench.record(10);
    bench.cursors.set("ahead", 5_000);
    const sinks = ["new", "ahead"].map((name) => bench.deliver(receiver.sink(), name));
    await bench.until(() => bench.cursors.get("new") === 10 && bench.cursors.get("ahead") === 10);
    bench.record(1);
    await bench.until(() => sinks.every((one) => one.figures().sent === 1));
    for (const one of sinks) await one.close();
    expect(receiver.uids()).toEqual(["n1/dev/11", "n1/dev/11"]);
  });

  it("gives up no record because a credential has expired", async () => {
    receiver = await receivers["webhook"]!(bench.root, bench.clock);
    const inner = receiver.sink();
    let isExpired = true;
    const delivery = bench.deliver({
      batch: inner.batch,
      send: async (batch) => (isExpired ? judgeStatus(401) : inner.send(batch)),
      close: () => inner.close(),
    });
    bench.record(20);
    await bench.until(() => delivery.figures().failures > 1);
    isExpired = false;
    await bench.until(() => delivery.figures().lagRecords === 0);
    await delivery.close();
    expect(receiver.uids()).toEqual(uids(1, 20));
    expect(bench.letters).toEqual([]);
  });

  it("that is stopped while it fails comes again from where it was", async () => {
    receiver = await receivers["webhook"]!(bench.root, bench.clock);
    await receiver.down();
    bench.record(30);
    const stopped = bench.deliver(receiver.sink());
    await bench.until(() => stopped.figures().failures > 0);
    await stopped.close();
    expect(bench.cursors.get("main")).toBe(0);
    await receiver.up();
    const again = bench.deliver(receiver.sink());
    await bench.until(() => again.figures().lagRecords === 0);
    await again.close();
    expect(receiver.uids()).toEqual(uids(1, 30));
  });
});
