import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseModelName } from "./model-name.ts";
import { coversSelector, matchesModel, parseSelector } from "./model-selector.ts";

interface NameVector {
  readonly text: string;
  readonly key: string | null;
  readonly source?: string;
  readonly spelling?: string;
}

function vectors<T>(name: string): T {
  return JSON.parse(readFileSync(new URL(`../../../testdata/vectors/${name}.json`, import.meta.url), "utf8")) as T;
}

describe("model names", () => {
  test.each(vectors<NameVector[]>("model-names"))("$text", ({ text, key, source, spelling }) => {
    const name = parseModelName(text);
    expect(name?.key ?? null).toBe(key);
    if (source !== undefined) expect(name?.source).toBe(source);
    if (spelling !== undefined) expect(name?.spelling).toBe(spelling);
  });

  test("what is sent means what was decided on", () => {
    const part = fc.stringMatching(/^[A-Za-z0-9_:.\- /]{0,12}$/);
    fc.assert(
      fc.property(part, fc.constantFrom("", ":cloud", "-cloud", ":local", ":latest", ": LOCAL"), (base, mark) => {
        const name = parseModelName(base + mark);
        if (!name) return;
        const again = parseModelName(name.spelling);
        expect(again?.key).toBe(name.key);
        expect(again?.spelling).toBe(name.spelling);
        expect(name.spelling).toMatch(/^[A-Za-z0-9_:./-]+$/);
      }),
      { numRuns: 5000 },
    );
  });
});

describe("model selectors", () => {
  const { match, invalid } = vectors<{
    match: { selector: string; matches: string[]; not: string[] }[];
    invalid: string[];
  }>("model-selectors");

  test.each(match)("$selector", ({ selector, matches, not }) => {
    const parsed = parseSelector(selector)!;
    for (const text of matches) expect([text, matchesModel(parsed, parseModelName(text)!)]).toEqual([text, true]);
    for (const text of not) expect([text, matchesModel(parsed, parseModelName(text)!)]).toEqual([text, false]);
  });

  test.each(invalid)("%j is none", (text) => {
    expect(parseSelector(text)).toBeUndefined();
  });

  test("a selector covers another exactly when it matches all the other matches", () => {
    const selectors = match.map(({ selector }) => parseSelector(selector)!);
    const names = match.flatMap((row) => [...row.matches, ...row.not]).map((text) => parseModelName(text)!);
    for (const wide of selectors) {
      for (const narrow of selectors) {
        if (!coversSelector(wide, narrow)) continue;
        for (const name of names) if (matchesModel(narrow, name)) expect(matchesModel(wide, name)).toBe(true);
      }
    }
    expect(coversSelector(parseSelector("*")!, parseSelector("cloud:x")!)).toBe(false);
    expect(coversSelector(parseSelector("llama3.2:*")!, parseSelector("llama3.2")!)).toBe(true);
    expect(coversSelector(parseSelector("llama3.2")!, parseSelector("llama3.2:*")!)).toBe(false);
  });
});
