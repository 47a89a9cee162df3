/** The guard gives back what the key has without its boundary, once, and nothing to a key that someone may have stolen. */
import { beforeEach, describe, expect, it } from "vitest";
import { keyOf } from "../../../../test/builders.ts";
import type { Rightsizing } from "../access/rightsizing/rightsizing.ts";
import { Rightsizings } from "../access/rightsizing/rightsizings.ts";
import type { Change } from "../changes/change.ts";
import type { KeyRecord } from "../keys/key.ts";
import { BoundaryGuard } from "./boundary-guard.ts";
import type { EndedRequest } from "./boundary-guard.ts";

const HOUR_MS = 3_600_000;
let nowMs = 0;
let key: KeyRecord;
let isRestricted: boolean;
let changes: Change[];
let failures: number;
let rightsizings: Rightsizings;
let guard: BoundaryGuard;
let before: () => void;

function sizing(part: Partial<Rightsizing> = {}): Rightsizing {
  const begun = {
    boundary: [{ permissions: ["infer:chat" as const], models: null }],
    by: "x",
    at: 0,
    until: 100 * HOUR_MS,
  };
  const counted = { compared: 0, differences: 0, examples: [], end: null };
  return { environment: "dev", key: "k", state: "applied", ...begun, ...counted, ...part };
}

const record = (): Rightsizing => rightsizings.get("dev", "k")!;
const request = (part: Partial<EndedRequest> = {}): EndedRequest => ({
  environment: "dev",
  key: "k",
  at: nowMs,
  id: "r1",
  demands: [{ permission: "infer:embed", model: null }],
  isAdmitted: false,
  isDenied: true,
  asked: "infer:embed",
  isDeniedByBoundaryAlone: () => true,
  ...part,
});

function start(present: Rightsizing): void {
  rightsizings = new Rightsizings(() => [present]);
}

beforeEach(() => {
  [nowMs, isRestricted, changes, failures] = [0, false, [], 0];
  key = keyOf({ id: "k" });
  before = () => {};
  start(sizing());
  let last: Promise<unknown> = Promise.resolve();
  guard = new BoundaryGuard({
    now: () => nowMs,
    rightsizings: { openOf: (environment, id) => rightsizings.openOf(environment, id) },
    key: () => key,
    isRestricted: () => isRestricted,
    changes: {
      inTurn(work) {
        const mine = last.then(() => {
          before();
          return work();
        });
        last = mine.catch(() => undefined);
        return mine;
      },
      async change(change) {
        if (failures-- > 0) throw new Error("the disk is full");
        changes.push(change);
        for (const operation of change.operations)
          if (operation.op === "rightsizing.put")
            rightsizings.apply([{ of: "rightsizing", id: "dev/k", now: operation.rightsizing }]);
        return { epoch: changes.length, seq: 1 };
      },
    },
    fault: () => {},
  });
});

describe("a denial that is due to the boundary alone", () => {
  it("takes it back once, however many come at the same time", async () => {
    const open = record();
    for (let n = 0; n < 100; n++) guard.see(open, request());
    await guard.settled();
    expect(changes).toHaveLength(1);
    expect(changes[0]!.events[0]).toMatchObject({ type: "rightsizing.taken_back", actor: "gateway" });
    expect(record()).toMatchObject({ state: "ended", end: { why: "taken_back" } });
  });

  it("takes nothing back when the guard is over", async () => {
    nowMs = 100 * HOUR_MS;
    guard.see(record(), request());
    await guard.settled();
    expect(changes).toEqual([]);
  });

  it.each<[string, () => void]>([
    ["policy denies it by then", () => (stillAllowed = false)],
    ["the key is suspended by then", () => (key = { ...key, state: "suspended" })],
    ["a replaced secret of the key was used", () => (key = { ...key, frozenAt: 1 })],
    ["anomaly detection restricts the key", () => (isRestricted = true)],
    ["another boundary was applied meanwhile", () => start(sizing({ at: 1 }))],
    ["it was stopped meanwhile", () => start(sizing({ state: "ended" }))],
  ])("takes nothing back when %s", async (_what, change) => {
    stillAllowed = true;
    let asked = 0;
    // The first answer is of the request, the second of the turn in which the change is made.
    const isDeniedByBoundaryAlone = (): boolean => asked++ === 0 || stillAllowed;
    before = change;
    guard.see(record(), request({ isDeniedByBoundaryAlone }));
    await guard.settled();
    expect(changes).toEqual([]);
  });

  it("that cannot be written is tried again with the next one", async () => {
    failures = 1;
    guard.see(record(), request());
    await guard.settled();
    expect(record().state).toBe("applied");
    guard.see(record(), request());
    await guard.settled();
    expect(record().state).toBe("ended");
  });

  it("is none where the scope would have denied it, too", async () => {
    guard.see(record(), request({ isDeniedByBoundaryAlone: () => false }));
    await guard.settled();
    expect(changes).toEqual([]);
  });
});

let stillAllowed = true;

describe("a shadow", () => {
  const admitted = { isAdmitted: true, isDenied: false };
  const chat = { ...admitted, demands: [{ permission: "infer:chat" as const, model: null }] };
  beforeEach(() => start(sizing({ state: "shadow" })));

  it("writes its first difference at once, and the others once an hour", async () => {
    for (let n = 0; n < 1_000; n++) guard.see(record(), request(admitted));
    await guard.settled();
    expect(changes).toHaveLength(1);
    for (let n = 0; n < 1_000; n++) guard.see(record(), request(n % 2 ? admitted : chat));
    guard.writeDue();
    await guard.settled();
    expect(changes).toHaveLength(1);
    nowMs += HOUR_MS;
    guard.writeDue();
    await guard.settled();
    expect(changes).toHaveLength(2);
    expect(record()).toMatchObject({ compared: 2_000, differences: 1_500 });
    expect(record().examples).toHaveLength(10);
  });

  it("compares nothing when it is over, and nothing that was denied", async () => {
    guard.see(record(), request({ isAdmitted: false }));
    nowMs = 100 * HOUR_MS;
    guard.see(record(), request(admitted));
    guard.writeDue(true);
    await guard.settled();
    expect(changes).toEqual([]);
  });

  it("writes what it has counted when the gateway closes", async () => {
    guard.see(record(), request(chat));
    guard.writeDue(true);
    await guard.settled();
    expect(record()).toMatchObject({ compared: 1, differences: 0 });
  });
});
