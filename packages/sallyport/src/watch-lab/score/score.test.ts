import { expect, it } from "vitest";
import { score } from "./score.ts";

const HOUR = 3_600_000;
const label = (key: string, from: number, until: number) => ({
  key,
  kind: "stolen_key" as const,
  from,
  until,
  strength: 0.5,
});

it("counts a misuse once, however many alerts are about it, and an alert about nothing as false", () => {
  const labels = [label("A", 10 * HOUR, 12 * HOUR), label("B", 10 * HOUR, 12 * HOUR)];
  const alerts = [
    { key: "A", kind: "stolen_key", at: 10 * HOUR + 60_000 },
    { key: "A", kind: "flood", at: 11 * HOUR },
    { key: "A", kind: "flood", at: 13.5 * HOUR },
    { key: "C", kind: "flood", at: 11 * HOUR },
    { key: "B", kind: "flood", at: 9 * HOUR },
  ];
  expect(score(alerts, labels, { keys: 10, days: 30 })).toEqual({
    recall: 0.5,
    precision: 0.25,
    falseAlarms: 3,
    falseAlarmsPerKeyMonth: 0.3,
    medianDelaySeconds: 60,
    kinds: { stolen_key: { labelled: 2, found: 1, medianDelaySeconds: 60 } },
    foundByChance: expect.closeTo(0.0025, 3),
    falseKinds: { flood: 3 },
  });
});

it("an alert within the hour after the end is still about it", () => {
  const found = score([{ key: "A", kind: "x", at: 2.5 * HOUR }], [label("A", HOUR, 2 * HOUR)], { keys: 1, days: 30 });
  expect(found).toMatchObject({ recall: 1, precision: 1, falseAlarms: 0, medianDelaySeconds: 5_400 });
});

it("a ramp is found only by an alert that calls it one", () => {
  const ramp = [{ ...label("A", 0, 900 * HOUR), kind: "poisoned_ramp" as const }];
  const alerts = [{ key: "A", kind: "flood", at: 5 * HOUR }];
  expect(score(alerts, ramp, { keys: 1, days: 60 })).toMatchObject({ recall: 0, falseAlarms: 0 });
  expect(score([...alerts, { key: "A", kind: "ramp", at: 500 * HOUR }], ramp, { keys: 1, days: 60 }).recall).toBe(1);
});

it("nothing labelled and nothing told is no fault", () => {
  expect(score([], [], { keys: 1, days: 30 })).toMatchObject({ recall: 1, precision: 1, medianDelaySeconds: null });
});
