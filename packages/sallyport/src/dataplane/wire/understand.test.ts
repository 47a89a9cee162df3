import { isRefusal } from "@sallyport/protocol";
import type { ThinkLevel } from "@sallyport/protocol";
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { checkTable, endpoints } from "./endpoints.ts";
import { matchEndpoint } from "./match.ts";

interface RequestVector {
  readonly what: string;
  readonly path: string;
  readonly body: string;
  readonly code?: string;
  readonly demands?: readonly string[];
  readonly sent?: string | null;
  readonly adjusted?: readonly string[];
  readonly offers?: readonly string[];
  readonly terms?: {
    readonly outputTokens?: number;
    readonly contextTokens?: number;
    readonly mayOverride?: boolean;
    readonly hasOffers?: boolean;
    readonly think?: ThinkLevel;
    readonly topLogprobs?: number;
    readonly keepAliveMin?: number;
    /** Null = for ever. */
    readonly keepAliveMax?: number | null;
  };
  readonly dropped?: number;
  readonly images?: number;
  /** Messages, tools, bytes of the largest schema. */
  readonly counts?: readonly [number, number, number];
  readonly hidesUsage?: boolean;
  readonly registries?: readonly string[];
}

const vectors = JSON.parse(
  readFileSync(new URL("../../../../../testdata/vectors/requests.json", import.meta.url), "utf8"),
) as RequestVector[];

describe("what requests mean", () => {
  test.each(vectors)("$path: $what", (vector) => {
    const found = matchEndpoint("POST", vector.path);
    if (isRefusal(found)) throw new Error(found.code);
    const understood = found.endpoint.understand(Buffer.from(vector.body), null, "application/json");
    if (isRefusal(understood) || vector.code !== undefined) {
      expect(isRefusal(understood) ? understood.code : "understood").toBe(vector.code);
      return;
    }
    const demands = understood.demands.map(({ permission, model }) =>
      model ? `${permission} ${model.key}` : permission,
    );
    expect(demands).toEqual(vector.demands);
    if (vector.dropped !== undefined) expect(understood.droppedFields).toBe(vector.dropped);
    if (vector.images !== undefined) expect(understood.asked.images).toBe(vector.images);
    const { messages, tools, schemaBytes } = understood.asked;
    if (vector.counts !== undefined) expect([messages, tools, schemaBytes]).toEqual(vector.counts);
    if (vector.hidesUsage !== undefined) expect(understood.hidesUsage).toBe(vector.hidesUsage);
    if (vector.registries !== undefined) expect(understood.registries).toEqual(vector.registries);
    if (vector.offers !== undefined) expect(understood.offers.map((offer) => offer.permission)).toEqual(vector.offers);
    const { keepAliveMin = 300, keepAliveMax = 600, ...terms } = vector.terms ?? {};
    const sent = understood.serialize({
      outputTokens: terms.outputTokens,
      contextTokens: terms.contextTokens,
      think: terms.think,
      topLogprobs: terms.topLogprobs,
      mayOverride: terms.mayOverride ?? false,
      keepAlive: { minSeconds: keepAliveMin, maxSeconds: keepAliveMax ?? Number.POSITIVE_INFINITY },
      hasOffers: terms.hasOffers ?? false,
    });
    if (typeof vector.sent === "string") expect(Buffer.from(sent.bytes).toString("utf8")).toBe(vector.sent);
    if (typeof vector.sent === "string") expect(sent.adjusted).toEqual(vector.adjusted);
  });
});

describe("the endpoint table", () => {
  test("has no mistakes", () => {
    expect(checkTable()).toEqual([]);
  });

  test("a row that names two models' worth of nothing is a mistake", () => {
    const chat = endpoints.find((endpoint) => endpoint.id === "ollama.chat")!;
    expect(checkTable([chat, chat])).not.toEqual([]);
    expect(checkTable([{ ...chat, anyOf: [] }])).not.toEqual([]);
    expect(checkTable([{ ...chat, sample: () => ({ model: "other", messages: [] }) }])).not.toEqual([]);
  });

  test.each([
    ["POST", "/api/chat/", "endpoint_unknown"],
    ["POST", "/API/chat", "endpoint_unknown"],
    ["POST", "/v1/systemone", "endpoint_unknown"],
    ["GET", "/debug/pprof/", "endpoint_unknown"],
    ["POST", "/v1/messages/count_tokens", "endpoint_unknown"],
    ["GET", "/api/chat", "method_not_allowed"],
    ["HEAD", "/v1/models", "method_not_allowed"],
    ["post", "/api/chat", "method_not_allowed"],
    ["GET", "/v1/models/", "endpoint_unknown"],
    ["GET", "/v1/models/a/b", "endpoint_unknown"],
    ["GET", "/v1/models/%ff", "target_malformed"],
    ["HEAD", "/api/blobs/sha256:zz", "target_malformed"],
    ["POST", `/api/blobs/sha256-${"0".repeat(64)}`, "target_malformed"],
  ])("%s %s is %s", (method, path, code) => {
    const found = matchEndpoint(method, path);
    expect(isRefusal(found) ? found.code : "matched").toBe(code);
  });

  test.each([
    ["/api/chat/", "/api/chat"],
    ["/v1/chat/completions/", "/v1/chat/completions"],
    ["/v1/api/chat", "/api/chat"],
    ["/v1/v1/messages", "/v1/messages"],
    ["/api/v1/chat/completions", "/v1/chat/completions"],
    ["/chat/completions", "/v1/chat/completions"],
    ["/chat", "/api/chat"],
  ])("%s is no endpoint, and the caller is told the path that is", (path, near) => {
    expect(matchEndpoint("POST", path)).toEqual({
      code: "endpoint_unknown",
      detail: `the path is ${near}, check the base URL`,
    });
  });

  test.each(["/", "/v1", "/v1/", "/api/", "/v1/v1/v1/messages", "/nothing/", "/v1/messages/count_tokens"])(
    "%s is like no endpoint, and no path is named",
    (path) => {
      const found = matchEndpoint("PUT", path);
      expect(isRefusal(found) && found.detail).toBeUndefined();
    },
  );

  test("one segment is decoded, once", () => {
    const found = matchEndpoint("GET", "/v1/models/llama3.2%3Alatest");
    expect(found).toMatchObject({ parameter: "llama3.2:latest" });
    const twice = matchEndpoint("GET", "/v1/models/llama3.2%253Alatest");
    if (isRefusal(twice)) throw new Error(twice.code);
    expect(twice.endpoint.understand(Buffer.alloc(0), twice.parameter, "")).toMatchObject({
      code: "model_name_invalid",
    });
  });
});
