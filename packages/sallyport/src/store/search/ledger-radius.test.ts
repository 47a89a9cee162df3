/** Which lines of a ledger are a key's, and whose are those of its addresses. */
import { encodeEvent, recordLine } from "@sallyport/ledger";
import { expect, it } from "vitest";
import { measureRadius } from "./ledger-radius.ts";

const T0 = Date.UTC(2026, 0, 1);
const question = {
  environment: "dev",
  key: "K00000000001",
  owner: "p_owner",
  siblings: [],
  roles: ["bot"],
  createdAt: T0,
  since: T0 + 100,
  until: T0 + 1_000,
  environments: "*",
} as const;

/** As they are kept: a value beside its hash. */
function walkOver(events: readonly (Parameters<typeof encodeEvent>[0] & { address?: string })[]) {
  const lines = events.map(({ address, ...event }, i) => {
    const fields = address === undefined ? event.fields : { ...event.fields, address: `sha256:${"0".repeat(64)}` };
    const line = recordLine(i + 1, "0".repeat(64), encodeEvent({ ...event, fields }));
    return address === undefined ? line : `${line}\t{"address":["salt","${address}"]}`;
  });
  return {
    *oldestFirst() {
      yield* lines;
    },
  };
}

const intent = (at: number, actor: string, address: string, environment = "dev") => ({
  type: "request.intent",
  at: T0 + at,
  environment,
  actor,
  fields: { model: "m", bytes: 1, endpoint: "e", permissions: ["infer:chat"] },
  address,
});

it("takes the key's own lines, and others' only where they use its addresses in that time", async () => {
  const walk = walkOver([
    intent(50, "key:K00000000001", "10.0.0.1"),
    intent(90, "key:K00000000002", "10.0.0.1"),
    intent(110, "key:K00000000002", "10.0.0.1"),
    intent(120, "key:K00000000002", "10.0.0.9"),
    intent(130, "key:K00000000001", "10.0.0.2"),
    intent(140, "key:K00000000001", "10.0.0.3", "prod"),
    intent(150, "key:K00000000003", "10.0.0.2", "prod"),
    // A stranger's words that look like the key's record.
    { type: "request.refused", at: T0 + 160, environment: "dev", actor: "key:K00000000004", fields: { detail: '"actor":"key:K00000000001"' } },
    { type: "role.changed", at: T0 + 170, environment: "system", actor: "os:x", fields: { name: "bot" } },
    { type: "assignment.created", at: T0 + 180, environment: "dev", actor: "os:x", fields: { principal: "p_owner" } },
  ]); // prettier-ignore
  const found = await measureRadius(walk, question);
  expect(found).toMatchObject({
    records: 10,
    knownFrom: new Date(T0 + 50).toISOString(),
    requests: { served: 1, refused: 0 },
    addresses: {
      rows: [
        { address: "10.0.0.1", earlier: 1, requests: 0 },
        { address: "10.0.0.2", earlier: 0, requests: 1 },
      ],
    },
  });
  expect(found.shared.rows.map(({ actor, environment, uses }) => [actor, environment, uses])).toEqual([
    ["key:K00000000002", "dev", 1],
    ["key:K00000000003", "prod", 1],
  ]);
  expect(found.rights.rows.map(({ type }) => type)).toEqual(["role.changed", "assignment.created"]);
});

it("leaves out what is of environments that are not for who asks", async () => {
  const walk = walkOver([
    intent(110, "key:K00000000001", "10.0.0.1"),
    intent(120, "key:K00000000003", "10.0.0.1", "prod"),
    { type: "role.changed", at: T0 + 170, environment: "system", actor: "os:x", fields: { name: "bot" } },
  ]);
  const found = await measureRadius(walk, { ...question, environments: ["dev"] });
  expect([found.requests.served, found.shared.rows, found.rights.rows]).toEqual([1, [], []]);
});
