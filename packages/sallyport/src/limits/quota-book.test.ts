import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { windowAt } from "./calendar.ts";
import { Lease } from "./lease.ts";
import { QuotaBook } from "./quota-book.ts";
import { seededRandom } from "../watch-lab/simulate/draw.ts";
import type { QuotaBound, QuotaName } from "./quota.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

function bookAt(state: { now: number }) {
  const usedUp: string[] = [];
  return { usedUp, book: new QuotaBook({ now: () => state.now, onUsedUp: ({ account }) => usedUp.push(account) }) };
}

function bound(account: string, amount: number, more: Partial<QuotaBound> = {}): QuotaBound {
  return { environment: "dev", account, name: "tokens", amount, windowMs: DAY_MS, zone: "UTC", isSoft: false, ...more };
}

function leased(found: Lease | object): Lease {
  if (!(found instanceof Lease)) throw new Error(`a shortage: ${JSON.stringify(found)}`);
  return found;
}

describe("a window", () => {
  it.each([
    ["a minute", 60_000, "UTC", "2026-03-29T10:15:30Z", "2026-03-29T10:15:00Z", "2026-03-29T10:16:00Z"],
    ["a day", DAY_MS, "UTC", "2026-03-29T10:15:30Z", "2026-03-29T00:00:00Z", "2026-03-30T00:00:00Z"],
    ["the day on which clocks go forward, of 23 hours", DAY_MS, "Europe/Berlin", "2026-03-29T10:15:30Z", "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z"],
    ["the day on which clocks go back, of 25 hours", DAY_MS, "America/New_York", "2026-11-01T10:15:30Z", "2026-11-01T04:00:00Z", "2026-11-02T05:00:00Z"],
    ["a week from Monday", 7 * DAY_MS, "UTC", "2026-03-29T10:15:30Z", "2026-03-23T00:00:00Z", "2026-03-30T00:00:00Z"],
    ["a month of the zone", 30 * DAY_MS, "Asia/Tokyo", "2026-01-31T16:00:00Z", "2026-01-31T15:00:00Z", "2026-02-28T15:00:00Z"],
  ])("%s", (_, lengthMs, zone, at, start, end) => {
    const found = windowAt(Date.parse(at), lengthMs, zone);
    expect([new Date(found.startMs).toISOString(), new Date(found.endMs).toISOString()]).toEqual([
      new Date(start).toISOString(),
      new Date(end).toISOString(),
    ]);
  }); // prettier-ignore
});

const amounts = { tokens: 200, requests: 12, compute: 500 } as const;

