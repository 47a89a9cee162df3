import type { IncomingMessage, ServerResponse } from "node:http";
import { PassThrough } from "node:stream";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Clock } from "../kernel/clock.ts";
import type { KeyRecord } from "../keys/key.ts";
import { ByteBudget } from "./byte-budget.ts";
import { Exchange } from "./exchange.ts";
import {
  BODY_BYTES_PER_SECOND_MIN,
  BODY_IDLE_MS,
  BODY_SLOW_AFTER_MS,
  BODY_WHOLE_MS,
  ClientGone,
  readBody,
} from "./read-body.ts";

beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] }));
afterEach(() => void vi.useRealTimers());

let nowMs = 0;
const clock: Clock = { now: () => 0, monotonic: () => nowMs };

function incoming(key = "a"): { body: PassThrough; exchange: Exchange } {
  const body = new PassThrough();
  const exchange = new Exchange(body as unknown as IncomingMessage, {} as ServerResponse, "req_1", 0, 0, false);
  exchange.key = { environment: "dev", id: key, owner: "ada" } as KeyRecord;
  return { body, exchange };
}

/** Lets the stream hand over what was written. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test("a body is read whole, and held in the budget", async () => {
  const { body, exchange } = incoming();
  const budget = new ByteBudget(100, 100);
  const read = readBody(exchange, 10, budget, clock);
  body.write("abc");
  body.end("def");
  expect(await read).toEqual(Buffer.from("abcdef"));
  expect([budget.held, exchange.heldBytes]).toEqual([6, 6]);
});

test("a body that stands still is given up", async () => {
  const { body, exchange } = incoming();
  const read = readBody(exchange, 10, new ByteBudget(100, 100), clock);
  body.write("a");
  await turn();
  vi.advanceTimersByTime(BODY_IDLE_MS);
  expect(await read).toMatchObject({ code: "request_timeout" });
});

test("a body that drips is given up after some seconds, and one that goes on and on in the end", async () => {
  const { body, exchange } = incoming();
  const drip = readBody(exchange, 1_000, new ByteBudget(10_000, 10_000), clock);
  body.write("a");
  await turn();
  nowMs += BODY_SLOW_AFTER_MS + 1;
  body.write("a");
  expect(await drip).toMatchObject({ code: "request_timeout" });
  const long = incoming();
  const steady = readBody(long.exchange, 1_000_000, new ByteBudget(1_000_000, 1_000_000), clock);
  for (let ms = 0; ms <= BODY_WHOLE_MS; ms += 9_000) {
    long.body.write(Buffer.alloc(9 * BODY_BYTES_PER_SECOND_MIN + 9));
    await turn();
    nowMs += 9_000;
  }
  long.body.write("a");
  expect(await steady).toMatchObject({ code: "request_timeout" });
  expect(long.exchange.heldBytes).toBeGreaterThan(60_000);
});

test("a body beyond its bound, and beyond what all may hold, is refused", async () => {
  const large = incoming();
  const refused = readBody(large.exchange, 2, new ByteBudget(100, 100), clock);
  large.body.write("abc");
  expect(await refused).toMatchObject({ code: "body_too_large" });
  const { body, exchange } = incoming();
  const budget = new ByteBudget(4, 4);
  expect(budget.take(incoming("b").exchange, 2)).toBe(true);
  const full = readBody(exchange, 10, budget, clock);
  body.write("abc");
  expect(await full).toMatchObject({ code: "overloaded", retryAfterSeconds: 2 });
  expect(budget.held).toBe(2);
});

test("a client that goes leaves nobody to answer", async () => {
  const { body, exchange } = incoming();
  const read = readBody(exchange, 10, new ByteBudget(100, 100), clock);
  body.destroy();
  await expect(read).rejects.toThrow(ClientGone);
});

test("a key has a share, its owner's keys have one together, and small bodies have room beside them", () => {
  const budget = new ByteBudget(64_000_000, 8_000_000);
  const take = (key: string, owner: string, bytes: number): boolean => {
    const { exchange } = incoming(key);
    exchange.key = { environment: "dev", id: key, owner } as KeyRecord;
    return budget.take(exchange, bytes);
  };
  expect([take("a", "ada", 16_000_000), take("a", "ada", 1)]).toEqual([true, false]);
  expect([take("b", "ada", 16_000_000), take("c", "ada", 1)]).toEqual([true, false]);
  expect([take("d", "bob", 16_000_000), take("e", "bob", 8_000_000)]).toEqual([true, true]);
  expect([take("f", "eve", 2_000_000), take("f", "eve", 1_000_000)]).toEqual([false, true]);
});

test("callers who proved nothing have a room of their own", () => {
  const budget = new ByteBudget(1_000, 1_000);
  const { exchange } = incoming();
  exchange.key = null;
  exchange.address = "192.0.2.1";
  expect(budget.take(exchange, 1_000_000)).toBe(true);
  // Its key becomes known while it holds them: they go back where they came from.
  exchange.key = incoming().exchange.key;
  expect(budget.take(incoming("b").exchange, 1_000)).toBe(true);
  budget.give(exchange);
  expect(budget.held).toBe(1_000);
});
