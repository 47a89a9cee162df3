import { expect, it } from "vitest";
import { KEPT_ALERTS_MAX, readAlerts } from "./kept-alerts.ts";

const alert = (at: number) => ({
  id: `prod/K/flood/${at}`,
  at,
  environment: "prod",
  key: "K",
  owner: null,
  kind: "flood",
  isDeterministic: false,
  signals: 1,
  p: 0.001,
  factors: [{ name: "rate", observed: 7, usual: ["1", 2], p: 0.01 }],
  evidence: [{ request: "req_1", at }],
});

it("gives back what was kept, the newest of many", () => {
  const kept = Array.from({ length: KEPT_ALERTS_MAX + 5 }, (_, n) => alert(n));
  expect(readAlerts(JSON.parse(JSON.stringify(kept)))).toEqual(kept.slice(5));
});

it.each([
  ["another's id", { ...alert(1), key: "L" }],
  ["an unknown kind", { ...alert(1), id: "prod/K/x/1", kind: "x" }],
  ["a factor that is none", { ...alert(1), factors: [{ name: 1 }] }],
  ["no evidence", { ...alert(1), evidence: undefined }],
  ["nothing", null],
])("leaves out %s", (_, one) => {
  expect(readAlerts([one, alert(2)])).toEqual([alert(2)]);
});

it("takes nothing from what is no list", () => {
  expect(readAlerts(undefined)).toEqual([]);
  expect(readAlerts({})).toEqual([]);
});
