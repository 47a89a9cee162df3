import { beforeEach, describe, expect, it } from "vitest";
import { GuessDelay } from "./guess-delay.ts";

let now: number;
let delay: GuessDelay;
beforeEach(() => {
  now = 1_700_000_000_000;
  delay = new GuessDelay({ now: () => now });
});

/** Tries as soon as it is heard; answers the waits. */
function guess(times: number, name: (i: number) => string, network: (i: number) => string): number[] {
  return Array.from({ length: times }, (_, i) => {
    const waitMs = delay.begin(name(i), network(i));
    now += waitMs;
    if (waitMs > 0) expect(delay.begin(name(i), network(i))).toBe(0);
    return waitMs;
  });
}

describe("guessing", () => {
  it("at one name from everywhere waits ever longer, up to half a minute", () => {
    const waits = guess(
      12,
      () => "ada",
      (i) => `192.0.${i}.0/24`,
    );
    expect(waits).toEqual([0, 0, 0, 1, 2, 4, 8, 16, 30, 30, 30, 30].map((seconds) => seconds * 1_000));
  });

  it("at many names from one network waits ever longer, up to a quarter of an hour", () => {
    const waits = guess(
      24,
      (i) => `name ${i}`,
      () => "192.0.2.0/24",
    );
    expect(waits.slice(0, 12)).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1_000, 2_000]);
    expect(waits.at(-1)).toBe(900_000);
  });

  it("knocking while it waits makes nothing longer", () => {
    guess(
      5,
      () => "ada",
      () => "n",
    );
    const waitMs = delay.begin("ada", "n");
    for (let i = 0; i < 100; i++) delay.begin("ada", "n");
    expect(delay.begin("ada", "n")).toBe(waitMs);
  });

  it("by strangers keeps nobody out who comes from where he got in before", () => {
    expect(delay.begin("ada", "home")).toBe(0);
    expect(delay.succeeded("ada", "home")).toBe(0);
    guess(
      9,
      () => "ada",
      (i) => `far ${i}`,
    );
    expect(delay.begin("ada", "elsewhere")).toBeGreaterThan(0);
    expect(delay.begin("ada", "home")).toBe(0);
  });

  it("is told to who succeeds, forgotten by it for his name, and not for his network", () => {
    guess(
      9,
      (i) => `name ${i}`,
      () => "n",
    );
    expect(delay.begin("mine", "n")).toBe(0);
    expect(delay.begin("mine", "n")).toBeGreaterThan(0);
    now += 1_000;
    expect(delay.begin("mine", "n")).toBe(0);
    expect(delay.succeeded("mine", "n")).toBe(1);
    guess(
      1,
      () => "name",
      () => "n",
    );
    expect(delay.begin("another", "n")).toBeGreaterThan(0);
  });

  it("is forgotten after a day", () => {
    guess(
      9,
      () => "ada",
      () => "n",
    );
    now += 24 * 3_600_000;
    expect(
      guess(
        3,
        () => "ada",
        () => "n",
      ),
    ).toEqual([0, 0, 0]);
  });

  it("by strangers who take every turn keeps nobody out of a new network for longer than half a minute", () => {
    for (let second = 0; second < 7_200; second++) {
      for (let i = 0; i < 20; i++) delay.begin("ada", `far ${i}`);
      now += 1_000;
    }
    const waitMs = delay.begin("ada", "new");
    expect(waitMs).toBeLessThanOrEqual(30_000);
    for (let ms = 0; ms < waitMs; ms += 500) {
      for (let i = 0; i < 20; i++) delay.begin("ada", `far ${i}`);
      now += 500;
    }
    expect(delay.begin("ada", "new")).toBe(0);
  });

  it("one network that guesses at many names does not make another begin its wait again", () => {
    guess(
      9,
      () => "ada",
      (i) => `far ${i}`,
    );
    expect(delay.begin("ada", "new")).toBeGreaterThan(0);
    for (let i = 0; i < 20_000; i++) delay.begin(`name ${i}`, "loud");
    now += 30_000;
    expect(delay.begin("ada", "new")).toBe(0);
  });
});
