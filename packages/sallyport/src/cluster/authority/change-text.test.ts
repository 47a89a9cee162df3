import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { LedgerEvent } from "../../audit/event.ts";
import type { Operation } from "../../changes/change.ts";
import { formatChange, parseChange } from "./change-text.ts";

const event: LedgerEvent = {
  type: "role.changed",
  at: 1_700_000_000_000,
  environment: "dev",
  actor: "os:\u2028'\n",
  fields: { role: "a\nb", rows: 3, isNew: true, none: null, names: ["x", "\u0000"] },
};

const changeOf = (...values: unknown[]) => ({
  operations: values.map((value) => ({ op: "role.remove", value }) as unknown as Operation),
  events: [event, event] as const,
});
const roundTrip = async (...values: unknown[]) => parseChange(await formatChange(changeOf(...values)));

describe("a change as text", () => {
  it.each([
    ["bytes", new Uint8Array([0, 255, 7])],
    ["no bytes", new Uint8Array()],
    ["numbers that JSON does not know", [Infinity, -Infinity, 0.1, Number.MAX_SAFE_INTEGER]],
    ["names that look like marks", { $bytes: "AAAA", $$bytes: 1, $number: "1", $: null }],
    ["names of what every object has", JSON.parse('{"__proto__":{"isAdmin":true},"constructor":1}')],
    ["hostile text", "\u0000\ud800\u2028'\"\\"],
  ])("comes back as it was, with %s", async (_what, value) => {
    expect(await roundTrip(value, value)).toEqual(changeOf(value, value));
    expect(({} as { isAdmin?: boolean }).isAdmin).toBeUndefined();
  });

  it("comes back as it was, whatever is in it", async () => {
    const value = fc.letrec((tie) => ({
      tree: fc.oneof(
        { maxDepth: 4 },
        fc.string({ unit: "binary" }),
        fc.double({ noNaN: true }).filter((number) => !Object.is(number, -0)),
        fc.boolean(),
        fc.constant(null),
        fc.uint8Array(),
        fc.array(tie("tree")),
        fc.dictionary(fc.oneof(fc.string(), fc.constantFrom("$bytes", "$number", "$")), tie("tree"), {
          noNullPrototype: true,
        }),
      ),
    })).tree;
    await fc.assert(
      fc.asyncProperty(value, async (one) => {
        expect(await roundTrip(one)).toEqual(changeOf(one));
      }),
      { seed: 19, numRuns: 100 },
    );
  });

  it.each([
    ["a map", new Map()],
    ["a date", new Date(0)],
    ["a function", () => 1],
    ["a big integer", 1n],
  ])("that holds %s is a mistake of the program", async (_what, value) => {
    await expect(formatChange(changeOf(value))).rejects.toThrow(TypeError);
  });

  it.each(["", "{}", "[1]", "null", '{"op":1}', "nonsense", '{"op":"role.remove"}\n'])(
    "is refused where an operation is %s",
    async (operations) => {
      const { events } = await formatChange(changeOf());
      await expect(parseChange({ operations, events })).rejects.toMatchObject({ code: "log_damaged" });
    },
  );

  it.each([
    "",
    "[]",
    "{}",
    '{"type":"x","at":1,"environment":"dev","actor":"a"}',
    '{"type":"x","at":1.5,"environment":"dev","actor":"a","fields":{}}',
    '{"type":"x","at":1,"environment":"dev","actor":"a","fields":{"a":{"b":1}}}',
  ])("is refused where an event is %s", async (events) => {
    const { operations } = await formatChange(changeOf(1));
    await expect(parseChange({ operations, events })).rejects.toMatchObject({ code: "log_damaged" });
  });
});
