/** The pure rules of reviews: hashes, order, independence, reminders, schedules, canary lines, reviewers' figures. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { canaryCommitment, canaryCount, canaryLine } from "./canary-lines.ts";
import { dependence } from "./independence.ts";
import type { ReviewerIdentity } from "./independence.ts";
import { bySubject, entryHashOf, PopulationHash } from "./population.ts";
import { dueReminder, isDue, periodStart, scheduleName } from "./review-dates.ts";
import { riskPosition, risksOf } from "./review-risk.ts";
import type { PopulationEntry, ReviewEvidence, ReviewLine, ReviewRisk } from "./review.ts";
import { DecisionTally } from "./rubber-stamp.ts";

const DAY_MS = 86_400_000;
const NOW = Date.UTC(2026, 10, 30);

const entry = (more: Partial<PopulationEntry> = {}): PopulationEntry => ({
  subject: "key:a",
  name: "a",
  owner: "p1",
  issuer: "os:root",
  state: "active",
  roles: [],
  allow: ["infer:chat"],
  models: ["llama3.2"],
  permissions: [],
  environments: [],
  conditions: [],
  ...more,
});

const evidence = (more: Partial<ReviewEvidence> = {}): ReviewEvidence => ({
  createdAt: NOW - DAY_MS,
  expiresAt: null,
  rotatedAt: null,
  lastUsedAt: NOW - 1,
  requests: 1,
  ownerState: "active",
  anomalies: 0,
  opens: ["infer:chat on llama3.2"],
  ...more,
});

describe("a population's hash", () => {
  const hashOf = (entries: readonly PopulationEntry[]): string => {
    const hash = new PopulationHash();
    for (const one of entries.toSorted(bySubject)) hash.add(one);
    return hash.digest();
  };

  it("is the same for the same entries, in whatever order they and their members come", () => {
    const [a, b] = [entry(), entry({ subject: "key:b" })];
    const turned = Object.fromEntries(Object.entries(a).toReversed()) as unknown as PopulationEntry;
    expect(hashOf([b, turned])).toBe(hashOf([a, b]));
  });

  it("differs with every member of an entry, and with an entry more or less", () => {
    const changes: Partial<PopulationEntry>[] = [{ subject: "key:x" }, { name: "x" }, { owner: null }, { issuer: null }, { state: "suspended" }, { roles: ["x"] }, { allow: [] }, { models: null }, { permissions: ["x"] }, { environments: ["*"] }, { conditions: ["10.0.0.0/8"] }]; // prettier-ignore
    expect(changes.map((change) => Object.keys(change)[0]).toSorted()).toEqual(Object.keys(entry()).toSorted());
    const hashes = [hashOf([]), hashOf([entry()]), ...changes.map((change) => hashOf([entry(change)]))];
    expect(new Set(hashes).size).toBe(hashes.length);
    expect(entryHashOf(entry())).toMatch(/^[0-9a-f]{64}$/);
  });
});

describe("risks", () => {
  it.each<[ReviewRisk[], Partial<PopulationEntry>, Partial<ReviewEvidence>, string[]]>([
    [[], {}, {}, ["infer:chat"]],
    [["privileged"], {}, {}, ["models:delete"]],
    [["privileged"], { subject: "admin_key:a", permissions: ["keys:read"] }, {}, []],
    [["unused"], {}, { lastUsedAt: NOW - 31 * DAY_MS }, []],
    [[], {}, { lastUsedAt: null }, []],
    [["unused"], {}, { lastUsedAt: null, createdAt: NOW - 8 * DAY_MS }, []],
    [[], { subject: "assignment:a", owner: "group:ops" }, { lastUsedAt: null, createdAt: null, requests: null }, []],
    [["wide"], {}, { opens: ["infer:chat on *"] }, []],
    [["wide"], {}, { opens: ["infer:chat on qwen3:*"] }, []],
    [["wide"], { environments: ["*"] }, {}, []],
    [["ownerless"], {}, { ownerState: "disabled" }, []],
    [[], { owner: null }, { ownerState: "none" }, []],
    [["never_rotated"], {}, { createdAt: NOW - 31 * DAY_MS }, []],
    [[], {}, { createdAt: NOW - 31 * DAY_MS, rotatedAt: NOW - 30 * DAY_MS }, []],
    [["anomalous"], {}, { anomalies: 1 }, []],
  ])("are %s", (expected, anEntry, anEvidence, opened) => {
    expect(risksOf(entry(anEntry), evidence(anEvidence), opened, NOW)).toEqual(expected);
  });

  it("put a graver one before any number of lesser ones", () => {
    const lesser: ReviewRisk[] = ["unused", "wide", "ownerless", "never_rotated", "anomalous"];
    expect(riskPosition(["privileged"], "z") < riskPosition(lesser, "a")).toBe(true);
    expect(riskPosition(["unused"], "z") < riskPosition(["wide", "anomalous"], "a")).toBe(true);
    expect(riskPosition(["wide"], "a") < riskPosition(["wide"], "b")).toBe(true);
  });
});

describe("independence", () => {
  const ada: ReviewerIdentity = { actor: "key:ada", principals: ["p_ada"], groups: ["ops"] };
  const identityOf = (actor: string): ReviewerIdentity =>
    actor === "key:adas other" ? { ...ada, actor } : { actor, principals: [], groups: [] };
  it.each<[boolean, Partial<PopulationEntry>]>([
    [true, { owner: "p_bob", issuer: "key:bob" }],
    [true, { owner: null, issuer: null }],
    [true, { owner: "group:dev" }],
    [false, { issuer: "key:ada" }],
    [false, { owner: "p_ada" }],
    [false, { owner: "group:ops" }],
    [false, { subject: "admin_key:ada" }],
    [false, { issuer: "key:adas other" }],
  ])("is %s of %o", (isFree, more) => {
    expect(dependence(ada, entry(more), identityOf) === undefined).toBe(isFree);
  });
});

describe("canary lines", () => {
  it("are one for fifty, look like a key that works and was never used, and are committed to", () => {
    expect([0, 49, 50, 99, 500].map(canaryCount)).toEqual([0, 0, 1, 1, 10]);
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 90 * DAY_MS }), fc.string(), fc.nat(), (lifetimeMs, name, seed) => {
        let n = seed;
        const below = (end: number): number => (n = (n * 48_271 + 11) % 2_147_483_647) % end;
        const made = canaryLine(entry({ name }), lifetimeMs, NOW, { below, newId: () => "0123456789ab" });
        const { createdAt, expiresAt, lastUsedAt } = made.evidence;
        expect([lastUsedAt, made.entry.owner, made.entry.issuer]).toEqual([null, "p1", "os:root"]);
        expect(createdAt! <= NOW && expiresAt! > NOW).toBe(true);
        expect(risksOf(made.entry, made.evidence, made.permissions, NOW)).toContain("wide");
      }),
    );
    expect(canaryCommitment("s", [2, 1])).toBe(canaryCommitment("s", [1, 2]));
    expect(canaryCommitment("s", [1])).not.toBe(canaryCommitment("t", [1]));
  });
});

describe("reminders", () => {
  const review = { startedAt: NOW, dueAt: NOW + 14 * DAY_MS, reminded: [] as readonly number[] };
  it.each([
    [6, [], undefined],
    [7, [], 7],
    [7, [7], undefined],
    [11, [7], 3],
    // A gateway that was off has one to give, and not three.
    [13.5, [], 1],
    [13.5, [7, 3, 1], undefined],
    [14, [], undefined],
  ])("on day %s after %j: %s", (day, reminded, days) => {
    expect(dueReminder({ ...review, reminded }, NOW + day * DAY_MS)?.days).toBe(days);
  });

  it("of a review of two days come one day before", () => {
    const short = { ...review, dueAt: NOW + 2 * DAY_MS };
    expect(dueReminder(short, NOW + 1)).toBeUndefined();
    expect(dueReminder(short, NOW + DAY_MS)?.days).toBe(1);
  });
});

describe("schedules", () => {
  it("begin with the month or the quarter", () => {
    expect(periodStart("monthly", NOW)).toBe(Date.UTC(2026, 10));
    expect(periodStart("quarterly", NOW)).toBe(Date.UTC(2026, 9));
  });

  it("are due once in it", () => {
    const schedule = { environment: "dev", every: "quarterly", scope: "all", dueMs: 1, reviewers: [] } as const;
    const started = (startedAt: number, state: "closed" | "abandoned" = "closed") => [
      { schedule: scheduleName(schedule), startedAt, state },
    ];
    expect(isDue(schedule, [], NOW)).toBe(true);
    expect(isDue(schedule, started(Date.UTC(2026, 9)), NOW)).toBe(false);
    expect(isDue(schedule, started(Date.UTC(2026, 9) - 1), NOW)).toBe(true);
    // Of a clock that was ahead.
    expect(isDue(schedule, started(NOW + 400 * DAY_MS), NOW)).toBe(false);
    expect(isDue(schedule, started(NOW, "abandoned"), NOW)).toBe(true);
  });
});

describe("a reviewer's figures", () => {
  const figuresOf = (count: number, kept: number, shownMs: (n: number) => number | null, canaries: number[] = []) => {
    const tally = new DecisionTally(canaries);
    for (let n = 1; n <= count; n++) {
      const decision = { decision: n <= kept ? "keep" : "revoke", by: "key:a", shownMs: shownMs(n) };
      tally.note({ line: n, decision } as unknown as ReviewLine);
    }
    return tally.figures()[0]!;
  };

  it.each<[string, ReturnType<typeof figuresOf>, RegExp | null]>([
    ["careful", figuresOf(40, 38, () => 9_000), null],
    ["quick", figuresOf(10, 5, () => 2_999), /^median decision under 3 s$/],
    ["just slow enough", figuresOf(10, 5, () => 3_000), null],
    ["unopened", figuresOf(10, 5, (n) => (n < 5 ? 9_000 : null)), /^evidence of 6 of 10 lines never opened$/],
    ["all kept", figuresOf(20, 20, () => 9_000), /^kept 20 of 20$/],
    ["few lines", figuresOf(19, 19, () => 9_000), null],
    ["95 %", figuresOf(20, 19, () => 9_000), null],
    ["a canary kept", figuresOf(3, 2, () => 9_000, [1, 3]), /^kept 1 canary line$/],
  ])("%s", (_what, figures, sign) => {
    if (sign === null) expect(figures.signs).toEqual([]);
    else expect(figures.signs.join()).toMatch(sign);
  });
});
