/** What one reader is sent: what its right covers at that moment, bounded, and never a gap that is not said. */
import type { LiveRequest } from "@sallyport/contract";
import { beforeEach, expect, test } from "vitest";
import type { AdminRight } from "../../access/policy.ts";
import { changedBy } from "./changed-kinds.ts";
import { EventReader, REQUESTS_PER_TURN } from "./event-reader.ts";
import { LiveEvents } from "./live-events.ts";

let nowMs: number;
let events: LiveEvents;
let right: AdminRight;
let record: number;
let isBusy: boolean;

beforeEach(() => {
  [nowMs, record, isBusy] = [1e6, 7, false];
  events = new LiveEvents({ monotonic: () => nowMs });
  right = { permissions: ["status:read", "keys:read"], environments: ["dev"], mayGrant: null };
});

function reader(lastId?: string): EventReader {
  const ports = { events, right: () => right, newestRecord: () => record, isBusy: () => isBusy, nowMs: () => nowMs };
  return new EventReader(ports, lastId);
}

function request(n: number, environment = "dev"): LiveRequest {
  const counts = { totalMs: 1, queuedMs: 0, inputTokens: 1, outputTokens: 1 };
  const what = { endpoint: "chat", model: "llama3.2", outcome: "served", code: null, ...counts };
  return { id: `r${n}`, at: "2026-01-01T00:00:00.000Z", environment, key: "k", keyName: "n", principal: null, ...what };
}

interface Sent {
  readonly id: string;
  readonly event: string;
  readonly says: {
    readonly requests?: readonly LiveRequest[];
    readonly left?: number;
    readonly kinds?: readonly string[];
  };
}

function sent(from: EventReader): Sent[] {
  return (from.next()?.text ?? "")
    .split("\n\n")
    .filter((text) => text !== "")
    .map((text) => {
      const fields = Object.fromEntries(text.split("\n").map((line) => line.split(/: (.*)/s).slice(0, 2)));
      return { id: fields["id"], event: fields["event"], says: JSON.parse(fields["data"]) } as Sent;
    });
}
const of = (event: string, all: readonly Sent[]): Sent["says"] | undefined => all.find((one) => one.event === event)?.says; // prettier-ignore

test("requests and changes of its environments alone, and changes of kinds it may read", () => {
  events.enter();
  const mine = reader();
  events.noteRequest(request(1));
  events.noteRequest(request(2, "prod"));
  events.noteChange("keys", "dev");
  events.noteChange("keys", "prod");
  events.noteChange("reviews", "dev");
  events.noteChange("people", null);
  const got = sent(mine);
  expect(of("requests", got)!.requests!.map(({ id }) => id)).toEqual(["r1"]);
  expect(of("changed", got)!.kinds).toEqual(["keys", "activity"]);
  events.noteChange("keys", "prod");
  expect(sent(mine)).toEqual([]);
  right = { ...right, environments: "*", permissions: ["principals:read"] };
  events.noteRequest(request(3));
  events.noteChange("people", null);
  expect(sent(mine).map(({ event, says }) => [event, says.kinds])).toEqual([["changed", ["people"]]]);
});

test("more requests than are sent are counted, and the newest are sent", () => {
  events.enter();
  const mine = reader();
  for (let n = 1; n <= REQUESTS_PER_TURN + 40; n++) events.noteRequest(request(n, n % 4 === 0 ? "prod" : "dev"));
  for (let n = 1_000; n < 1_000 + REQUESTS_PER_TURN; n++) events.noteRequest(request(n));
  const { requests, left } = of("requests", sent(mine))!;
  expect([requests!.length, requests![0]!.id, left]).toEqual([REQUESTS_PER_TURN, "r1000", 165 - Math.floor(165 / 4)]);
});

test("it goes on after the last id; what is not in memory is said", () => {
  events.enter();
  const mine = reader();
  events.noteRequest(request(1));
  const [first] = sent(mine);
  events.noteRequest(request(2));
  expect(of("requests", sent(reader(first!.id)))!.requests!.map(({ id }) => id)).toEqual(["r2"]);
  expect(sent(reader(`${events.run}-999`)).map(({ event }) => event)).toEqual(["reset"]);
  expect(sent(reader("00000000-1")).map(({ event }) => event)).toEqual(["reset"]);
  for (let n = 0; n < 5_000; n++) events.noteRequest(request(n));
  const late = reader(first!.id);
  expect(sent(late).map(({ event }) => event)).toContain("reset");
  events.noteRequest(request(9_999));
  expect(sent(late).map(({ event }) => event)).not.toContain("reset");
  // One who takes a turn too late learns it, too.
  for (let n = 0; n < 5_000; n++) events.noteRequest(request(n));
  expect(sent(mine).map(({ event }) => event)).toContain("reset");
});

test("nothing is kept while no one reads, and one who comes back then is told", () => {
  events.noteRequest(request(1));
  expect(events.newest).toBe(0);
  const leave = events.enter();
  events.noteRequest(request(2));
  const id = `${events.run}-${events.newest}`;
  leave();
  nowMs += 59_000;
  events.noteRequest(request(3));
  const back = events.enter();
  expect(of("requests", sent(reader(id)))!.requests!.map((one) => one.id)).toEqual(["r3"]);
  back();
  nowMs += 61_000;
  expect(events.isHeard).toBe(false);
  events.noteRequest(request(4));
  events.enter();
  expect(sent(reader(id)).map(({ event }) => event)).toEqual(["reset"]);
});

test("what runs and the audit log are said at most once a second, and once more at the end", () => {
  right = { ...right, permissions: ["status:read", "audit:read"] };
  events.enter();
  const mine = reader();
  expect(sent(mine)).toEqual([]);
  isBusy = true;
  record = 8;
  expect(of("changed", sent(mine))!.kinds).toEqual(["activity", "audit"]);
  record = 9;
  expect(sent(mine)).toEqual([]);
  nowMs += 1_000;
  isBusy = false;
  expect(of("changed", sent(mine))!.kinds).toEqual(["activity", "audit"]);
  nowMs += 1_000;
  expect(sent(mine)).toEqual([]);
});

test("what a committed change touches, each kind and environment once", () => {
  const key = { of: "key", environment: "dev", id: "a", now: undefined } as never;
  const event = { type: "incident.opened", at: 0, environment: "prod", actor: "x", fields: {} } as const;
  expect(changedBy({ images: [key, key, { of: "role", id: "r", now: null }], events: [event, event] })).toEqual([
    { kind: "keys", environment: "dev" },
    { kind: "policy", environment: null },
    { kind: "incidents", environment: "prod" },
  ]);
});
