import { format, inspect } from "node:util";
import { pino } from "pino";
import { expect, test } from "vitest";
import { Secret } from "./secret.ts";

test("a secret prints as ***, whichever way it is turned into text", () => {
  const secret = new Secret("hunter2");
  const lines: string[] = [];
  pino({ base: null }, { write: (line: string) => lines.push(line) }).info({ secret, nested: { secret } }, "x");
  const texts = [
    `${secret as unknown as string}`,
    String(secret),
    JSON.stringify({ secret }),
    inspect(secret),
    inspect({ secret }, { depth: 9, showHidden: true }),
    format("%s %o %j", secret, secret, secret),
    Object.values(secret as unknown as object).join(),
    structuredCloneText(secret),
    ...lines,
  ];
  for (const text of texts) expect(text).not.toContain("hunter2");
  expect(secret.reveal()).toBe("hunter2");
});

function structuredCloneText(value: unknown): string {
  return JSON.stringify(structuredClone(value));
}
