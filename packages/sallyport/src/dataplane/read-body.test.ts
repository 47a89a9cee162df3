import type { IncomingMessage, ServerResponse } from "node:http";
import { PassThrough } from "node:stream";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Clock } from "../kernel/clock.ts";
import { ByteBudget } from "./byte-budget.ts";
import { Exchange } from "./exchange.ts";
import { BODY_IDLE_MS, BODY_WHOLE_MS, ClientGone, readBody } from "./read-body.ts";

beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] }));
afterEach(() => void vi.useRealTimers());

let nowMs = 0;
const clock: Clock = { now: () => 0, monotonic: () => nowMs };

function incoming(): { body: PassThrough; exchange: Exchange } {
  const body = new PassThrough();
  return {
    body,
    exchange: new Exchange(body as unknown as IncomingMessage, {} as ServerResponse, "req_1", 0, 0, false),
  };
}

/** Lets the stream hand over what was written. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test("a body is read whole, and held in the budget", async () => {
  const { body, exchange } = incoming();
  const budget = new ByteBudget(100);
  const read = readBody(exchange, 10, budget, clock);
  body.write("abc");
  body.end("def");
  expect(await read).toEqual(Buffer.from("abcdef"));
  expect([budget.held, exchange.heldBytes]).toEqual([6, 6]);
});

test("a body that stands still is given up", async () => {
  const { body, exchange } = incoming();
  const read = readBody(exchange, 10, new ByteBudget(100), clock);
  body.write("a");
  await turn();
  vi.advanceTimersByTime(BODY_IDLE_MS);
  expect(await read).toMatchObject({ code: "request_timeout" });
});

test("a body that drips is given up in the end", async () => {
  const { body, exchange } = incoming();
  const read = readBody(exchange, 1_000, new ByteBudget(10_000), clock);
  for (let ms = 0; ms < BODY_WHOLE_MS; ms += BODY_IDLE_MS - 1) {
    body.write("a");
    await turn();
    vi.advanceTimersByTime(BODY_IDLE_MS - 1);
    nowMs += BODY_IDLE_MS - 1;
  }
  body.write("a");
  expect(await read).toMatchObject({ code: "request_timeout" });
});

test("a body beyond its bound, and beyond what all may hold, is refused", async () => {
  const large = incoming();
  const refused = readBody(large.exchange, 2, new ByteBudget(100), clock);
  large.body.write("abc");
  expect(await refused).toMatchObject({ code: "body_too_large" });
  const { body, exchange } = incoming();
  const budget = new ByteBudget(4);
  expect(budget.take(2)).toBe(true);
  const full = readBody(exchange, 10, budget, clock);
  body.write("abc");
  expect(await full).toMatchObject({ code: "overloaded", retryAfterSeconds: 2 });
  expect(budget.held).toBe(2);
});

test("a client that goes leaves nobody to answer", async () => {
  const { body, exchange } = incoming();
  const read = readBody(exchange, 10, new ByteBudget(100), clock);
  body.destroy();
  await expect(read).rejects.toThrow(ClientGone);
});
