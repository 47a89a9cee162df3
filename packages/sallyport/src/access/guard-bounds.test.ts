import { guard as writtenGuard } from "../../../contract/src/scalars.ts";
import { describe, expect, test } from "vitest";
import {
  asScopeGuard,
  buildGuard,
  countedGuards,
  guardNames,
  guardText,
  looserGuards,
  unguardedBound,
  unheldGuards,
} from "./guard-bounds.ts";
import type { GuardName } from "./guard-bounds.ts";
import type { Guard } from "./policy.ts";
import { guard as storedGuard } from "../store/state/principal-rows.ts";

/** Of each guard: a tight value and a looser one. */
const values: { readonly [Name in GuardName]: readonly [tight: Guard[Name], loose: Guard[Name]] } = {
  outputTokens: [1, 2],
  images: [0, 1],
  contextTokens: [1_024, 2_048],
  messages: [1, 2],
  tools: [0, 1],
  schemaBytes: [0, 1],
  think: ["none", "low"],
  topLogprobs: [0, 1],
};
const tight = (name: GuardName): Guard => ({ [name]: values[name][0] });
const loose = (name: GuardName): Guard => ({ [name]: values[name][1] });

test("policy files know exactly these guards", () => {
  expect(Object.keys(writtenGuard.shape)).toEqual(guardNames);
  expect(countedGuards).toEqual(["images", "messages", "tools", "schemaBytes"]);
});

describe.each(guardNames)("guard.%s", (name) => {
  const says = [`guard.${name}: more`];
  const excess = [`guard.${name}: more than is the issuer's to grant`];
  const isClosed = unguardedBound(name) === 0;

  test("is read, printed and stored", () => {
    expect(buildGuard(writtenGuard.parse(tight(name)))).toEqual(tight(name));
    expect(guardText(tight(name))).toBe(`${name}=${values[name][0]}`);
    expect(storedGuard(JSON.parse(JSON.stringify(tight(name))), "guard")).toEqual(tight(name));
  });

  test("a larger or lifted one is wider", () => {
    expect(looserGuards(tight(name), loose(name))).toEqual(says);
    expect(looserGuards(tight(name), {})).toEqual(says);
    expect(looserGuards({}, tight(name))).toEqual(isClosed ? says : []);
    expect(looserGuards(loose(name), tight(name))).toEqual([]);
  });

  test("binds what an issuer hands out", () => {
    expect(unheldGuards(tight(name), [{}], [loose(name)], false)).toEqual(excess);
    expect(unheldGuards(tight(name), [tight(name)], [loose(name)], true)).toEqual([]);
    expect(unheldGuards(tight(name), [{}], [tight(name)], false)).toEqual([]);
    expect(unheldGuards(tight(name), [{}], [], true)).toEqual(isClosed ? [] : excess);
    expect(unheldGuards(tight(name), [asScopeGuard(undefined)], [], true)).toEqual(excess);
    expect(unheldGuards({}, [{}], [loose(name)], true)).toEqual([]);
  });
});
