/** The client's signing `fetch`, by itself and in the official libraries, against the gateway's verifier. */
import { createHash, generateKeyPairSync, randomBytes } from "node:crypto";
import type { KeyObject } from "node:crypto";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import Anthropic from "@anthropic-ai/sdk";
import { Ollama } from "ollama";
import OpenAI, { toFile } from "openai";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { makeSigner, signingFetch } from "../program-under-test.ts";
import type { Signer, SigningFetchOptions } from "../program-under-test.ts";
import { startSignedServer } from "./signed-server.ts";
import type { SignedServer } from "./signed-server.ts";

const ed = generateKeyPairSync("ed25519");
const ec = generateKeyPairSync("ec", { namedCurve: "P-256" });
const secret = randomBytes(32).toString("base64url");
const pem = (key: KeyObject): string => key.export({ type: "spki", format: "pem" }) as string;
const pkcs8 = (key: KeyObject): string => key.export({ type: "pkcs8", format: "pem" }) as string;
const privateKeys = {
  ed25519: pkcs8(ed.privateKey),
  "ecdsa-p256-sha256": pkcs8(ec.privateKey),
  "hmac-sha256": secret,
} as const;

let server: SignedServer;
beforeAll(async () => {
  server = await startSignedServer([
    makeSigner("ed25519", "ed25519", pem(ed.publicKey)) as Signer,
    makeSigner("ecdsa-p256-sha256", "ecdsa-p256-sha256", pem(ec.publicKey)) as Signer,
    makeSigner("hmac-sha256", "hmac-sha256", secret) as Signer,
  ]);
});
beforeEach(() => void (server.seen.length = 0));
afterAll(() => server.stop());

function fetchWith(change: Partial<SigningFetchOptions> = {}): typeof fetch {
  const signer = { keyid: "ed25519", algorithm: "ed25519", privateKey: privateKeys.ed25519 } as const;
  return signingFetch({ gateway: server.url, environment: "prod", signer, ...change });
}
const verdicts = (): string[] => server.seen.map(({ verdict }) => verdict);
const post = (
  send: typeof fetch,
  body: NonNullable<RequestInit["body"]>,
  headers: Record<string, string> = {},
): Promise<Response> => send(`${server.url}/api/chat`, { method: "POST", body, headers });

describe("a signed request is verified", () => {
  test.each(Object.entries(privateKeys))("with %s", async (algorithm, privateKey) => {
    const signer = { keyid: algorithm, algorithm: algorithm as keyof typeof privateKeys, privateKey };
    await post(fetchWith({ signer }), '{"model":"llama3.2"}', { "content-type": "application/json" });
    await fetchWith({ signer })(`${server.url}/api/tags?limit=1`);
    expect(verdicts()).toEqual(["verified", "verified"]);
  });

  test("with a JWK, and with a key that cannot be exported", async () => {
    const jwk = ed.privateKey.export({ format: "jwk" });
    const held = await crypto.subtle.importKey("jwk", jwk, "Ed25519", false, ["sign"]);
    for (const privateKey of [jwk, held])
      await post(fetchWith({ signer: { keyid: "ed25519", algorithm: "ed25519", privateKey } }), "{}");
    expect(verdicts()).toEqual(["verified", "verified"]);
  });

  test("whatever its body is, and its content type", async () => {
    const send = fetchWith();
    const form = new FormData();
    form.set("file", new Blob(["x"]), "x.wav");
    for (const body of ["text", new Uint8Array([1, 2]), new Uint8Array([0, 1, 2]).subarray(1), new Blob(["x"]), form])
      await post(send, body);
    await post(send, new URLSearchParams({ a: "1" }));
    await post(send, "");
    await send(new Request(`${server.url}/api/chat`, { method: "POST", body: "x", headers: { "x-note": "1" } }));
    await send(new URL(`${server.url}/api/blobs/sha256:00`), { method: "head" });
    expect(verdicts()).toEqual(Array(9).fill("verified"));
  });

  test("each time anew: no two have the same nonce", async () => {
    const send = fetchWith();
    await Promise.all(Array.from({ length: 20 }, () => send(`${server.url}/api/tags`)));
    expect(verdicts()).toEqual(Array(20).fill("verified"));
  });

  test("a stream, when its digest is given", async () => {
    const stream = (): ReadableStream => new Blob(["streamed"]).stream();
    await expect(post(fetchWith(), stream())).rejects.toThrow(/stream cannot be signed/);
    const sha256 = (text: string): string => `sha-256=:${createHash("sha256").update(text).digest("base64")}:`;
    expect((await post(fetchWith(), stream(), { "content-digest": sha256("streamed") })).status).toBe(200);
    await post(fetchWith(), stream(), { "content-digest": sha256("another") });
    expect(verdicts()).toEqual(["verified", "digest_mismatch"]);
  });
});

