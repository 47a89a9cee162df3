/** Tokens bound to a key (DPoP), and the certified client library that does all of it by itself. */
import { createHash, generateKeyPairSync, sign } from "node:crypto";
import type { KeyObject, webcrypto } from "node:crypto";
import * as client from "openid-client";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Clock } from "../program-under-test.ts";
import { startGateway } from "./started-gateway.ts";
import type { IssuedKey, StartedGateway } from "./started-gateway.ts";
import { basic, CHAT, TokenDesk } from "./token-desk.ts";

let aheadMs = 0;
const clock: Clock = { now: () => Date.now() + aheadMs, monotonic: () => performance.now() };
let gateway: StartedGateway;
let key: IssuedKey;
let desk: TokenDesk;

beforeAll(async () => {
  gateway = await startGateway({ clock });
  // Proofs and assertions of before its start are refused: it cannot know which were used.
  aheadMs += 10_000;
});
afterAll(() => gateway.stop());
beforeEach(async () => {
  key = await gateway.issue({ allow: ["infer:chat", "tokens:introspect"] });
  desk = new TokenDesk(gateway, key);
});
const ask: TokenDesk["ask"] = (...asked) => desk.ask(...asked);
const chat: TokenDesk["chat"] = (...asked) => desk.chat(...asked);

function dpopProof(privateKey: KeyObject, jwk: object, claims: Record<string, unknown>): string {
  const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");
  const text = `${encode({ typ: "dpop+jwt", alg: "ES256", jwk })}.${encode({ jti: `${Math.random()}`.padEnd(12, "0"), iat: Math.floor(clock.now() / 1_000), ...claims })}`;
  return `${text}.${sign("sha256", Buffer.from(text), { key: privateKey, dsaEncoding: "ieee-p1363" }).toString("base64url")}`;
}

describe("proof of possession", () => {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const jwk = publicKey.export({ format: "jwk" });
  const at = (path: string): string => gateway.url + path;

  it("a bound token is good for nothing without a proof for that request, made by that key, once", async () => {
    const { body } = await ask(
      "/oauth/token",
      { grant_type: "client_credentials" },
      { ...basic(key), dpop: dpopProof(privateKey, jwk, { htm: "POST", htu: at("/oauth/token") }) },
    );
    expect(body["token_type"]).toBe("DPoP");
    const token = String(body["access_token"]);
    const ath = createHash("sha256").update(token).digest("base64url");
    const good = { htm: "POST", htu: at("/api/chat"), ath };
    const with_ = (proof: string): Promise<string> =>
      chat(token, "llama3.2", { authorization: `DPoP ${token}`, dpop: proof });
    const proof = dpopProof(privateKey, jwk, good);
    expect(await with_(proof)).toBe("allowed");
    expect(await with_(proof)).toBe("proof_invalid");
    expect(await chat(token)).toBe("proof_invalid");
    for (const claims of [
      { ...good, htm: "GET" },
      { ...good, htu: at("/api/generate") },
      { ...good, ath: "x" },
      { ...good, iat: Math.floor(clock.now() / 1_000) - 120 },
      { ...good, iat: Math.floor(clock.now() / 1_000) + 60 },
    ])
      expect([claims, await with_(dpopProof(privateKey, jwk, claims))]).toEqual([claims, "proof_invalid"]);
    const thief = generateKeyPairSync("ec", { namedCurve: "P-256" });
    expect(await with_(dpopProof(thief.privateKey, thief.publicKey.export({ format: "jwk" }), good))).toBe(
      "proof_invalid",
    );
    expect(await with_(dpopProof(thief.privateKey, jwk, good))).toBe("proof_invalid");
  });
});

describe("certified client libraries", () => {
  it("openid-client discovers, gets a token with the key as its secret, by private_key_jwt, with DPoP, introspects and revokes", async () => {
    const server = new URL(`${gateway.url}/e/dev`);
    const options = {
      algorithm: "oauth2",
      execute: [client.allowInsecureRequests],
    } satisfies client.DiscoveryRequestOptions;
    const basicClient = await client.discovery(server, key.id, undefined, client.ClientSecretBasic(key.key), options);
    expect(basicClient.serverMetadata().jwks_uri).toBe(`${gateway.url}/e/dev/.well-known/jwks.json`);
    const got = await client.clientCredentialsGrant(basicClient, { scope: "infer:chat" });
    expect([got.token_type, got.scope, await chat(got.access_token)]).toEqual(["bearer", "infer:chat", "allowed"]);
    expect((await client.tokenIntrospection(basicClient, got.access_token)).active).toBe(true);
    await client.tokenRevocation(basicClient, got.access_token);
    expect((await client.tokenIntrospection(basicClient, got.access_token)).active).toBe(false);

    // The same without any secret: a public key registered to the key.
    const pair = (await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, [
      "sign",
      "verify",
    ])) as webcrypto.CryptoKeyPair;
    const publicKey = JSON.stringify(onlyPublic(await crypto.subtle.exportKey("jwk", pair.publicKey)));
    await gateway.admin("POST", `/v1/keys/${key.id}/signers`, { use: "request", publicKey });
    const clockAhead = { [client.clockSkew]: aheadMs / 1_000 };
    const assertion = client.PrivateKeyJwt(pair.privateKey, {
      [client.modifyAssertion]: (_header: object, payload: Record<string, unknown>) =>
        void Object.assign(payload, { aud: `${gateway.url}/e/dev` }),
    });
    const keyClient = await client.discovery(server, key.id, clockAhead as object, assertion, options);
    const dpop = client.getDPoPHandle(keyClient, await client.randomDPoPKeyPair("ES256"));
    const bound = await client.clientCredentialsGrant(keyClient, {}, { DPoP: dpop });
    expect(bound.token_type).toBe("dpop");
    const answer = await client.fetchProtectedResource(
      keyClient,
      bound.access_token,
      new URL(`${gateway.url}/api/chat`),
      "POST",
      JSON.stringify(CHAT),
      new Headers({ "content-type": "application/json" }),
      { DPoP: dpop },
    );
    expect(answer.status).toBe(200);
  });
});

/** WebCrypto adds members a public key's text has no use for. */
function onlyPublic({ kty, crv, x, y }: webcrypto.JsonWebKey): webcrypto.JsonWebKey {
  return { kty: kty!, crv: crv!, x: x!, y: y! };
}
