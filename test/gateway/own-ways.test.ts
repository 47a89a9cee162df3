/**
 * What the gateway answers itself is read, bounded and shut like everything else: by the same stages, on ways of its own.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { codeOf, startGateway } from "./started-gateway.ts";
import type { IssuedKey, StartedGateway } from "./started-gateway.ts";
import { basic, TokenDesk } from "./token-desk.ts";

const FORM = "application/x-www-form-urlencoded";
const JSON_TYPE = "application/json";
let gateway: StartedGateway;
/** Nothing is demanded of it but for two permissions. */
let key: IssuedKey;
/** All of its requests are to be signed. */
let signed: IssuedKey;

beforeAll(async () => {
  gateway = await startGateway({
    environmentYaml: "    requireFor: [{ do: [tokens:introspect, self:rotate], need: [signature] }]\n",
  });
  const allow = ["infer:chat", "tokens:introspect", "self:rotate"];
  key = await gateway.issue({ allow });
  signed = await gateway.issue({ allow });
});
afterAll(() => gateway.stop());

const rows: [path: string, type: string, bytesMax: number][] = [
  ["/oauth/token", FORM, 16_384],
  ["/oauth/introspect", FORM, 16_384],
  ["/oauth/revoke", FORM, 16_384],
  ["/oauth/device_authorization", FORM, 16_384],
  ["/sallyport/tickets/open", JSON_TYPE, 4_096],
  ["/sallyport/tickets/inspect", JSON_TYPE, 4_096],
  ["/sallyport/key/rotate", JSON_TYPE, 4_096],
];

function send(path: string, type: string, body: string, headers: Record<string, string> = {}): Promise<Response> {
  const credential = type === FORM ? basic(key) : { authorization: `Bearer ${key.key}` };
  return fetch(gateway.url + path, {
    method: "POST",
    headers: { ...credential, "content-type": type, ...headers },
    body,
  });
}

async function codeFrom(answer: Response): Promise<string> {
  const text = await answer.text();
  return answer.ok ? "allowed" : codeOf(text);
}

async function explained({ id }: IssuedKey, path: string): Promise<string> {
  const asked = { keyId: id, method: "POST", path, address: "127.0.0.1" };
  return (await gateway.admin<{ code: string }>("POST", "/v1/explain", asked)).code;
}

describe("a body is read by the one stage that reads bodies", () => {
  it.each(rows)("%s", async (path, type, bytesMax) => {
    // A signature that is there, and wrong, is told after the body was read and understood.
    const headers = { signature: "x=:AA==:", "signature-input": "x=()" };
    expect(await codeFrom(await send(path, type, "{}", { ...headers, "content-encoding": "gzip" }))).toBe(
      "encoding_unsupported",
    );
    expect(await codeFrom(await send(path, type, "a".repeat(bytesMax + 1), headers))).toBe("body_too_large");
    const malformed = type === FORM ? "form_malformed" : "json_malformed";
    expect(await codeFrom(await send(path, type, type === FORM ? "a=1&a=2" : "{", headers))).toBe(malformed);
  });

  it("what has none takes none", async () => {
    const bytes = `GET /.well-known/jwks.json HTTP/1.1\r\nhost: ${new URL(gateway.url).host}\r\nconnection: close\r\n\r\n`;
    expect((await gateway.raw(bytes)).status).toBe(200);
  });
});

describe("the doors of what opens an endpoint are asked there, too", () => {
  it("introspection and a key's own rotation, unsigned", async () => {
    const desk = new TokenDesk(gateway, key);
    const token = await desk.mint({ scope: "infer:chat" });
    const { status, body } = await desk.ask("/oauth/introspect", { token });
    expect([status, body["code"]]).toEqual([401, "signature_missing"]);
    const rotation = await send("/sallyport/key/rotate", JSON_TYPE, '{"idempotencyKey":"0123456789abcdef"}');
    expect(await codeFrom(rotation)).toBe("signature_missing");
    expect([await explained(key, "/sallyport/key/rotate"), await explained(key, "/oauth/introspect")]).toEqual([
      "signature_missing",
      "signature_missing",
    ]);
  });

  it("a token for what demands a signature is not made for a request without one", async () => {
    const desk = new TokenDesk(gateway, key);
    const ask = async (scope: string): Promise<unknown> => {
      const { status, body } = await desk.ask("/oauth/token", { grant_type: "client_credentials", scope });
      return status === 200 ? "made" : body["code"];
    };
    expect([await ask("infer:chat"), await ask("tokens:introspect")]).toEqual(["made", "signature_missing"]);
  });

  it("but whoever only takes away brings nothing more than his key", async () => {
    const desk = new TokenDesk(gateway, signed);
    const token = await desk.mint({ scope: "infer:chat" });
    await gateway.admin("POST", `/v1/keys/${signed.id}/factors`, { require: ["signature"] });
    expect((await desk.ask("/oauth/introspect", { token })).body["code"]).toBe("signature_missing");
    expect((await desk.ask("/oauth/token", { grant_type: "client_credentials" })).body["code"]).toBe(
      "signature_missing",
    );
    expect((await desk.ask("/oauth/revoke", { token })).status).toBe(200);
    expect([
      await explained(signed, "/oauth/introspect"),
      await explained(signed, "/oauth/token"),
      await explained(signed, "/oauth/revoke"),
    ]).toEqual(["signature_missing", "signature_missing", "allowed"]);
    expect(await desk.chat(token)).toBe("token_unknown");
  });
});

it("a token of a key that cannot go on is not foreseen", async () => {
  const stopped = await gateway.issue();
  const { id } = stopped;
  const foresee = (): Promise<{ seconds: number; because: string[] }> =>
    gateway.admin("POST", "/v1/explain/token", { keyId: id });
  expect((await foresee()).seconds).toBeGreaterThan(0);
  await gateway.admin("POST", `/v1/keys/${id}/suspend`);
  expect(await foresee()).toMatchObject({
    seconds: 0,
    because: [expect.stringMatching(/suspended/), expect.anything()],
  });
  expect(await explained(stopped, "/oauth/token")).toBe("key_suspended");
  expect(await explained(stopped, "/oauth/device_authorization")).toBe("allowed");
});
