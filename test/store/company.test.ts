/** A line nobody waits for costs no commit of its own: it goes with the next that somebody does wait for. */
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { encodeEvent } from "@sallyport/ledger";
import { open, settled, START_MS } from "./store-fixture.ts";

// Its timer stands still, so that only company can take it along.
beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] }));
afterEach(() => void vi.useRealTimers());

const line = (request: string): string =>
  encodeEvent({ type: "request.outcome", at: START_MS, environment: "dev", actor: "key:k", fields: { request } });

it("waits for company, also when changes are committed meanwhile, and is on disk with it", async () => {
  const { store } = await open();
  const alone = store.append(line("alone"), false)!;
  const event = { type: "key.notice", at: START_MS, environment: "dev", actor: "gateway", fields: {} } as const;
  // The second is asked for when whatever was sent before the first has been committed.
  for (let i = 0; i < 3; i++) await store.change({ operations: [], events: [event] });
  expect(store.isDurable(alone)).toBe(false);
  const company = store.append(line("company"))!;
  expect(await settled(store, company)).toBe(true);
  expect(store.isDurable(alone)).toBe(true);
  await store.close();
});

it("is not lost when the store is closed before", async () => {
  const { store } = await open();
  const alone = store.append(line("alone"), false)!;
  await store.close();
  expect(store.isDurable(alone)).toBe(true);
});
