/** A clock that is wrong for a moment ends nothing: what is erased by age waits until the clock has gone evenly for a while. */
import { expect, it } from "vitest";
import { CLOCK_PATIENCE_MS, openDatabase } from "../program-under-test.ts";
import { DAY_MS, line, makeDirectory, open, settled, StandingClock } from "./store-fixture.ts";

const ledger = {
  retentionDays: 3_650,
  retentionBytes: 1e12,
  reserveBytes: 65_536,
  requestDays: 3_650,
  personalDays: 90,
  securityPersonalDays: 90,
};

function addresses(directory: string): number {
  const database = openDatabase(`${directory}/sallyport.db`, { isReadOnly: true });
  const rows = database.prepare("SELECT line FROM ledger").all();
  database.close();
  return rows.filter((row) => String(row["line"]).includes("198.51.100.7")).length;
}

it("addresses survive a start whose clock is a hundred days ahead, and go when it has gone evenly for an hour", async () => {
  const directory = makeDirectory();
  const first = await open({ directory, ledger, clockPatienceMs: CLOCK_PATIENCE_MS });
  expect(await settled(first.store, first.store.append(line(1, { address: "198.51.100.7" })))).toBe(true);
  await first.store.close();
  expect(addresses(directory)).toBe(1);

  const clock = new StandingClock();
  clock.ms = 100 * DAY_MS;
  const ahead = await open({ directory, ledger, clock, clockPatienceMs: CLOCK_PATIENCE_MS });
  expect(await settled(ahead.store, ahead.store.append(line(2)))).toBe(true);
  await ahead.store.close();
  expect(addresses(directory)).toBe(1);

  // The newest record is of the wrong time now: a clock that is right again is doubted as well.
  const right = await open({ directory, ledger, clockPatienceMs: CLOCK_PATIENCE_MS });
  expect(await settled(right.store, right.store.append(line(3)))).toBe(true);
  await right.store.close();
  expect(addresses(directory)).toBe(1);

  const old = new StandingClock();
  old.ms = 100 * DAY_MS;
  const agreed = await open({ directory, ledger, clock: old, clockPatienceMs: 0 });
  expect(await settled(agreed.store, agreed.store.append(line(4)))).toBe(true);
  await agreed.store.close();
  expect(addresses(directory)).toBe(0);
});
