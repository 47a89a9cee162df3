/** Workloads without a secret: tokens of an issuer of their own, exchanged for tokens of the key that trusts them. */
import { generateKeyPairSync, sign } from "node:crypto";
import type { KeyObject } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Clock } from "../program-under-test.ts";
import { startGateway } from "./started-gateway.ts";
import type { IssuedKey, StartedGateway } from "./started-gateway.ts";
import { part, TokenDesk } from "./token-desk.ts";

const EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange";
const JWT = "urn:ietf:params:oauth:token-type:jwt";
const AUDIENCE = "sallyport-test";

/** An OpenID issuer as CI systems are one: discovery, keys, and tokens it signs. */
class Issuer {
  readonly #server: Server;
  readonly #keys = new Map<string, { publicKey: KeyObject; privateKey: KeyObject }>();
  url = "";
  isDown = false;
  keyId = "";

  constructor() {
    this.#server = createServer((request, response) => {
      if (this.isDown) return void response.destroy();
      const isDiscovery = request.url === "/.well-known/openid-configuration";
      const keys = [...this.#keys].map(([kid, { publicKey }]) => ({
        ...publicKey.export({ format: "jwk" }),
        kid,
        use: "sig",
      }));
      const body = isDiscovery ? { issuer: this.url, jwks_uri: `${this.url}/keys` } : { keys };
      response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(body));
    });
    this.rotate();
  }

  async listen(): Promise<void> {
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
    this.url = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  rotate(): void {
    this.keyId = `k${this.#keys.size + 1}`;
    this.#keys.clear();
    this.#keys.set(this.keyId, generateKeyPairSync("ec", { namedCurve: "P-256" }));
  }

  token(claims: Record<string, unknown>, header: Record<string, unknown> = {}): string {
    const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");
    const text = `${encode({ alg: "ES256", typ: "JWT", kid: this.keyId, ...header })}.${encode(claims)}`;
    const { privateKey } = this.#keys.get(this.keyId)!;
    return `${text}.${sign("sha256", Buffer.from(text), { key: privateKey, dsaEncoding: "ieee-p1363" }).toString("base64url")}`;
  }
}

let aheadMs = 0;
const clock: Clock = { now: () => Date.now() + aheadMs, monotonic: () => performance.now() };
const issuer = new Issuer();
let gateway: StartedGateway;
let key: IssuedKey;
let desk: TokenDesk;

beforeAll(async () => {
  await issuer.listen();
  gateway = await startGateway({
    clock,
    environmentYaml: '    requireFor: [{ do: ["models:delete"], need: [identity] }]\n',
  });
});
afterAll(async () => {
  issuer.close();
  await gateway.stop();
});
beforeEach(async () => {
  issuer.isDown = false;
  key = await gateway.issue({ allow: ["infer:chat", "models:delete"] });
  desk = new TokenDesk(gateway, key);
  await trust({ repository_id: "123", repository_owner_id: "7", environment: "production" });
});

function trust(claims: Record<string, string>, more: object = {}): Promise<unknown> {
  const body = { template: "github", issuer: issuer.url, audience: AUDIENCE, claims, ...more };
  return gateway.admin("POST", `/v1/keys/${key.id}/workloads`, body);
}

function claims(change: Record<string, unknown> = {}): Record<string, unknown> {
  const now = Math.floor(clock.now() / 1_000);
  return {
    iss: issuer.url, aud: AUDIENCE, sub: "repo:me/app:environment:production", iat: now, exp: now + 300, jti: `${Math.random()}`,
    repository: "me/app", repository_id: "123", repository_owner_id: "7", environment: "production", ...change,
  }; // prettier-ignore
}

async function exchange(
  token: string,
  more: Record<string, string> = {},
): Promise<{ code: string; body: Record<string, unknown> }> {
  const form = { grant_type: EXCHANGE, client_id: key.id, subject_token: token, subject_token_type: JWT, ...more };
  const { status, body } = await desk.ask("/oauth/token", form, {});
  return { code: status === 200 ? "allowed" : String(body["code"]), body };
}

