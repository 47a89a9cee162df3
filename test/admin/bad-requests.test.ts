/** What bad input gets at the admin API, and what of it is recorded. */
import { beforeEach, describe, expect, it } from "vitest";
import { everything } from "../program-under-test.ts";
import { MemoryGateway } from "./memory-ports.ts";

let gateway: MemoryGateway;
let key: string;

beforeEach(() => {
  gateway = new MemoryGateway();
  key = gateway.adminKey(everything);
});

async function ask(path: string, init: RequestInit & { rawHeaders?: string[] } = {}): Promise<[number, string]> {
  const { rawHeaders, ...rest } = init;
  const request = new Request(`http://localhost${path}`, rest);
  if (!request.headers.has("authorization")) request.headers.set("authorization", `Bearer ${key}`);
  const response = await gateway.app.handle(request, { kind: "tcp", ...(rawHeaders ? { rawHeaders } : {}) });
  const body = (await response.json()) as { code: string };
  return [response.status, body.code];
}

function post(body: string, headers: Record<string, string> = { "content-type": "application/json" }): RequestInit {
  return { method: "POST", body, headers };
}

describe("a request that is not of the contract", () => {
  it.each([
    ["an unknown path", "/v1/nothing", {}, 404, "endpoint_unknown"],
    ["a file that is not the console's", "/assets/x.js", {}, 404, "endpoint_unknown"],
    ["the root with another method", "/", { method: "POST" }, 405, "method_not_allowed"],
    ["another method", "/v1/keys", { method: "PUT" }, 405, "method_not_allowed"],
    ["a body where none is", "/v1/keys/abcdefghijkl/revoke", post("{}"), 400, "body_not_accepted"],
    [
      "no body where one is",
      "/v1/keys",
      { method: "POST", headers: { "content-type": "application/json" } },
      400,
      "body_missing",
    ],
    ["another media type", "/v1/keys", post("{}", { "content-type": "text/plain" }), 415, "media_type_unsupported"],
    [
      "an encoded body",
      "/v1/keys",
      post("{}", { "content-type": "application/json", "content-encoding": "gzip" }),
      415,
      "encoding_unsupported",
    ],
    ["a duplicate key", "/v1/keys", post('{"name":"a","name":"b"}'), 400, "json_duplicate_key"],
    ["trailing data", "/v1/keys", post("{} {}"), 400, "json_malformed"],
    ["a byte order mark", "/v1/keys", post("\uFEFF{}"), 400, "json_malformed"],
    ["too much", "/v1/policy", post(`{"text":"${"x".repeat(1_100_000)}"}`), 413, "body_too_large"],
    ["an unknown field", "/v1/principals", post('{"kind":"person","name":"a","isAdmin":true}'), 422, "input_invalid"],
    ["a wrong type", "/v1/principals", post('{"kind":"person","name":5}'), 422, "input_invalid"],
    ["__proto__", "/v1/principals", post('{"kind":"person","name":"a","__proto__":{"x":1}}'), 422, "input_invalid"],
    ["a name with a line break", "/v1/principals", post('{"kind":"person","name":"a\\nb"}'), 422, "input_invalid"],
    ["an id that is none", "/v1/keys/x", {}, 422, "input_invalid"],
    ["a query parameter twice", "/v1/keys?limit=1&limit=2", {}, 400, "query_not_accepted"],
    ["a limit of zero", "/v1/keys?limit=0", {}, 400, "query_not_accepted"],
  ])("%s", async (_name, path, init, status, code) => {
    expect(await ask(path, init)).toEqual([status, code]);
    expect(gateway.faults).toEqual([]);
  });
});

describe("credentials", () => {
  it.each([
    ["two", ["authorization", `Bearer x`, "x-api-key", "y"], 400, "credential_ambiguous"],
    ["one twice", ["x-api-key", "x", "x-api-key", "x"], 400, "credential_ambiguous"],
    ["none", [], 401, "credential_missing"],
    ["no key's text", ["authorization", "Bearer hello"], 401, "credential_malformed"],
    ["an unknown scheme", ["authorization", "Digest x"], 401, "credential_malformed"],
  ])("%s", async (_name, rawHeaders, status, code) => {
    expect(await ask("/v1/keys", { rawHeaders })).toEqual([status, code]);
  });

  it("tells the state of a key only to who holds it", async () => {
    const [stored] = [...gateway.stored.values()];
    const wrong = `${key.slice(0, -1)}${key.endsWith("0") ? "1" : "0"}`;
    gateway.nowMs += 2 * 86_400_000;
    expect(await ask("/v1/keys")).toEqual([401, "key_expired"]);
    expect(await ask("/v1/keys", { headers: { authorization: `Bearer ${wrong}` } })).toEqual([
      401,
      "credential_malformed",
    ]);
    gateway.stored.set(`system/${stored!.id}`, { ...stored!, state: "revoked" });
    gateway.ports.keys.apply([{ of: "key", environment: "system", id: stored!.id, now: undefined }]);
    expect(await ask("/v1/keys")).toEqual([401, "key_revoked"]);
  });
});

describe("refusals are recorded with a bound", () => {
  it("one a second, with the count of those between", async () => {
    for (let i = 0; i < 1_000; i++) await ask("/v1/keys", { rawHeaders: [] });
    expect(gateway.events).toHaveLength(1);
    gateway.nowMs += 1_000;
    await ask("/v1/keys", { rawHeaders: [] });
    expect(gateway.events.map(({ fields }) => fields["coalesced"])).toEqual([0, 999]);
  });

  it("refuses all the same when it cannot be recorded", async () => {
    const broken = new MemoryGateway();
    broken.ports.changes.change = () => Promise.reject(new Error("disk full"));
    const response = await broken.app.handle(new Request("http://localhost/v1/keys"), { kind: "tcp" });
    expect(response.status).toBe(401);
  });
});

it("answers a fault without words, and hands it to the log", async () => {
  gateway.ports.audit.search = () => {
    throw new Error("secret details");
  };
  const response = await gateway.app.handle(new Request("http://localhost/v1/audit"), { kind: "socket", user: "root" });
  expect(response.status).toBe(500);
  expect(await response.text()).not.toContain("secret details");
  expect(gateway.faults).toHaveLength(1);
});