describe("the quota book", () => {
  it("denies what is not left, and says until when", () => {
    const state = { now: Date.parse("2026-05-01T22:00:00Z") };
    const { book, usedUp } = bookAt(state);
    const bounds = [bound("user ada", 100), bound("team a", 150)];
    leased(book.reserve("r", bounds, { tokens: 80 })).settle({ tokens: 60 });
    expect(book.room(bounds, "tokens")).toBe(40);
    expect(book.reserve("r", bounds, { tokens: 41 })).toEqual({ bound: bounds[0], retryAfterMs: 2 * HOUR_MS });
    expect(usedUp).toEqual(["user ada"]);
    state.now += 2 * HOUR_MS;
    expect(book.room(bounds, "tokens")).toBe(100);
  });

  it("gives nothing twice when the clock goes back, and nothing away when it goes forth", () => {
    const state = { now: Date.parse("2026-05-02T00:30:00Z") };
    const { book } = bookAt(state);
    const day = bound("user ada", 100);
    leased(book.reserve("r", [day], { tokens: 100 })).settle({ tokens: 100 });
    state.now -= HOUR_MS;
    expect(book.room([day], "tokens")).toBe(0);
    state.now += DAY_MS;
    expect(book.room([day], "tokens")).toBe(0);
    state.now += HOUR_MS;
    expect(book.room([day], "tokens")).toBe(100);
  });

  it("lets soft budgets pass, and tells once a window that they are used up", () => {
    const state = { now: 0 };
    const { book, usedUp } = bookAt(state);
    const soft = bound("user ada", 10, { isSoft: true });
    for (let i = 0; i < 5; i++) leased(book.reserve("r", [soft], { tokens: 8 })).settle({ tokens: 8 });
    expect(usedUp).toEqual(["user ada"]);
  });

  it("is as it was after a restart", () => {
    const state = { now: 5 };
    const { book } = bookAt(state);
    leased(book.reserve("r", [bound("a", 10)], { tokens: 4 })).settle({ tokens: 4 });
    const { book: next } = bookAt(state);
    next.restore(book.uses());
    expect(next.room([bound("a", 10)], "tokens")).toBe(6);
  });

  it("never lets through more than a budget, and holds nothing at the end, in 100,000 random steps", () => {
    const names: readonly (QuotaName & keyof typeof amounts)[] = ["tokens", "requests", "compute"];
    const kinds = ["reserve", "reserve", "extend", "finish", "abort", "disconnect", "cut", "crash", "twice", "clock"];
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2 ** 31 - 1 }), (seed) => {
        const random = seededRandom(seed);
        const below = (n: number): number => Math.floor(random() * n);
        const state = { now: 10 * DAY_MS };
        const { book } = bookAt(state);
        const boundsOf = (who: number): QuotaBound[] =>
          names.flatMap((name) => [
            bound(`user ${who}`, amounts[name], { name, windowMs: HOUR_MS }),
            bound("all", 2 * amounts[name], { name, windowMs: HOUR_MS }),
          ]);
        const open: Lease[] = [];
        for (let i = 0; i < 10_000; i++) {
          const kind = kinds[below(kinds.length)]!;
          const running = open.length > 0 ? below(open.length) : -1;
          if (kind === "clock") state.now += (below(4) - 1.5) * HOUR_MS;
          else if (kind === "reserve") {
            const found = book.reserve("r", boundsOf(below(4)), { tokens: below(60), requests: 1, compute: below(60) });
            if (found instanceof Lease) open.push(found);
          } else if (running >= 0 && kind === "extend") open[running]!.holdAtLeast({ tokens: below(90) });
          else if (running >= 0) {
            const [lease] = open.splice(running, 1);
            const part = kind === "finish" || kind === "twice" ? 1 : random();
            const spent = {
              tokens: Math.floor(lease!.held("tokens") * part),
              requests: 1,
              compute: Math.floor(lease!.held("compute") * part),
            };
            if (kind === "crash") lease!.settleAsHeld();
            else lease!.settle(spent);
            if (kind === "twice") lease!.settle(spent);
          }
          for (const { account, budget, used } of book.uses()) {
            const limit = amounts[budget as keyof typeof amounts];
            if (used > (account === "all" ? 2 * limit : limit))
              throw new Error(`${account}: ${used} of ${budget} were used`);
          }
        }
        for (const lease of open) lease.settle({});
        // Nothing is held: all of the next window is there.
        state.now += 50 * DAY_MS;
        for (const name of names) expect(book.room(boundsOf(0), name)).toBe(amounts[name]);
        expect(book.open).toBe(0);
      }),
      { numRuns: 10 },
    );
  });

  it("holds of several budgets, or of each as much as before", () => {
    const { book } = bookAt({ now: 0 });
    const bounds = [bound("a", 100, { name: "outputTokens" }), bound("a", 60)];
    const lease = leased(book.reserve("r", bounds, { outputTokens: 10, tokens: 20 }));
    expect(lease.holdAtLeast({ outputTokens: 50, tokens: 61 })).toBe(false);
    expect([book.room(bounds, "outputTokens"), book.room(bounds, "tokens")]).toEqual([90, 40]);
    expect(lease.holdAtLeast({ outputTokens: 50, tokens: 60 })).toBe(true);
    expect([book.room(bounds, "outputTokens"), book.room(bounds, "tokens")]).toEqual([50, 0]);
  });

  it("draws from the budgets as they are after a change of policy", () => {
    const { book } = bookAt({ now: 0 });
    const [tokens, requests] = [bound("a", 100), bound("a", 5, { name: "requests" })];
    const lease = leased(book.reserve("r", [tokens, requests], { tokens: 30, requests: 1 }));
    const [narrower, ofTeam] = [bound("a", 40), bound("team", 50)];
    expect(lease.rebind([narrower, ofTeam])).toEqual([narrower, ofTeam]);
    expect([book.isOver(narrower), book.isOver(ofTeam)]).toEqual([false, false]);
    // A running request does not pass the narrower one, and what it holds counts in the new one.
    expect([lease.holdAtLeast({ tokens: 41 }), lease.holdAtLeast({ tokens: 40 })]).toEqual([false, true]);
    expect(book.room([ofTeam], "tokens")).toBe(10);
    // The budget that is no more bounds nothing, and is free again at the end.
    expect(lease.holdAtLeast({ requests: 100 })).toBe(true);
    expect(lease.rebind([bound("a", 30), ofTeam]).map((one) => book.isOver(one))).toEqual([true]);
    expect(lease.rebind([bound("a", 80), ofTeam])).toEqual([]);
    lease.settle({ tokens: 7, requests: 1 });
    expect([tokens, ofTeam, requests].map((one) => book.room([one], one.name))).toEqual([93, 43, 4]);
  });

  it("ends nothing by a change that narrows nothing, although an estimate was too small", () => {
    const { book } = bookAt({ now: 0 });
    const day = bound("a", 100);
    const running = leased(book.reserve("r", [day], { tokens: 60 }));
    leased(book.reserve("r", [day], { tokens: 40 })).settle({ tokens: 90 });
    expect([book.isOver(day), running.rebind([{ ...day }])]).toEqual([true, []]);
  });

  it("settles what nobody touched any more", () => {
    const { book } = bookAt({ now: 0 });
    const lease = leased(book.reserve("r", [bound("a", 10)], { tokens: 7 }));
    lease.touchedMs = 1_000;
    expect([book.sweep(2_000, 5_000), book.sweep(6_001, 5_000), book.open]).toEqual([0, 1, 0]);
    expect(book.room([bound("a", 10)], "tokens")).toBe(3);
  });
});
