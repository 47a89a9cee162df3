import fc from "fast-check";
import { expect, it } from "vitest";
import { observationLine, observe, parseObservation } from "./observation.ts";

it("a line is read back as it was", () => {
  const value = fc.record({
    kind: fc.constantFrom("exchange" as const, "refused" as const, "left" as const),
    at: fc.nat(),
    environment: fc.string(),
    key: fc.string(),
    owner: fc.option(fc.string({ minLength: 1 })),
    address: fc.option(fc.ipV4()),
    permissions: fc.array(fc.string(), { maxLength: 3 }),
    inputTokens: fc.nat(),
    count: fc.integer({ min: 1 }),
    isDecoy: fc.boolean(),
  });
  fc.assert(
    fc.property(value, (said) => {
      const observation = observe({ ...said, at: said.at + 1 });
      expect(parseObservation(observationLine(observation))).toEqual(observation);
    }),
  );
});

it.each(["", "{", "null", "1", '{"kind":"exchange"}', '{"kind":"exchange","at":"now","environment":"e","key":"k"}'])(
  "%j is none",
  (line) => expect(parseObservation(line)).toBeUndefined(),
);
