/** What a key did, over made-up records. */
import type { LedgerRecord } from "@sallyport/ledger";
import { describe, expect, it } from "vitest";
import type { RadiusQuestion } from "../../../incident/blast-radius.ts";
import { ADDRESSES_MAX } from "./addresses.ts";
import { BoundedCounts, BoundedList } from "./bounded.ts";
import { KeyRadius } from "./key-radius.ts";

const T0 = Date.UTC(2026, 0, 1);
const HOUR = 3_600_000;
const question: RadiusQuestion = {
  environment: "dev",
  key: "K00000000001",
  owner: "p_owner",
  siblings: ["key:K00000000002"],
  roles: ["bot"],
  createdAt: T0,
  since: T0 + 10 * HOUR,
  until: T0 + 20 * HOUR,
  environments: "*",
};

let seq = 0;
function record(
  type: string,
  at: number,
  fields: LedgerRecord["fields"],
  more: Partial<LedgerRecord> = {},
): LedgerRecord {
  return { seq: ++seq, prev: "", type, at, environment: "dev", actor: "key:K00000000001", fields, ...more };
}

function intent(at: number, address: string | null, model = "m"): LedgerRecord {
  return record("request.intent", at, {
    address,
    model,
    bytes: 10,
    endpoint: "ollama.chat",
    permissions: ["infer:chat"],
    client: "curl",
  });
}

function measure(records: readonly LedgerRecord[]) {
  const radius = new KeyRadius(question);
  for (const one of records) radius.take(one);
  return radius.result({ knownFrom: null, records: records.length });
}

describe("what a key did", () => {
  it("is counted between the two times, and addresses since its making", () => {
    const found = measure([
      intent(T0 + HOUR, "10.0.0.1"),
      intent(T0 + 11 * HOUR, "10.0.0.1"),
      intent(T0 + 12 * HOUR, "203.0.113.6", "x"),
      record("request.outcome", T0 + 12 * HOUR, {
        outcome: "served",
        code: null,
        input_tokens: 3,
        output_tokens: 4,
        bytes: 9,
      }),
      record("request.refused", T0 + 13 * HOUR, { address: "203.0.113.6", code: "model_denied" }),
      record("request.refused_coalesced", T0 + 13 * HOUR, { code: "model_denied", count: 40 }),
      intent(T0 + 21 * HOUR, "198.51.100.9"),
    ]);
    expect(found.requests).toEqual({
      served: 2,
      refused: 41,
      inputTokens: 3,
      outputTokens: 4,
      estimated: 0,
      bytesIn: 20,
      bytesOut: 9,
    });
    expect(found.addresses.rows).toMatchObject([
      { address: "10.0.0.1", earlier: 1, requests: 1, refused: 0, firstAt: new Date(T0 + HOUR).toISOString() },
      { address: "203.0.113.6", earlier: 0, requests: 1, refused: 1 },
    ]);
    expect(found.models.rows).toEqual([
      { name: "m", count: 1 },
      { name: "x", count: 1 },
    ]);
    expect(found.programs.rows).toEqual([{ name: "curl", count: 2 }]);
    expect(found.codes.rows).toEqual([{ name: "model_denied", count: 41 }]);
  });

  it("names the records that decide: the issuing, each address's first, each refusal's first, the suspension", () => {
    const issued = record("key.issued", T0, { key: question.key }, { actor: "os:root" });
    const first = intent(T0 + HOUR, "10.0.0.1");
    const refused = record("request.refused", T0 + 13 * HOUR, { address: "10.0.0.1", code: "model_denied" });
    const stop = record("key.suspended", T0 + 14 * HOUR, { key: question.key }, { actor: "os:root" });
    const { decisive } = measure([
      issued,
      first,
      intent(T0 + 2 * HOUR, "10.0.0.1"),
      refused,
      { ...refused, seq: 99_999 },
      stop,
    ]);
    expect(decisive.map((one) => one.seq)).toEqual([issued, first, refused, stop].map((one) => one.seq));
  });

  it("an address that was erased is one place, and no new one", () => {
    const { addresses } = measure([intent(T0 + 11 * HOUR, null), intent(T0 + 12 * HOUR, null)]);
    expect(addresses.rows).toMatchObject([{ address: "(erased)", requests: 2 }]);
  });

  it("tells apart what was done to it, with it, by its owner, and to his rights", () => {
    const at = T0 + 11 * HOUR;
    const found = measure([
      record("key.rotated", at, { key: question.key }, { actor: "gateway" }),
      record("token.issued", at, { key: question.key, token: "t" }),
      record("ticket.opened", at, { ticket: "x" }),
      record("key.rotation_begun", at, { key: "K00000000002" }, { actor: "key:K00000000002" }),
      record("person.logged_in", at, { person: "p_owner" }, { actor: "principal:p_owner" }),
      record("assignment.created", at, { principal: "p_owner" }, { actor: "os:root" }),
      record("role.changed", at, { name: "bot" }, { actor: "os:root", environment: "system" }),
      record("role.changed", at, { name: "another" }, { actor: "os:root", environment: "system" }),
      record("key.issued", at, { key: question.key }, { actor: "os:root", environment: "prod" }),
    ]);
    const types = (list: { rows: { type: string }[] }): string[] => list.rows.map(({ type }) => type);
    expect(types(found.life)).toEqual(["key.rotated"]);
    expect(types(found.tokens)).toEqual(["token.issued"]);
    expect(types(found.byKey)).toEqual(["ticket.opened"]);
    expect(types(found.byOwner)).toEqual(["key.rotation_begun", "person.logged_in"]);
    expect(types(found.rights)).toEqual(["assignment.created", "role.changed"]);
  });

  it("has the same key id of another environment not for its own", () => {
    const found = measure([{ ...intent(T0 + 11 * HOUR, "10.0.0.1"), environment: "prod" }]);
    expect(found.requests.served).toBe(0);
  });
});

describe("bounds", () => {
  it("a million addresses are as many as are kept, and a count", () => {
    const radius = new KeyRadius(question);
    for (let i = 0; i < ADDRESSES_MAX + 500; i++) radius.take(intent(T0 + 11 * HOUR, `a${i}`));
    const { addresses, timeline, decisive } = radius.result({ knownFrom: null, records: 0 });
    expect(addresses.rows).toHaveLength(ADDRESSES_MAX);
    expect(addresses.others).toBe(500);
    expect(timeline.buckets[0]!.addresses.length + timeline.buckets[0]!.others).toBe(ADDRESSES_MAX + 500);
    expect(decisive.length).toBeLessThan(100);
  });

  it("names and lists say what they left out", () => {
    const counts = new BoundedCounts(2);
    for (const name of ["a", "b", "b", "c", "c", "d"]) counts.add(name);
    expect(counts.result()).toEqual({
      rows: [
        { name: "b", count: 2 },
        { name: "a", count: 1 },
      ],
      others: 3,
    });
    const list = new BoundedList<number>(4);
    for (let i = 0; i < 11; i++) list.add(i);
    expect(list.result()).toEqual({ rows: [0, 1, 9, 10], more: 7 });
  });
});