test("what must be refused is: another environment, an old clock, another gateway, a request sent twice", async () => {
  await fetchWith({ environment: "dev" })(`${server.url}/api/tags`);
  await fetchWith({ now: () => Date.now() - 61_000 })(`${server.url}/api/tags`);
  await fetchWith({ now: () => Date.now() + 7000 })(`${server.url}/api/tags`);
  await fetchWith({
    gateway: "http://llm.example.org",
    fetch: (input, init) => fetch((input as string).replace("http://llm.example.org", server.url), init),
  })("http://llm.example.org/api/tags");
  await fetchWith({ fetch: async (input, init) => (await fetch(input, init), fetch(input, init)) })(
    `${server.url}/api/tags`,
  );
  expect(verdicts()).toEqual([
    "signature_environment",
    "signature_expired",
    "signature_future",
    "signature_wrong",
    "verified",
    "signature_replayed",
  ]);
});

test("neither key nor signature go anywhere else", async () => {
  await expect(fetchWith()("http://127.0.0.1:1/api/tags")).rejects.toThrow(/signs for .* only/);
  expect(() => fetchWith({ gateway: "http://127.0.0.1:1/path" })).toThrow(/without a path/);
  const wrong = { keyid: "k", algorithm: "ed25519", privateKey: "-----BEGIN OPENSSH PRIVATE KEY-----" } as const;
  await expect(fetchWith({ signer: wrong })(`${server.url}/api/tags`)).rejects.toThrow(/PKCS#8/);
  expect(server.seen).toEqual([]);
});

test("it runs in a browser: nothing it imports is Node's", () => {
  const seen = new Set<string>();
  const walk = (file: string): void => {
    if (seen.has(file)) return;
    seen.add(file);
    for (const [, from] of readFileSync(file, "utf8").matchAll(/^(?:import|export) .*from "([^"]+)";$/gm)) {
      expect(from).toMatch(/^(\.|@sallyport\/protocol$)/);
      walk(from!.startsWith(".") ? join(dirname(file), from!) : join(packages, "protocol/dist/index.js"));
    }
  };
  const packages = join(import.meta.dirname, "../../packages");
  walk(join(packages, "client/dist/signing-fetch.js"));
  expect(seen.size).toBeGreaterThan(10);
});

describe("in the official libraries", () => {
  const messages = [{ role: "user" as const, content: "Say hello." }];
  test("ollama, openai and anthropic sign without knowing", async () => {
    const send = fetchWith({ key: "sp_prod_key" });
    const ollama = new Ollama({ host: server.url, fetch: send });
    expect((await ollama.chat({ model: "llama3.2", messages })).message.content).toBe("hello");
    const openai = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: "unused", fetch: send, maxRetries: 0 });
    const chat = await openai.chat.completions.create({ model: "llama3.2", messages });
    expect(chat.choices[0]?.message.content).toBe("hello");
    const file = await toFile(Buffer.from("RIFF"), "a.wav");
    expect((await openai.audio.transcriptions.create({ model: "whisper", file })).text).toBe("hello");
    const anthropic = new Anthropic({ baseURL: server.url, apiKey: "unused", fetch: send, maxRetries: 0 });
    expect(await anthropic.messages.create({ model: "llama3.2", messages, max_tokens: 5 })).toMatchObject({
      content: [{ text: "hello" }],
    });
    expect(verdicts()).toEqual(Array(4).fill("verified"));
    expect(new Set(server.seen.map(({ authorization }) => authorization))).toEqual(new Set(["Bearer sp_prod_key"]));
  });
});
