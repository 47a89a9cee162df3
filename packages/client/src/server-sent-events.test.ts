import fc from "fast-check";
import { expect, it } from "vitest";
import { readEvents } from "./server-sent-events.ts";

async function eventsOf(chunks: readonly Uint8Array[]): Promise<object[]> {
  async function* source(): AsyncGenerator<Uint8Array> {
    yield* chunks;
  }
  const events: object[] = [];
  for await (const event of readEvents(source())) events.push(event);
  return events;
}

const TEXT =
  ': the ledger\n\nid: 1\ndata: {"a":"ü€😀"}\n\n: heartbeat\n\nevent: end\ndata: one\ndata: two\n\nid: 2\ndata: cut off';
const WANTED = [
  { event: "message", data: '{"a":"ü€😀"}' },
  { event: "end", data: "one\ntwo" },
];

it("reads the same events however the bytes are cut; comments and what has no end are none", async () => {
  const bytes = new TextEncoder().encode(TEXT);
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(bytes.length), { maxLength: 20 }), async (cuts) => {
      const places = [0, ...cuts.toSorted((a, b) => a - b), bytes.length];
      const chunks = places.slice(1).map((place, i) => bytes.subarray(places[i], place));
      expect(await eventsOf(chunks)).toEqual(WANTED);
    }),
  );
});

it("an event without an end is not gathered for ever", async () => {
  const chunk = new TextEncoder().encode("x".repeat(1024 * 1024));
  await expect(eventsOf(Array.from({ length: 20 }, () => chunk))).rejects.toThrow("without an end");
});
