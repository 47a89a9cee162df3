import { expect, test } from "vitest";
import { CLOCK_PATIENCE_MS, ClockAgreement } from "./clock-agreement.ts";

const DAY_MS = 86_400_000;
const START_MS = 1_760_000_000_000;

function world(lastRecordAt: number | null = START_MS) {
  let wall = START_MS;
  let monotonic = 0;
  const clock = { now: () => wall, monotonic: () => monotonic };
  return {
    agreement: new ClockAgreement(clock, lastRecordAt),
    pass: (ms: number): void => {
      wall += ms;
      monotonic += ms;
    },
    set: (ms: number): void => {
      wall += ms;
    },
  };
}

test("a clock that goes evenly is believed, however long", () => {
  const { agreement, pass } = world();
  for (let day = 0; day < 200; day++) {
    expect(agreement.isReached()).toBe(true);
    pass(DAY_MS);
  }
});

test.each([100 * DAY_MS, -100 * DAY_MS, 6 * 60_000])("a clock that is set by %d ms is doubted for an hour", (ms) => {
  const { agreement, pass, set } = world();
  set(ms);
  expect(agreement.isReached()).toBe(false);
  pass(CLOCK_PATIENCE_MS - 1);
  expect(agreement.isReached()).toBe(false);
  pass(1);
  expect(agreement.isReached()).toBe(true);
});

test("a clock that is set back right again is doubted anew, and small corrections never", () => {
  const { agreement, pass, set } = world();
  set(100 * DAY_MS);
  expect(agreement.isReached()).toBe(false);
  pass(CLOCK_PATIENCE_MS / 2);
  set(-100 * DAY_MS);
  pass(CLOCK_PATIENCE_MS / 2);
  expect(agreement.isReached()).toBe(false);
  pass(CLOCK_PATIENCE_MS);
  expect(agreement.isReached()).toBe(true);
  set(4 * 60_000);
  expect(agreement.isReached()).toBe(true);
});

test.each([
  [null, true],
  [START_MS, true],
  [START_MS - DAY_MS, true],
  [START_MS - 2 * DAY_MS, false],
  [START_MS + 10 * 60_000, false],
])("with the newest record of %s, a start believes the clock at once: %s", (lastRecordAt, isBelieved) => {
  expect(world(lastRecordAt).agreement.isReached()).toBe(isBelieved);
});
