import { createHash } from "node:crypto";
import { beforeAll, describe, expect, it } from "vitest";
import { parseObservation } from "../../anomaly/observation.ts";
import { ATTACKS } from "./attacks.ts";
import { ATTACKS_EACH, populate } from "./population.ts";
import { simulate } from "./simulate.ts";
import type { Simulated } from "./simulate.ts";

function run(
  seed: number,
  days?: number,
): {
  readonly simulated: Simulated;
  readonly hash: string;
  readonly counts: ReadonlyMap<string, number>;
  readonly isOrdered: boolean;
} {
  const hash = createHash("sha256");
  const counts = new Map<string, number>();
  let isOrdered = true;
  let last = 0;
  const simulated = simulate(
    seed,
    (lines) => {
      for (const line of lines) {
        hash.update(line).update("\n");
        const observation = parseObservation(line)!;
        if (observation.at < last) isOrdered = false;
        last = observation.at;
        counts.set(observation.key, (counts.get(observation.key) ?? 0) + 1);
      }
    },
    days,
  );
  return { simulated, hash: hash.digest("hex"), counts, isOrdered };
}

describe("simulate", () => {
  let first: ReturnType<typeof run>;
  beforeAll(() => void (first = run(11)));

  it("gives the same bytes and labels for the same seed, others for another", () => {
    const some = run(11, 10);
    const again = run(11, 10);
    expect([again.hash, again.simulated]).toEqual([some.hash, some.simulated]);
    expect(run(12, 10).hash).not.toBe(some.hash);
  });

  it("holds every kind of misuse, in order of time, and a sane number of events", () => {
    const { labels, manifest } = first.simulated;
    for (const kind of ATTACKS)
      expect([kind, labels.filter((label) => label.kind === kind).length]).toEqual([kind, ATTACKS_EACH]);
    expect(first.isOrdered).toBe(true);
    expect(manifest).toMatchObject({ seed: 11, keys: 200, days: 60 });
    expect(manifest.events).toBeGreaterThan(300_000);
    expect(manifest.events).toBeLessThan(2_000_000);
  });

  it("gives each misuse a key of its own that is used besides", () => {
    const { labels } = first.simulated;
    const data = labels.filter(({ kind }) => kind !== "mint_after_revoke");
    expect(new Set(data.map(({ key }) => key)).size).toBe(data.length);
    for (const { key, from, until } of data) {
      expect(from).toBeLessThanOrEqual(until);
      expect(first.counts.get(key)).toBeGreaterThan(20);
    }
    expect(populate(11)).toHaveLength(200);
  });
});
