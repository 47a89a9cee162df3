/** The official libraries through the client's signing `fetch`, where a key alone opens nothing; uploads verified as they pass. */
import { createHash, generateKeyPairSync } from "node:crypto";
import Anthropic from "@anthropic-ai/sdk";
import { signingFetch } from "@sallyport/client";
import { Ollama } from "ollama";
import OpenAI from "openai";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Clock } from "../program-under-test.ts";
import { codeOf, startGateway } from "./started-gateway.ts";
import type { IssuedKey, StartedGateway } from "./started-gateway.ts";

const model = "llama3.2";
const messages = [{ role: "user" as const, content: "Say hello." }];

let gateway: StartedGateway;
/** Opens nothing without a signature. */
let key: IssuedKey;
/** Needs none. */
let free: IssuedKey;
let fetchSigned: typeof fetch;
/** What sends the signed request: a test can stand in the way. */
let send: typeof fetch;
let aheadMs = 0;
const clock: Clock = { now: () => Date.now() + aheadMs, monotonic: () => performance.now() };

beforeAll(async () => {
  gateway = await startGateway({ clock });
  aheadMs = 10_000; // nothing signed before a start is taken
  const wish = { roles: ["cli"], allow: ["blobs:write"], models: [model] };
  key = await gateway.issue({ ...wish, require: ["signature"] });
  free = await gateway.issue(wish);
  const pair = generateKeyPairSync("ed25519");
  const { id } = await gateway.admin<{ id: string }>("POST", `/v1/keys/${key.id}/signers`, {
    use: "request",
    publicKey: pair.publicKey.export({ type: "spki", format: "pem" }).toString(),
  });
  fetchSigned = signingFetch({
    gateway: gateway.url,
    environment: "dev",
    key: key.key,
    now: () => clock.now(),
    fetch: (input, init) => send(input, init),
    signer: {
      keyid: id,
      algorithm: "ed25519",
      privateKey: pair.privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    },
  });
});
beforeEach(() => {
  send = fetch;
  gateway.upstream().deeds.length = 0;
});
afterAll(() => gateway.stop());

describe("the official libraries", () => {
  it("are served through the signing fetch, whole and streamed", async () => {
    const ollama = new Ollama({ host: gateway.url, fetch: fetchSigned });
    expect((await ollama.chat({ model, messages })).message.content).not.toBe("");
    let parts = 0;
    for await (const part of await ollama.chat({ model, messages, stream: true })) parts += part.done ? 0 : 1;
    expect(parts).toBeGreaterThan(1);
    expect((await ollama.list()).models.length).toBeGreaterThan(0);
    const openai = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: "unused", maxRetries: 0, fetch: fetchSigned });
    expect((await openai.chat.completions.create({ model, messages })).choices.length).toBe(1);
    const anthropic = new Anthropic({ baseURL: gateway.url, apiKey: "unused", maxRetries: 0, fetch: fetchSigned });
    expect((await anthropic.messages.create({ model, max_tokens: 9, messages })).content.length).toBeGreaterThan(0);
  });

  it("are refused with the same key and no signature, and told how to sign", async () => {
    const answer = await gateway.post("/api/chat", key.key, { model, messages });
    expect([answer.status, codeOf(await answer.text())]).toEqual([401, "signature_missing"]);
    expect(answer.headers.get("accept-signature")).toContain('"@target-uri"');
  });

  it("are refused when somebody on the way alters the question", async () => {
    send = (input, init) =>
      fetch(input, { ...init, body: JSON.stringify({ model, messages: [...messages, ...messages] }) });
    const ollama = new Ollama({ host: gateway.url, fetch: fetchSigned });
    await expect(ollama.chat({ model, messages })).rejects.toThrow(/signature_invalid|signature/);
    expect(gateway.upstream().deeds).toEqual([]);
  });
});

const file = Buffer.alloc(300_000, "a model's bytes ");
const nameOf = (bytes: Uint8Array): string => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
const streamed = (bytes: Uint8Array): ReadableStream<Uint8Array> =>
  new ReadableStream({
    start(controller) {
      for (let at = 0; at < bytes.length; at += 50_000) controller.enqueue(bytes.subarray(at, at + 50_000));
      controller.close();
    },
  });

function unsigned(input: string | URL | Request, init: RequestInit = {}): Promise<Response> {
  const headers = new Headers(init.headers);
  headers.set("authorization", `Bearer ${free.key}`);
  return fetch(input, { ...init, headers });
}

async function upload(
  name: string,
  body: Buffer | ReadableStream,
  through: typeof fetch = fetchSigned,
): Promise<string> {
  const request = {
    method: "POST",
    body,
    headers: { "content-type": "application/octet-stream" },
    ...(body instanceof ReadableStream ? { duplex: "half" } : {}),
  };
  const answer = await through(`${gateway.url}/api/blobs/${name}`, request as RequestInit);
  const text = await answer.text();
  return answer.ok ? "stored" : codeOf(text);
}

describe("an upload", () => {
  const stored = (): number => gateway.upstream().deeds.filter(({ what }) => what === "blob").length;
  const altered = Buffer.from(file);
  altered[altered.length - 1]! ^= 1;

  it("is stored when it is what its path names, signed or not, of known length or not, and empty, too", async () => {
    expect(await upload(nameOf(file), file)).toBe("stored");
    expect(await upload(nameOf(file), file, unsigned)).toBe("stored");
    expect(await upload(nameOf(file), streamed(file), unsigned)).toBe("stored");
    expect(await upload(nameOf(Buffer.alloc(0)), streamed(Buffer.alloc(0)), unsigned)).toBe("stored");
    expect(await upload(nameOf(Buffer.alloc(0)), Buffer.alloc(0), unsigned)).toBe("stored");
    expect(stored()).toBe(5);
  });

  it("whose bytes are altered on the way never becomes whole at the model server", async () => {
    send = (input, init) => fetch(input, { ...init, body: altered });
    expect(await upload(nameOf(file), file)).toBe("signature_invalid");
    send = (input, init) => fetch(input, { ...init, body: streamed(altered), duplex: "half" } as RequestInit);
    expect(await upload(nameOf(file), file)).toBe("signature_invalid");
    expect(await upload(nameOf(file), altered, unsigned)).toBe("digest_mismatch");
    expect(await upload(nameOf(file), streamed(altered), unsigned)).toBe("digest_mismatch");
    expect(await upload(nameOf(file), streamed(Buffer.alloc(0)), unsigned)).toBe("digest_mismatch");
    expect(stored()).toBe(0);
  });

  it("cannot be signed for one name and sent to another", async () => {
    send = (input, init) => fetch((input as string).replace(nameOf(file), nameOf(altered)), { ...init, body: altered });
    expect(await upload(nameOf(file), file)).toBe("signature_invalid");
    expect(stored()).toBe(0);
  });
});
