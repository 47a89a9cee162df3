import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { OrderedMap } from "./ordered-map.ts";

const key = fc.string({ maxLength: 3 });
const changes = fc.array(fc.tuple(key, fc.option(fc.integer(), { nil: undefined })), { maxLength: 60 });

/** What a plain map would hold, in the order of its keys. */
function plain(rounds: readonly (readonly (readonly [string, number | undefined])[])[]): [string, number][] {
  const map = new Map<string, number>();
  for (const [name, value] of rounds.flat()) {
    if (value === undefined) map.delete(name);
    else map.set(name, value);
  }
  return [...map].toSorted(([a], [b]) => (a < b ? -1 : 1));
}

describe("an ordered map", () => {
  it("holds what a plain map would hold after any changes, and each older one stays as it was", () => {
    fc.assert(
      fc.property(fc.array(changes, { maxLength: 12 }), (rounds) => {
        const seen: OrderedMap<number>[] = [OrderedMap.empty<number>()];
        for (const round of rounds) seen.push(seen.at(-1)!.with(round));
        seen.forEach((map, i) => {
          const expected = plain(rounds.slice(0, i));
          expect([...map]).toEqual(expected);
          expect(map.size).toBe(expected.length);
          for (const [name, value] of expected) expect([map.get(name), map.has(name)]).toEqual([value, true]);
        });
      }),
    );
  });

  it("finds what begins with a text, and what comes after a key", () => {
    fc.assert(
      fc.property(fc.array(changes, { minLength: 1, maxLength: 6 }), key, (rounds, text) => {
        const map = rounds.reduce((held, round) => held.with(round), OrderedMap.empty<number>());
        const all = plain(rounds);
        expect([...map.startingWith(text)]).toEqual(
          all.filter(([name]) => name.startsWith(text)).map(([, one]) => one),
        );
        expect([...map.after(text)]).toEqual(all.filter(([name]) => name > text));
      }),
    );
  });

  it("stays in order when it is filled and emptied by thousands", () => {
    const names = Array.from({ length: 5_000 }, (_, i) => `k${(i * 7_919) % 5_000}`);
    let map = OrderedMap.of(names.map((name) => [name, name]));
    expect([...map.keys()]).toEqual(names.toSorted((a, b) => (a < b ? -1 : 1)));
    for (const name of names.slice(0, 4_990)) map = map.with([[name, undefined]]);
    expect([...map.keys()]).toEqual(names.slice(4_990).toSorted((a, b) => (a < b ? -1 : 1)));
    expect(map.get("none")).toBeUndefined();
  });
});
