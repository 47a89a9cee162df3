import { expect, it } from "vitest";
import { encodeEvent } from "@sallyport/ledger";
import type { Change, Operation } from "../../changes/change.ts";
import type { LedgerEvent } from "../../audit/event.ts";
import { LongWork, ThreadLine } from "../../kernel/long-work.ts";
import { ChangeParts, needsParts, postParts } from "./change-parts.ts";
import type { ChangePart } from "./writer-messages.ts";

const operation = (n: number): Operation => ({ op: "assignment.remove", id: `a${n}` });
const event = (n: number): LedgerEvent => ({
  type: "assignment.removed", at: n, environment: "dev", actor: "x", fields: { name: `a${n}` },
}); // prettier-ignore

function change(operations: number, events: number): Change {
  const [first = event(0), ...rest] = Array.from({ length: events }, (_, n) => event(n));
  return { operations: Array.from({ length: operations }, (_, n) => operation(n)), events: [first, ...rest] };
}

async function sent(whole: Change, work?: LongWork) {
  const posted: ChangePart[] = [];
  const last = await postParts(7, whole, (part) => void posted.push(part), work);
  const parts = new ChangeParts();
  for (const part of posted) parts.add(part);
  return {
    posted,
    last,
    received: parts.whole({ ...last, version: 1, program: "test", expectEpoch: 3, isNarrowing: true, log: null }),
  };
}

it.each([
  [1, 1],
  [100, 100],
  [101, 1],
  [1, 101],
  [1_000, 1_001],
  [250, 900],
])("%i operations and %i events arrive whole and in order, in bounded parts", async (operations, events) => {
  const whole = change(operations, events);
  const { posted, last, received } = await sent(whole);
  expect(received).toEqual({
    id: 7,
    operations: whole.operations,
    events: whole.events.map(encodeEvent),
    version: 1,
    program: "test",
    expectEpoch: 3,
    isNarrowing: true,
    log: null,
  });
  for (const part of [...posted, last]) {
    expect(part.operations.length).toBeLessThanOrEqual(100);
    expect(part.events.length).toBeLessThanOrEqual(100);
  }
  expect(needsParts(whole)).toBe(posted.length > 0);
});

it("parts of two changes do not mix, and are held only until their change comes", async () => {
  const parts = new ChangeParts();
  const part = (id: number, n: number): ChangePart => ({ id, operations: [operation(n)], events: [`e${n}`] });
  for (const one of [part(1, 1), part(2, 2), part(1, 3)]) parts.add(one);
  const ids = (id: number): readonly Operation[] =>
    parts.whole({ ...part(id, 9), version: 1, program: "test", expectEpoch: null, isNarrowing: false, log: null })
      .operations;
  expect(ids(1)).toEqual([operation(1), operation(3), operation(9)]);
  expect(ids(1)).toEqual([operation(9)]);
  expect(ids(2)).toEqual([operation(2), operation(9)]);
});

it("parts are posted in slices", async () => {
  let nowMs = 0;
  let rests = 0;
  const line = new ThreadLine((next) => {
    rests++;
    setImmediate(next);
  });
  await sent(change(2_000, 2_000), new LongWork({ monotonic: () => (nowMs += 3) }, line));
  expect(rests).toBeGreaterThan(5);
});
