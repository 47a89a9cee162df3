import { EventEmitter } from "node:events";
import type { Dispatcher } from "undici";
import { expect, test } from "vitest";
import { isRefusal, refuse } from "@sallyport/protocol";
import { UnrecordedRequests } from "../../audit/unrecorded.ts";
import { systemClock } from "../../kernel/clock.ts";
import type { EffectiveRight } from "../../access/snapshot.ts";
import { Exchange } from "../exchange.ts";
import { LiveExchanges } from "../live-exchanges.ts";
import { answered } from "../pipeline.ts";
import { endpoints } from "../wire/endpoints.ts";
import { DEFAULT_BOUNDS } from "../upstream/bounds.ts";
import { ReplicaHealth } from "../upstream/health.ts";
import { ModelOrigins } from "../upstream/model-origins.ts";
import type { Upstream } from "../upstream/upstream.ts";
import { makeForward } from "./forward.ts";

class FakeResponse extends EventEmitter {
  headersSent = false;
  destroyed = false;
  chunkedEncoding = true;
  writeHead(): void {
    this.headersSent = true;
  }
  write(): boolean {
    throw new Error("a write that breaks");
  }
  end(): void {}
}

/** An exchange that has come as far as forward, and an upstream that hands out its handler. */
function arrived(): {
  exchange: Exchange;
  response: FakeResponse;
  handlers: Dispatcher.DispatchHandler[];
} {
  const response = new FakeResponse();
  const handlers: Dispatcher.DispatchHandler[] = [];
  const upstream = {
    host: "h",
    bounds: DEFAULT_BOUNDS,
    health: new ReplicaHealth({ now: () => 0, random: Math.random }),
    pool: { dispatch: (_: unknown, handler: Dispatcher.DispatchHandler) => void handlers.push(handler) },
  };
  const exchange = new Exchange(
    { method: "POST" } as Exchange["request"],
    response as unknown as Exchange["response"],
    "req_1",
    0,
    0,
    false,
  );
  exchange.endpoint = endpoints.find((endpoint) => endpoint.id === "ollama.chat")!;
  const understood = exchange.endpoint.understand(
    Buffer.from('{"model":"a","messages":[{"role":"user","content":"x"}]}'),
    null,
    "",
  );
  if (isRefusal(understood)) throw new Error(understood.code);
  exchange.understood = understood;
  exchange.serialized = understood.serialize({
    outputTokens: undefined,
    contextTokens: undefined,
    mayOverride: false,
    keepAlive: { minSeconds: 300, maxSeconds: 300 },
    hasOffers: false,
  });
  // Where the model runs is another test's: here it is not asked.
  exchange.isRemoteModel = true;
  exchange.right = { isOwnerDisabled: true, share: { maxServiceMs: null } } as EffectiveRight;
  exchange.upstream = upstream as unknown as Upstream;
  exchange.ticket = 1;
  return { exchange, response, handlers };
}

const ledger = { append: () => 1, isDurable: () => true, whenDurable: () => {} };
const unrecorded = new UnrecordedRequests({
  ledger: { ...ledger, takesChanges: () => true },
  clock: systemClock,
  environments: () => new Map(),
  onGap: () => {},
});
const forward = makeForward({
  traffic: { actionIn: () => "notify", note: () => {} },
  ledger,
  clock: systemClock,
  tracing: null,
  unrecorded,
  origins: new ModelOrigins(systemClock),
});

test("who was cut between two stages does not begin", () => {
  const { exchange, handlers } = arrived();
  const live = new LiveExchanges();
  live.add(exchange);
  expect(live.recheck({ refuseNow: () => refuse("key_unknown") })).toBe(1);
  expect(forward(exchange)).toMatchObject({ code: "key_unknown" });
  expect([exchange.outcome, exchange.isForwarded, handlers]).toEqual(["cut", false, []]);
});

test("a stop of the gateway reaches who is between two stages", () => {
  const { exchange, handlers } = arrived();
  const live = new LiveExchanges();
  live.add(exchange);
  live.cutAll(refuse("draining"));
  expect(forward(exchange)).toMatchObject({ code: "draining" });
  expect(handlers).toEqual([]);
});

test("nobody works for a client who has gone", () => {
  const { exchange, handlers } = arrived();
  exchange.leave();
  expect(forward(exchange)).toBe(answered);
  expect([exchange.outcome, handlers]).toEqual(["client_gone", []]);
});

test("what breaks in an answer comes back to the pipeline, once, and the upstream is cancelled", async () => {
  const { exchange, handlers } = arrived();
  const ended = forward(exchange) as Promise<unknown>;
  const aborted: unknown[] = [];
  const controller = {
    abort: (cause: unknown) => aborted.push(cause),
    pause() {},
    resume() {},
  } as unknown as Dispatcher.DispatchController;
  const [handler] = handlers;
  handler!.onRequestStart!(controller, {});
  handler!.onResponseStart!(controller, 200, { "content-type": "application/x-ndjson" }, "OK");
  handler!.onResponseData!(controller, Buffer.from('{"done":false}\n'));
  await expect(ended).rejects.toThrow("a write that breaks");
  expect([exchange.outcome, aborted.length]).toEqual(["broken", 1]);
});

test("a dispatch that throws is a fault and holds nothing", async () => {
  const { exchange } = arrived();
  (exchange.upstream as unknown as { pool: { dispatch: () => void } }).pool.dispatch = () => {
    throw new Error("no such header");
  };
  await expect(forward(exchange)).rejects.toThrow("no such header");
  expect(exchange.interruptible).toBeNull();
});
