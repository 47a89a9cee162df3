import { expect, test } from "vitest";
import type { TabMessage } from "./event-messages.ts";
import { EventTabs, GONE_MS } from "./event-tabs.ts";

const requests = (count: number): TabMessage => ({
  of: "requests",
  requests: Array.from({ length: count }, () => ({}) as never),
  left: 1,
});
const state: TabMessage = { of: "state", state: { is: "open", says: "", version: "1" } };

test("a hidden tab is sent nothing, and is told what it missed when it is shown", () => {
  const tabs = new EventTabs<string>();
  const got: Record<string, TabMessage[]> = { a: [], b: [] };
  const here = (name: string, isShown: boolean): boolean => tabs.here(name, (one) => got[name]!.push(one), isShown, 0);
  expect([here("a", true), here("b", false), here("b", false)]).toEqual([true, true, false]);
  tabs.send(state);
  tabs.send(requests(3));
  tabs.send({ of: "changed", kinds: ["keys"] });
  expect(got["a"]!.map(({ of }) => of)).toEqual(["state", "requests", "changed"]);
  expect(got["b"]!.map(({ of }) => of)).toEqual(["state"]);
  here("b", true);
  expect(got["b"]!.at(-1)).toEqual({ of: "reset", left: 4 });
  here("b", false);
  here("b", true);
  expect(got["b"]).toHaveLength(2);
  tabs.send(requests(1));
  expect(got["b"]).toHaveLength(3);
});

test("a tab that has gone is forgotten, also one that could not say so", () => {
  const tabs = new EventTabs<string>();
  tabs.here("a", () => undefined, true, 0);
  tabs.here("b", () => undefined, true, 0);
  tabs.gone("a");
  tabs.sweep(GONE_MS);
  expect(tabs.size).toBe(1);
  tabs.here("b", () => undefined, false, GONE_MS);
  tabs.sweep(2 * GONE_MS);
  expect(tabs.size).toBe(1);
  tabs.sweep(2 * GONE_MS + 1);
  expect(tabs.size).toBe(0);
});
