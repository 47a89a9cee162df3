import { expect, test } from "vitest";
import { ReplicaHealth } from "./health.ts";

function replica(random = 0.5) {
  const state = { now: 0, random };
  return { state, health: new ReplicaHealth({ now: () => state.now, random: () => state.random }) };
}

test("what cannot be reached is out at once, and comes back with one call", () => {
  const { state, health } = replica();
  health.failed("unreachable");
  expect(health.fitness).toBe("out");
  state.now = 1_000;
  expect(health.fitness).toBe("trial");
  health.beginTrial();
  expect(health.fitness).toBe("out");
  health.answered(200);
  expect([health.fitness, health.isReachable]).toEqual(["up", true]);
});

test("a trial that is never decided is followed by another", () => {
  const { state, health } = replica();
  health.failed("silent");
  state.now = 1_000;
  health.beginTrial();
  state.now = 3_000;
  expect([health.fitness, health.isSilent]).toEqual(["trial", true]);
});

test("the time outside doubles up to half a minute, and differs between replicas", () => {
  const { state, health } = replica();
  const times: number[] = [];
  for (let n = 0; n < 8; n++) {
    if (n > 0) health.beginTrial();
    health.failed("unreachable");
    times.push(health.backAtMs - state.now);
    state.now = health.backAtMs;
  }
  expect(times).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]);
  const jittered = [0, 0.999].map((random) => {
    const { health: other } = replica(random);
    other.failed("unreachable");
    return other.backAtMs;
  });
  expect(jittered).toEqual([500, 1_499]);
});

test("that it was taken out and came back is told once each", () => {
  const told: boolean[] = [];
  const health = new ReplicaHealth({ now: () => 0, random: () => 0, onFit: (isFit) => void told.push(isFit) });
  health.answered(200);
  for (let n = 0; n < 3; n++) {
    health.failed("unreachable");
    health.beginTrial();
  }
  health.answered(200);
  expect(told).toEqual([false, true]);
});

test("requests that fail together count once", () => {
  const { health } = replica();
  for (let n = 0; n < 50; n++) health.failed(n % 2 === 0 ? "unreachable" : "broken");
  expect([health.backAtMs, health.isReachable]).toEqual([1_000, false]);
});

test("broken answers take it out after five in a row; a good one between them begins anew", () => {
  const { health } = replica();
  for (let n = 0; n < 4; n++) health.answered(500);
  health.answered(404);
  for (let n = 0; n < 4; n++) health.failed("broken");
  expect(health.fitness).toBe("up");
  health.answered(502);
  expect([health.fitness, health.isReachable]).toEqual(["out", true]);
});
