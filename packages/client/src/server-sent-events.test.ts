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

it.each([
  ["no blank after the colon", 'data:{"a":1}\n\n', [{ event: "message", data: '{"a":1}' }]],
  ["lines that end with CRLF", "event: x\r\ndata: 1\r\n\r\n", [{ event: "x", data: "1" }]],
  [
    "lines that end with CR",
    "data: 1\r\rdata: 2\r\r",
    [
      { event: "message", data: "1" },
      { event: "message", data: "2" },
    ],
  ],
  ["all ends of a line in one event", "data: 1\rdata: 2\r\ndata: 3\n\r\n", [{ event: "message", data: "1\n2\n3" }]],
  ["a byte order mark", "\ufeffdata: 1\n\n", [{ event: "message", data: "1" }]],
  ["only one blank is taken", "data:  1\n\n", [{ event: "message", data: " 1" }]],
  ["a field without a colon", "data\n\n", [{ event: "message", data: "" }]],
  ["a name without data", "event: x\n\ndata: 1\n\n", [{ event: "message", data: "1" }]],
  [
    "unknown fields, and names that only begin like known ones",
    "retry: 5\ndatum: 2\nDATA: 3\ndata: 1\n\n",
    [{ event: "message", data: "1" }],
  ],
])("reads %s, however the bytes are cut", async (_, text, wanted) => {
  const bytes = new TextEncoder().encode(text);
  for (let cut = 0; cut <= bytes.length; cut++)
    expect(await eventsOf([bytes.subarray(0, cut), bytes.subarray(cut)])).toEqual(wanted);
  expect(await eventsOf([...bytes].map((byte) => Uint8Array.of(byte)))).toEqual(wanted);
});

it("an event without an end is not gathered for ever", async () => {
  const chunk = new TextEncoder().encode("x".repeat(1024 * 1024));
  await expect(eventsOf(Array.from({ length: 20 }, () => chunk))).rejects.toThrow("without an end");
});
