import { expect, it } from "vitest";
import { weeklySlot, WeeklyNotice } from "./weekly.ts";

const HOUR = 3_600_000;
const MONDAY = Date.UTC(2026, 10, 30, 8);

it("is due on Monday at 08:00 UTC", () => {
  expect(new Date(weeklySlot(MONDAY)).toISOString()).toBe("2026-11-30T08:00:00.000Z");
  expect(weeklySlot(MONDAY - 1)).toBe(MONDAY - 168 * HOUR);
  expect(weeklySlot(MONDAY + 167 * HOUR)).toBe(MONDAY);
});

function notice(now: number, last?: number) {
  const state = { now, last, sent: [] as number[], fails: 0 };
  const weekly = new WeeklyNotice({
    now: () => state.now,
    lastSent: async () => state.last,
    async send() {
      if (state.fails-- > 0) throw new Error("full");
      state.sent.push(state.now);
      state.last = state.now;
    },
  });
  return { state, weekly };
}

it("is sent once a week, however often it is looked at, and late by less than a day", async () => {
  const { state, weekly } = notice(MONDAY - 1);
  for (let minute = 0; minute < 3 * 7 * 24 * 60; minute += 30) {
    state.now = MONDAY - 1 + minute * 60_000;
    await weekly.look();
  }
  expect(state.sent.map((at) => weeklySlot(at))).toEqual([MONDAY, MONDAY + 168 * HOUR, MONDAY + 336 * HOUR]);
  const late = notice(MONDAY + 23 * HOUR);
  expect(await late.weekly.look()).toBe(true);
  const missed = notice(MONDAY + 25 * HOUR);
  expect(await missed.weekly.look()).toBe(false);
});

it("is not sent again after a restart, nor when the clock goes back", async () => {
  const restarted = notice(MONDAY + HOUR, MONDAY + 60_000);
  expect(await restarted.weekly.look()).toBe(false);
  const { state, weekly } = notice(MONDAY + HOUR);
  expect(await weekly.look()).toBe(true);
  state.now = MONDAY - HOUR;
  expect(await weekly.look()).toBe(false);
  state.now = MONDAY + 2 * HOUR;
  expect(await weekly.look()).toBe(false);
});

it("is tried again where it could not be sent", async () => {
  const { state, weekly } = notice(MONDAY);
  state.fails = 1;
  await expect(weekly.look()).rejects.toThrow("full");
  expect(await weekly.look()).toBe(true);
});
