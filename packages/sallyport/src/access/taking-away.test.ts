import { describe, expect, it } from "vitest";
import { newPrincipal } from "./new-principal.ts";
import type { Operation } from "../changes/change.ts";
import type { KeyFactors, KeyRecord } from "../keys/key.ts";
import type { Principal } from "./policy.ts";
import { takesAway } from "./taking-away.ts";

const ada: Principal = {
  ...newPrincipal({ kind: "person", name: "ada", groups: ["ops", "dev"], createdAt: 0 }),
  revocations: 3,
};
const factors = {
  networks: ["10.0.0.0/8"],
  binding: null,
  require: ["network"],
  signers: [{ id: "s1" }, { id: "s2" }],
  pathSecret: { hash: "h" },
  workloads: [{ id: "w1" }],
} as unknown as KeyFactors;
const key = { environment: "dev", id: "k", state: "active", secrets: [], limits: {}, ceiling: {}, admin: null, frozenAt: null, ...factors } as unknown as KeyRecord; // prettier-ignore
const present = {
  principals: new Map([[ada.id, ada]]),
  keyOf: (_environment: string, id: string) => (id === "k" ? key : undefined),
};

const person = (part: Partial<Principal>): Operation => ({ op: "principal.put", principal: { ...ada, ...part } });
const keyFactors = (part: object, id = "k"): Operation => ({
  op: "key.factors",
  environment: "dev",
  id,
  factors: { ...factors, ...part },
});
const revoked: Operation = { op: "key.state", environment: "dev", id: "k", state: "revoked", reason: null };
const stoppedInDev = { disabledIn: [{ source: "scim", environments: ["dev"] }] } as const;

describe("a change that only takes away", () => {
  it.each<[string, Operation[]]>([
    ["a person is disabled", [person({ isDisabled: true, disabledBy: ["admin"] })]],
    ["a person is stopped in an environment", [person({ bounds: stoppedInDev, revocations: 4 }), revoked]],
    ["a person loses a group", [person({ groups: ["ops"], revocations: 4 })]],
    ["a person is signed out", [person({ revocations: 4 })]],
    ["a key loses a signer", [keyFactors({ signers: [{ id: "s2" }] })]],
    ["a key loses a workload", [keyFactors({ workloads: [] })]],
    ["a key loses its secret for paths", [keyFactors({ pathSecret: null })]],
    ["a key may be used from fewer networks", [keyFactors({ networks: ["10.1.0.0/16"] })]],
  ])("%s", (_what, operations) => {
    expect(takesAway(operations, present)).toBe(true);
  });

  it.each<[string, Operation[]]>([
    ["nothing", []],
    ["a new person", [{ op: "principal.put", principal: { ...ada, id: "p_new", isDisabled: true } }]],
    ["another name", [person({ name: "eve" })]],
    ["another name of who is disabled by the same", [person({ name: "eve", revocations: 3 })]],
    ["a group for another", [person({ groups: ["ops", "root"], revocations: 4 })]],
    ["the same factors again", [keyFactors({})]],
    ["another signer", [keyFactors({ signers: [{ id: "s3" }] })]],
    ["any network", [keyFactors({ networks: null })]],
    ["factors of a key that is not known", [keyFactors({ workloads: [] }, "x")]],
    ["a revocation beside something else", [revoked, person({ name: "eve" })]],
  ])("is not %s", (_what, operations) => {
    expect(takesAway(operations, present)).toBe(false);
  });
});
