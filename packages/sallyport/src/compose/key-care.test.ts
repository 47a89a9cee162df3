import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { pino } from "pino";
import type { Core } from "./core.ts";
import { careForKeys } from "./key-care.ts";

const MINUTE = 60_000;
beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function setUp() {
  const did: string[] = [];
  const sweeps: { resolve: () => void; reject: (cause: Error) => void }[] = [];
  const parts = {
    uses: { flush: () => did.push("flush") },
    tickets: { tidy: () => Promise.resolve(did.push("tidy")) },
    lifecycle: {
      sweep: ({ isDryRun }: { isDryRun: boolean }) => {
        did.push(isDryRun ? "look" : "sweep");
        return new Promise((resolve, reject) => sweeps.push({ resolve: () => resolve([]), reject }));
      },
    },
    keys: { foresee: () => {} },
    store: { reader: { keys: () => [] } },
  } as unknown as Core;
  const end = careForKeys(parts, pino({ level: "silent" }));
  return { end, sweeps, count: (what: string) => did.filter((one) => one === what).length };
}

it("writes uses down every few seconds, sweeps ten minutes after the start and each hour, one at a time, until it ends", async () => {
  const { end, sweeps, count } = setUp();
  await vi.advanceTimersByTimeAsync(10 * MINUTE - 1);
  expect([count("flush") >= 119, count("tidy"), count("sweep")]).toEqual([true, 9, 0]);
  await vi.advanceTimersByTimeAsync(1);
  expect(count("sweep")).toBe(1);
  // It takes longer than an hour: no other is begun beside it.
  await vi.advanceTimersByTimeAsync(60 * MINUTE);
  expect(count("sweep")).toBe(1);
  sweeps[0]!.resolve();
  await vi.advanceTimersByTimeAsync(60 * MINUTE);
  expect(count("sweep")).toBe(2);
  // One that stops half way is begun again the next time.
  sweeps[1]!.reject(new Error("the disk is full"));
  await vi.advanceTimersByTimeAsync(60 * MINUTE);
  expect([count("sweep"), count("look")]).toEqual([3, 0]);
  sweeps[2]!.resolve();
  end();
  await vi.advanceTimersByTimeAsync(600 * MINUTE);
  expect(count("sweep")).toBe(3);
});
