import { describe, expect, it, vi } from "vitest";
import { Composer } from "yaml";
import { readYaml } from "./yaml.ts";

describe("readYaml", () => {
  it("reads plain values and knows their places", () => {
    const read = readYaml("a:\n  b: [1, two, true, null]\nc: {d: 60/min}\n");
    expect(read.mistakes).toEqual([]);
    expect(JSON.parse(JSON.stringify(read.value))).toEqual({ a: { b: [1, "two", true, null] }, c: { d: "60/min" } });
    expect(read.place(["a", "b", 1])).toBe("2:10");
    expect(read.place(["c", "missing"])).toBe("3:4");
    expect(read.place(["nowhere"])).toBe("1:1");
  });

  it("has nothing of Object's in its maps", () => {
    expect((readYaml("a: 1").value as Record<string, unknown>)["constructor"]).toBeUndefined();
  });

  it.each([
    ["duplicate keys", "a: 1\na: 2\n"],
    ["aliases", "a: &x 1\nb: *x\n"],
    ["merge keys", "a: &x {b: 1}\nc: {<<: *x}\n"],
    ["unknown tags", "a: !thing 1\n"],
    ["code tags", "a: !!js/function 'x'\n"],
    ["keys that are no text", "1: a\n"],
    ["maps as keys", "{a: 1}: b\n"],
    ["__proto__", "__proto__: {a: 1}\n"],
    ["several documents", "a: 1\n---\nb: 2\n"],
    ["text after a flow map", "{a: 1} b\n"],
    ["tabs as indent", "a:\n\tb: 1\n"],
    ["great depth", `${"[".repeat(200)}${"]".repeat(200)}`],
  ])("refuses %s, with the place", (_name, text) => {
    const read = readYaml(text);
    expect(read.value).toBeUndefined();
    expect(read.mistakes[0]).toMatch(/^\d+:\d+ ./);
  });

  // The stack of the library must not be reached: V8 ends the process where it compiles a pattern there.
  it.each(["[", "{a: ", "- ", "? ", "- ["])("measures the depth of %j before the library walks it", (part) => {
    const deep = part.repeat(100_000);
    const call = vi.spyOn(Composer.prototype, "next");
    const composed: unknown[] = [];
    call.mockImplementation(((token: unknown) => (composed.push(token), [])) as never);
    expect(readYaml(deep).mistakes).toEqual(["1:1 nested more than 32 levels"]);
    expect(composed).toEqual([]);
    call.mockRestore();
  });

  it("reads an empty text as null", () => {
    expect(readYaml("").value).toBeNull();
  });
});
