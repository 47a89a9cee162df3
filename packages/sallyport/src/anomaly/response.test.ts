import { describe, expect, it } from "vitest";
import type { Alert } from "./alert.ts";
import { ACTIONS, DEFAULT_ANOMALY_POLICY, readAnomalyPolicy, respond } from "./response.ts";
import type { AnomalyPolicy } from "./response.ts";

const alert: Alert = {
  id: "prod/K/stolen_key/1000",
  at: 1_000,
  environment: "prod",
  key: "K",
  owner: "p_1",
  kind: "stolen_key",
  isDeterministic: false,
  signals: 2,
  p: 1e-6,
  factors: [],
  evidence: [],
};
const reach = { networks: ["192.0.2.0/24"], hasSigner: true, hasPerson: true };
const policy = (action: AnomalyPolicy["actions"]["default"]): AnomalyPolicy => ({
  budget: 1,
  actions: { default: "notify", stolen_key: action },
  forMs: 500,
});

describe("respond", () => {
  it.each(ACTIONS)("does %s where two signals say so, for a time, and says what takes it back", (action) => {
    const response = respond(alert, policy(action), reach);
    expect(response).toMatchObject({ action, held: null, environment: "prod", key: "K" });
    const changes = action !== "note" && action !== "notify";
    expect([response.until, response.undo !== null]).toEqual(changes ? [1_500, true] : [null, false]);
  });

  it.each(ACTIONS.slice(2))("only tells, where one likelihood alone asks for %s", (action) => {
    expect(respond({ ...alert, signals: 1 }, policy(action), reach)).toMatchObject({
      action: "notify",
      held: action,
      until: null,
    });
  });

  it("a fact needs no second signal", () => {
    const response = respond({ ...alert, signals: 1, isDeterministic: true }, policy("suspend"), reach);
    expect(response).toMatchObject({ action: "suspend", held: null, until: 1_500, undo: "resume" });
  });

  it.each([
    ["signature", { hasSigner: false }],
    ["identity", { hasPerson: false }],
    ["networks", { networks: [] }],
  ] as const)("a door nobody of the key's can open (%s) becomes suspension", (action, lacks) => {
    expect(respond(alert, policy(action), { ...reach, ...lacks })).toMatchObject({ action: "suspend", undo: "resume" });
  });

  it("what policy does not name is its default", () => {
    expect(respond({ ...alert, kind: "ramp" }, policy("suspend"), reach).action).toBe("notify");
  });
});

describe("readAnomalyPolicy", () => {
  const hours = (text: string): number | undefined => (text === "1h" ? 3_600_000 : undefined);

  it("reads what the policy file says, and fills in what it leaves out", () => {
    expect(readAnomalyPolicy({}, hours)).toEqual(DEFAULT_ANOMALY_POLICY);
    expect(readAnomalyPolicy({ budget: 2, actions: { stolen_key: "suspend" }, for: "1h" }, hours)).toEqual({
      budget: 2,
      actions: { stolen_key: "suspend", default: "notify" },
      forMs: 3_600_000,
    });
  });

  it("names every mistake at once", () => {
    const said = { budget: 0, actions: { stolen: "suspend", ramp: "explode" }, for: "soon", colour: "red" };
    const mistakes = readAnomalyPolicy(said, hours);
    expect(mistakes).toMatchObject([
      { path: "colour" },
      { path: "budget" },
      { path: "for" },
      { path: "actions.stolen" },
      { path: "actions.ramp" },
    ]);
    expect(readAnomalyPolicy("x", hours)).toMatchObject([{ path: "anomalies" }]);
    expect(readAnomalyPolicy({ actions: [] }, hours)).toMatchObject([{ path: "actions" }]);
  });
});