describe("a workload that is trusted", () => {
  it("gets a token of the key with no secret at all, once for each of its own, and the ledger says who acted", async () => {
    const own = issuer.token(claims());
    const { code, body } = await exchange(own);
    expect(code).toBe("allowed");
    const token = String(body["access_token"]);
    expect(await desk.chat(token)).toBe("allowed");
    expect(part(token, 1)).toMatchObject({
      client_id: key.id,
      act: { sub: `${issuer.url}#repo:me/app:environment:production` },
    });
    expect((await exchange(own)).code).toBe("grant_invalid");
    const { records } = await gateway.admin<{ records: { type: string; fields: { actors?: string[] } }[] }>(
      "GET",
      "/v1/audit?type=token.issued&limit=1",
    );
    expect(records[0]!.fields.actors).toEqual([`${issuer.url}#repo:me/app:environment:production`]);
  });

  it("is a fresh identity where one is demanded, for a while", async () => {
    const remove = async (token: string): Promise<number> =>
      (
        await fetch(`${gateway.url}/api/delete`, {
          method: "DELETE",
          headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
          body: JSON.stringify({ model: "llama3.2" }),
        })
      ).status;
    expect(await remove(key.key)).toBe(401);
    const token = String((await exchange(issuer.token(claims()))).body["access_token"]);
    expect(await remove(token)).toBe(200);
  });

  it("goes on when its issuer changes its keys", async () => {
    expect((await exchange(issuer.token(claims()))).code).toBe("allowed");
    issuer.rotate();
    // Asked again at once: the last time is longer ago than the library waits between two questions.
    aheadMs += 11 * 60_000;
    expect((await exchange(issuer.token(claims()))).code).toBe("allowed");
  });
});

describe("refused", () => {
  it.each([
    ["another repository of the same name", { repository_id: "999" }],
    ["another owner", { repository_owner_id: "8" }],
    ["another deployment environment", { environment: "staging" }],
    ["another audience", { aud: "https://github.com/me" }],
    ["two audiences", { aud: [AUDIENCE, "other"] }],
    ["another issuer", { iss: "https://token.actions.githubusercontent.com" }],
    ["expired", { exp: 1 }],
    ["of the future", { iat: 9_999_999_999, exp: 9_999_999_999 }],
    ["made long ago", { iat: 1 }],
    ["no subject", { sub: undefined }],
    ["a claim that is an object", { repository_id: { toString: "123" } }],
  ])("%s", async (_, change) => {
    expect((await exchange(issuer.token(claims(change)))).code).toBe("grant_invalid");
  });

  it.each([{ alg: "none" }, { alg: "HS256" }, { kid: "nobody" }])("%j", async (header) => {
    expect((await exchange(issuer.token(claims(), header))).code).toBe("grant_invalid");
  });

  it("a key that trusts nobody, another key's workload, a second credential, and what was taken back", async () => {
    const other = await gateway.issue();
    expect((await exchange(issuer.token(claims()), { client_id: other.id })).code).toBe("client_unknown");
    expect((await exchange(issuer.token(claims()), { client_id: "aaaaaaaaaaaa" })).code).toBe("client_unknown");
    const both = await desk.ask("/oauth/token", {
      grant_type: EXCHANGE,
      client_id: key.id,
      subject_token: issuer.token(claims()),
      subject_token_type: JWT,
    });
    expect(both.body["code"]).toBe("credential_ambiguous");
    const { workloads } = await gateway.admin<{ workloads: { id: string }[] }>("GET", `/v1/keys/${key.id}`);
    await gateway.admin("POST", `/v1/keys/${key.id}/workloads/remove`, { workload: workloads[0]!.id });
    expect((await exchange(issuer.token(claims()))).code).toBe("client_unknown");
  });

  it("nothing is given on doubt: an issuer that is down is said to be down", async () => {
    issuer.isDown = true;
    aheadMs += 11 * 60_000;
    expect((await exchange(issuer.token(claims()))).code).toBe("issuer_unreachable");
  });
});

describe("what may be trusted", () => {
  it.each([
    ["a name alone", "github", { repository: "me/app" }],
    ["no owner", "github", { repository_id: "1" }],
    ["a namespace's name", "kubernetes", { "/kubernetes.io/namespace": "prod" }],
    ["nothing", "generic", {}],
  ])("not %s", async (_, template, said) => {
    await expect(trust(said as Record<string, string>, { template })).rejects.toThrow("cannot");
  });

  it("a cluster's own keys, where it cannot be asked, and claims inside claims", async () => {
    const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const jwks = JSON.stringify({ keys: [{ ...publicKey.export({ format: "jwk" }), kid: "c", use: "sig" }] });
    const wanted = { "/kubernetes.io/serviceaccount/uid": "u-1", "/kubernetes.io/namespace": "prod" };
    await trust(wanted, { template: "kubernetes", issuer: "https://kubernetes.default.svc", jwks });
    const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");
    const make = (uid: string): string => {
      const said = claims({
        iss: "https://kubernetes.default.svc",
        "kubernetes.io": { namespace: "prod", serviceaccount: { name: "app", uid } },
      });
      const text = `${encode({ alg: "ES256", kid: "c" })}.${encode(said)}`;
      return `${text}.${sign("sha256", Buffer.from(text), { key: privateKey, dsaEncoding: "ieee-p1363" }).toString("base64url")}`;
    };
    expect((await exchange(make("u-1"))).code).toBe("allowed");
    expect((await exchange(make("u-2"))).code).toBe("grant_invalid");
  });
});
