import { encodeEvent, recordLine } from "@sallyport/ledger";
import type { EventValue } from "@sallyport/ledger";
import fc from "fast-check";
import { expect, it } from "vitest";
import { mayCount, parseUsage, readUsage } from "./usage-record.ts";

const AT = Date.UTC(2026, 10, 3, 23, 59, 59, 999);
const PREV = "0".repeat(64);

interface Part {
  readonly type?: string;
  readonly actor?: string;
  readonly fields?: Readonly<Record<string, EventValue>>;
}

function lineOf({ type = "request.outcome", actor = "key:4fT9wLq2ZbXc", fields = {} }: Part = {}): string {
  return recordLine(7, PREV, encodeEvent({ type, at: AT, environment: "dev", actor, fields }));
}

/** As `dataplane/settle.ts` writes them. */
const outcome = {
  request: "req_1",
  principal: "p_1",
  outcome: "served",
  upstream: "u1",
  code: null,
  upstream_status: 200,
  model: "registry.ollama.ai/library/llama3.2:latest",
  team: "research",
  input_tokens: 26,
  output_tokens: 298,
  is_estimated: true,
  compute_ms: 4_710,
  queue_ms: 12,
  first_byte_ms: 130,
  total_ms: 4_850,
  bytes_in: 412,
  bytes: 18_230,
};

it("reads what a request cost", () => {
  expect(readUsage(lineOf({ fields: outcome }))).toEqual({
    day: Date.UTC(2026, 10, 3) / 86_400_000,
    environment: "dev",
    key: "4fT9wLq2ZbXc",
    principal: "p_1",
    team: "research",
    model: "registry.ollama.ai/library/llama3.2:latest",
    code: "",
    isModelKnown: true,
    requests: 1,
    denied: 0,
    inputTokens: 26,
    outputTokens: 298,
    estimated: 1,
    computeMs: 4_710,
    queueMs: 12,
    bytesIn: 412,
    bytesOut: 18_230,
    firstAt: AT,
    lastAt: AT,
  });
});

it("reads denials, one by one and counted together", () => {
  const fields = { principal: "p_1", team: null, code: "model_denied", model: "a/b/c:d" };
  expect(readUsage(lineOf({ type: "request.refused", fields }))).toMatchObject({
    denied: 1,
    requests: 0,
    code: "model_denied",
    isModelKnown: false,
  });
  const together = { ...fields, count: 41 };
  expect(readUsage(lineOf({ type: "request.refused_coalesced", fields: together }))).toMatchObject({ denied: 41 });
  const several = lineOf({ type: "request.refused_coalesced", actor: "gateway", fields: together });
  expect(readUsage(several)).toMatchObject({ denied: 41, key: "" });
  expect(readUsage(lineOf({ type: "request.refused_coalesced", fields: { ...fields, count: 0 } }))).toBeUndefined();
});

it("counts nothing for other records, and for what is no record", () => {
  for (const type of ["request.intent", "model.intent", "key.issued", "request.unauthenticated", "request.outcomes"])
    expect([type, readUsage(lineOf({ type, fields: outcome }))]).toEqual([type, undefined]);
  for (const line of ["", "{}", "null", lineOf({ fields: outcome }).slice(0, -3), '{"seq":1,"ended":"dev"}'])
    expect([line, readUsage(line)]).toEqual([line, undefined]);
});

it("a model that the model server may not know is marked", () => {
  expect(readUsage(lineOf({ fields: { ...outcome, outcome: "upstream_error" } }))?.isModelKnown).toBe(false);
});

it("takes nothing but whole numbers from 0 for counts", () => {
  const lies = { ...outcome, input_tokens: "9", output_tokens: -5, compute_ms: 1.5, queue_ms: null, bytes: 2 ** 60 };
  expect(readUsage(lineOf({ fields: lies as Record<string, EventValue> }))).toMatchObject({
    inputTokens: 0,
    outputTokens: 0,
    computeMs: 0,
    queueMs: 0,
    bytesOut: 0,
  });
});

it("reads the same from a line in its usual form as from any other", () => {
  const text = fc.oneof(fc.string(), fc.constantFrom("p_1", 'a"b', "back\\slash", "null", "x".repeat(600)));
  const number = fc.oneof(fc.nat(), fc.constant(null));
  const fields = fc.record({
    ...Object.fromEntries(Object.entries(outcome).map(([name, value]) => [name, fc.constant(value)])),
    principal: fc.oneof(text, fc.constant(null)),
    outcome: fc.constantFrom("served", "upstream_error", "cut"),
    model: fc.oneof(text, fc.constant(null)),
    team: fc.oneof(text, fc.constant(null)),
    input_tokens: number,
    output_tokens: number,
    is_estimated: fc.boolean(),
    compute_ms: fc.nat(),
  });
  fc.assert(
    fc.property(fields, (said) => {
      const line = lineOf({ fields: said as Record<string, EventValue> });
      expect(mayCount(line)).toBe(true);
      expect(readUsage(line)).toEqual(parseUsage(line));
    }),
  );
});
