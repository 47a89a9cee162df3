import { hash } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { EnvironmentName } from "@sallyport/protocol";
import { EndedRuns, endedActOf, formatEnded, parseEnded, placeOf } from "./ended-record.ts";

const sha256 = (text: string): string => hash("sha256", text, "hex");
const leaf = "a".repeat(64);
const environment = "prod" as EnvironmentName;

describe("the line that is left", () => {
  it.each([
    { seq: 5, environment, prev: null, leaf, hash: null },
    { seq: 5, environment, prev: "b".repeat(64), leaf, hash: null },
    { seq: 5, environment, prev: null, leaf, hash: "c".repeat(64) },
    { seq: 5, environment, prev: "b".repeat(64), leaf, hash: "c".repeat(64) },
  ])("is read back: %o", (ended) => {
    expect(parseEnded(formatEnded(ended))).toEqual(ended);
    expect(placeOf(formatEnded(ended))).toEqual({ seq: 5, environment: "prod", isEnded: true });
  });

  it.each([
    `{"seq":05,"ended":"prod","leaf":"${leaf}"}`,
    `{"seq":0,"ended":"prod","leaf":"${leaf}"}`,
    `{"seq":5,"ended":"pr-od","leaf":"${leaf}"}`,
    `{"seq":5,"ended":"prod","leaf":"${leaf.toUpperCase()}"}`,
    `{"seq":5,"ended":"prod","leaf":"${leaf}","x":1}`,
    `{"seq":5,"ended":"prod","leaf":"${leaf}"} `,
    `{"seq":5, "ended":"prod","leaf":"${leaf}"}`,
  ])("is none: %s", (line) => {
    expect(parseEnded(line)).toBeUndefined();
  });
});

describe("which ended by what was recorded", () => {
  const runs = (...seqs: readonly number[]): EndedRuns => {
    const made = new EndedRuns();
    for (const seq of seqs) made.add(seq);
    return made;
  };
  const all = runs(2, 3, 5, 12, 13, 14);
  const [low, high] = [all.between(sha256, 1, 10), all.between(sha256, 11, 20)];

  it("counts and names those between two numbers", () => {
    expect([low.count, high.count]).toEqual([3, 3]);
    expect(low.digest).toBe(sha256("2-3,5-5"));
  });

  it("all are explained by acts that name exactly them, in any order and twice", () => {
    expect(all.unexplained(sha256, [low, high])).toBeUndefined();
    expect(all.unexplained(sha256, [high, low, high])).toBeUndefined();
    expect(runs().unexplained(sha256, [low])).toBeUndefined();
  });

  it.each([
    ["no act", [], 2],
    ["an act of others", [high], 2],
    ["one act alone", [low], 12],
    ["an act of one more", [{ ...low, count: 4 }, high], 2],
    ["an act of as many others", [{ ...low, digest: sha256("2-4") }, high], 2],
  ] as const)("%s leaves the first that is not", (_, acts, first) => {
    expect(all.unexplained(sha256, acts)).toBe(first);
  });

  it("reads an act from its record, and from no other", () => {
    const fields = { class: "request", first_seq: 1, last_seq: 10, count: 3, digest: low.digest };
    expect(endedActOf({ type: "ledger.ended", fields })).toEqual(low);
    expect(endedActOf({ type: "ledger.erased", fields })).toBeUndefined();
    expect(endedActOf({ type: "ledger.ended", fields: { ...fields, count: "3" } })).toBeUndefined();
    expect(endedActOf({ type: "ledger.ended", fields: { ...fields, digest: null } })).toBeUndefined();
  });
});
