/** Every event type as an OCSF body that the schema itself takes; and what no record may do: keep others from leaving. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { OCSF_VERSION, ocsfBody, ocsfRows, recordUid } from "@sallyport/ledger";
import type { OcsfRecord } from "@sallyport/ledger";
import { eventTypes } from "../program-under-test.ts";
import { extract, mistakesOf } from "./validate-body.ts";

const source = { node: "n1", version: "0.1.0" };

function record(type: string, fields: OcsfRecord["fields"] = {}, actor = "key:AAAAAAAAAAAA"): OcsfRecord {
  return { seq: 7, at: 1_760_000_000_000, environment: "prod", type, actor, fields };
}

/** The fields that matter to a body, and none. */
const fieldSets: readonly OcsfRecord["fields"][] = [
  {},
  {
    request: "req_1",
    principal: "p_1",
    key: "BBBBBBBBBBBB",
    name: "a name",
    endpoint: "ollama.chat",
    model: "registry.ollama.ai/library/llama3.2:latest",
    address: "2001:db8::1",
    input_tokens: 24,
    output_tokens: 3,
    total_ms: 1_250,
    first_byte_ms: 20,
    upstream_status: 200,
    outcome: "served",
    code: "model_denied",
    count: 3,
    roles: ["chatbot"],
    scope: "infer:chat models:list",
    network: "10.0.0.0/24",
  },
  { network: "other", count: 12, code: "key_unknown", address: null, principal: null, model: null },
];

describe.each(Object.keys(eventTypes))("%s", (type) => {
  it("has a row, and its bodies fit the schema", () => {
    expect(Object.keys(ocsfRows)).toContain(type);
    for (const fields of fieldSets)
      for (const actor of ["key:AAAAAAAAAAAA", "principal:p_1", "os:root", "gateway", ""])
        expect(mistakesOf(ocsfBody(record(type, fields, actor), source))).toEqual([]);
  });
});

it("knows no event that there is none of", () => {
  expect(Object.keys(ocsfRows).filter((type) => !(type in eventTypes))).toEqual([]);
  expect(OCSF_VERSION).toBe(extract.version);
});

it("findings of detection, to come, and what nobody knows fit the schema too", () => {
  const classes = ["anomaly.found", "incident.opened", "incident.closed", "something.new", "no-dot", "__proto__"].map(
    (type) => {
      const body = ocsfBody(record(type, fieldSets[1]), source);
      expect(mistakesOf(body)).toEqual([]);
      return [body["class_uid"], body["activity_id"], body["status_id"]];
    },
  );
  expect(classes).toEqual([[2004, 1, 1], [2004, 1, 1], [2004, 3, 4], [0, 0, 0], [0, 0, 0], [0, 0, 0]]); // prettier-ignore
});

it("tells of a served request who, what, from where, with which model and how much", () => {
  const { endpoint: _endpoint, ...fields } = fieldSets[1]!;
  expect(ocsfBody(record("request.outcome", { ...fields, code: null }), source)).toMatchObject({
    class_uid: 6003,
    type_uid: 600_399,
    activity_name: "Infer",
    status_id: 1,
    metadata: {
      uid: "n1/prod/7",
      sequence: 7,
      tenant_uid: "prod",
      log_source: "n1",
      log_name: "ledger",
      correlation_uid: "req_1",
      profiles: ["ai_operation"],
      product: { name: "Sallyport", version: "0.1.0" },
    },
    actor: { user: { uid: "p_1", credential_uid: "AAAAAAAAAAAA" } },
    src_endpoint: { ip: "2001:db8::1" },
    ai_model: { name: "registry.ollama.ai/library/llama3.2:latest" },
    message_context: { prompt_tokens: 24, completion_tokens: 3, total_tokens: 27 },
    unmapped: {
      environment: "prod",
      node: "n1",
      gen_ai: {
        request: { model: "registry.ollama.ai/library/llama3.2:latest" },
        usage: { input_tokens: 24, output_tokens: 3 },
        server: { request: { duration: 1.25 }, time_to_first_token: 0.02 },
      },
      fields: { outcome: "served" },
    },
  });
  expect(recordUid(source, record("x"))).toBe("n1/prod/7");
});

it("is total: whatever a record holds, there is a body and its envelope is right", () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...Object.keys(eventTypes), "x.y"),
      fc.dictionary(fc.constantFrom(...Object.keys(fieldSets[1]!), "z"), fc.jsonValue()),
      fc.string(),
      (type, fields, actor) => {
        const body = ocsfBody(record(type, fields, actor), source);
        expect(JSON.parse(JSON.stringify(body))).toHaveProperty("class_uid");
        expect(body["type_uid"]).toBe(Number(body["class_uid"]) * 100 + Number(body["activity_id"]));
      },
    ),
  );
});

it("the validator finds what is wrong", () => {
  const body = ocsfBody(record("request.intent", fieldSets[1]), source);
  expect(mistakesOf({ ...body, activity_id: 5 })).not.toEqual([]);
  expect(mistakesOf({ ...body, nonsense: 1 })).toEqual(["nonsense: is no attribute"]);
  const { src_endpoint: _gone, ...without } = body;
  expect(mistakesOf(without)).toEqual([".src_endpoint: is missing"]);
  expect(mistakesOf({ ...body, src_endpoint: { ip: "here" } })).toEqual(["src_endpoint.ip: here is no ip_t"]);
  expect(mistakesOf({ ...body, metadata: { ...(body["metadata"] as object), profiles: [] } })[0]).toContain("profile");
});
