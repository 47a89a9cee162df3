/** Doors besides the credential, on a running gateway: networks, signatures, path secrets, and the Ollama client's own signature. */
import { createHash, generateKeyPairSync, sign } from "node:crypto";
import type { KeyObject } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { sallyportProfile } from "@sallyport/protocol";
import { codeOf, startGateway } from "./started-gateway.ts";
import type { Clock } from "../program-under-test.ts";
import type { IssuedKey, KeyWish, StartedGateway } from "./started-gateway.ts";

const CHAT = { model: "llama3.2", messages: [{ role: "user", content: "hi" }], stream: false };
const YAML = `    pathSecrets: allow
    requireFor: [{ do: ["models:delete"], need: [signature] }]
`;
let gateway: StartedGateway;
/** A clock that can be set on: what was signed before a start, or much earlier, needs no waiting. */
let aheadMs = 0;
const clock: Clock = { now: () => Date.now() + aheadMs, monotonic: () => performance.now() };
const now = (): number => Math.floor(clock.now() / 1_000);
/** The gateway takes no signature of the time before it began to remember them. */
const pastItsStart = (): void => void (aheadMs += 10_000);

beforeAll(async () => {
  gateway = await startGateway({
    environmentYaml: YAML,
    moreYaml: `roles:
  near: { allow: [{ do: [infer:chat], on: [llama3.2] }], networks: ["10.0.0.0/8"] }
  anywhere: { allow: [{ do: [infer:chat], on: [llama3.2] }] }
`,
    // The client's address is said by a proxy on loopback, so that a test can come from anywhere.
    settings: { trustedProxies: ["127.0.0.1/32"] },
    clock,
  });
});
afterAll(() => gateway.stop());

async function chat(key: string, address: string, headers: Record<string, string> = {}): Promise<string> {
  const answer = await gateway.post("/api/chat", key, CHAT, { "x-forwarded-for": address, ...headers });
  const text = await answer.text();
  return answer.ok ? "allowed" : codeOf(text);
}

async function issue(
  wish: KeyWish & { networks?: string[]; binding?: string; require?: string[] },
): Promise<IssuedKey> {
  return gateway.issue(wish);
}

describe("networks", () => {
  it("a key of some networks is refused from elsewhere, also behind IPv4 in IPv6", async () => {
    const { key } = await issue({ networks: ["10.1.0.0/16", "2001:db8::/32"] });
    expect(await chat(key, "10.1.2.3")).toBe("allowed");
    expect(await chat(key, "::ffff:10.1.2.3")).toBe("allowed");
    expect(await chat(key, "2001:db8::7")).toBe("allowed");
    expect(await chat(key, "10.2.0.1")).toBe("network_denied");
    expect(await chat(key, "2001:db9::7")).toBe("network_denied");
  });

  it("what a client writes into x-forwarded-for himself is not believed", async () => {
    const { key } = await issue({ networks: ["10.1.0.0/16"] });
    expect(await chat(key, "10.1.2.3, 192.0.2.1")).toBe("network_denied");
  });

  it("a role's networks bind what it grants, and no more", async () => {
    const near = await issue({ allow: [], roles: ["near"] });
    const both = await issue({ allow: [], roles: ["near", "anywhere"] });
    expect([await chat(near.key, "10.9.9.9"), await chat(near.key, "192.0.2.1")]).toEqual([
      "allowed",
      "network_denied",
    ]);
    expect(await chat(both.key, "192.0.2.1")).toBe("allowed");
  });

  it("a key that is bound to its first use works from there alone, also after a restart", async () => {
    const { id, key } = await issue({ binding: "first_use" });
    expect(await chat(key, "192.0.2.7")).toBe("allowed");
    expect(await chat(key, "192.0.2.8")).toBe("network_denied");
    const bound = await gateway.admin<{ networks: string[] }>("GET", `/v1/keys/${id}`);
    expect(bound.networks).toEqual(["192.0.2.7/32"]);
    await gateway.restart();
    expect([await chat(key, "192.0.2.8"), await chat(key, "192.0.2.7")]).toEqual(["network_denied", "allowed"]);
  });

  it("of many first callers at the same time, one network is the first", async () => {
    const { key } = await issue({ binding: "first_use" });
    const said = await Promise.all(Array.from({ length: 8 }, (_, i) => chat(key, `198.51.100.${i + 1}`)));
    expect(said.toSorted()).toEqual(["allowed", ...Array.from({ length: 7 }, () => "network_denied")]);
  });

  it("a use from elsewhere is no use: it neither counts nor begins an overlap", async () => {
    const { id } = await issue({ networks: ["10.1.0.0/16"] });
    const next = await gateway.admin<{ key: string }>("POST", `/v1/keys/${id}/rotate`, {});
    expect(await chat(next.key, "192.0.2.1")).toBe("network_denied");
    const shown = await gateway.admin<{ lastUsedAt: string | null; secrets: { state: string }[] }>(
      "GET",
      `/v1/keys/${id}`,
    );
    expect(shown.lastUsedAt).toBeNull();
    expect(shown.secrets.map(({ state }) => state)).toEqual(["active", "pending"]);
  });

  it("what runs from a network that is taken away is cut", async () => {
    const { id, key } = await issue({});
    gateway.upstream().intercept = (_seen, response) => {
      response.writeHead(200, { "content-type": "application/x-ndjson" });
      response.write('{"model":"m","created_at":"x","message":{"role":"assistant","content":"a"},"done":false}\n');
      return true;
    };
    const running = await gateway.post("/api/chat", key, { ...CHAT, stream: true }, { "x-forwarded-for": "192.0.2.1" });
    await gateway.admin("POST", `/v1/keys/${id}/factors`, { networks: ["10.0.0.0/8"] });
    const last = (await running.text()).trim().split("\n").at(-1)!;
    gateway.upstream().intercept = undefined;
    expect(codeOf(last)).toBe("network_denied");
    expect(await chat(key, "192.0.2.1")).toBe("network_denied");
  });
});

interface Signed {
  readonly headers: Record<string, string>;
  readonly body: string;
}

function signed(
  signer: { id: string; key: KeyObject },
  { environment = "dev", body = JSON.stringify(CHAT), path = "/api/chat", method = "POST", atMs = clock.now() } = {},
): Signed {
  const url = new URL(gateway.url);
  const digest = `sha-256=:${createHash("sha256").update(body).digest("base64")}:`;
  const created = Math.floor(atMs / 1_000);
  const nonce = createHash("sha256").update(`${Math.random()}`).digest("base64url");
  const covered = [...sallyportProfile.components, ...sallyportProfile.bodyComponents];
  const values: Record<string, string> = {
    "@method": method,
    "@target-uri": gateway.url + path,
    "@authority": url.host,
    "sallyport-environment": environment,
    "content-digest": digest,
    "content-type": "application/json",
  };
  const input = `(${covered.map((name) => `"${name}"`).join(" ")});created=${created};expires=${created + 30};nonce="${nonce}";keyid="${signer.id}";alg="ed25519";tag="sallyport"`;
  const base = [...covered.map((name) => `"${name}": ${values[name]}`), `"@signature-params": ${input}`].join("\n");
  const signature = sign(null, Buffer.from(base), signer.key).toString("base64");
  return {
    body,
    headers: {
      "content-digest": digest,
      "sallyport-environment": environment,
      "signature-input": `sig=${input}`,
      signature: `sig=:${signature}:`,
    },
  };
}

describe("signatures", () => {
  let key: IssuedKey;
  let signer: { id: string; key: KeyObject };

  beforeAll(async () => {
    const { publicKey, privateKey } = generateKeyPairSync("ed25519");
    key = await issue({ require: ["signature"], allow: ["infer:chat", "models:delete"] });
    const pem = publicKey.export({ type: "spki", format: "pem" }).toString();
    const { id } = await gateway.admin<{ id: string }>("POST", `/v1/keys/${key.id}/signers`, {
      use: "request",
      publicKey: pem,
    });
    signer = { id, key: privateKey };
  });
  beforeEach(pastItsStart);

  async function send({ headers, body }: Signed, text = key.key): Promise<{ code: string; headers: Headers }> {
    const answer = await gateway.post("/api/chat", text, body, { "x-forwarded-for": "192.0.2.1", ...headers });
    const said = await answer.text();
    return { code: answer.ok ? "allowed" : codeOf(said), headers: answer.headers };
  }

  it("a signature of the time before the gateway remembered them is refused, and told when to come again", async () => {
    await gateway.restart();
    const { code, headers } = await send(signed(signer));
    expect([code, headers.get("retry-after")]).toEqual(["signature_invalid", "6"]);
  });

  it("a request with a good signature passes, once", async () => {
    const request = signed(signer);
    expect((await send(request)).code).toBe("allowed");
    expect((await send(request)).code).toBe("signature_replayed");
  });

  it("a request without one is refused, and told how to sign", async () => {
    const { code, headers } = await send({ headers: {}, body: JSON.stringify(CHAT) });
    expect(code).toBe("signature_missing");
    expect(headers.get("accept-signature")).toMatch(/^sallyport=\("@method" "@target-uri" .*;tag="sallyport"$/);
  });

  it("another body, environment, or key's signature is refused", async () => {
    const altered = { ...signed(signer), body: JSON.stringify({ ...CHAT, model: "other" }) };
    expect((await send(altered)).code).toBe("signature_invalid");
    expect((await send(signed(signer, { environment: "prod" }))).code).toBe("signature_invalid");
    expect((await send(signed(signer, { path: "/api/generate" }))).code).toBe("signature_invalid");
    const stranger = generateKeyPairSync("ed25519").privateKey;
    expect((await send(signed({ ...signer, key: stranger }))).code).toBe("signature_invalid");
    const other = await issue({ require: ["signature"] });
    expect((await send(signed(signer), other.key)).code).toBe("signature_invalid");
  });

  it("a bad signature is refused where none was demanded, too", async () => {
    const free = await issue({});
    expect(await chat(free.key, "192.0.2.1")).toBe("allowed");
    expect((await send(signed(signer), free.key)).code).toBe("signature_invalid");
  });

  it("a signer that is removed signs nothing more", async () => {
    const { publicKey, privateKey } = generateKeyPairSync("ed25519");
    const pem = publicKey.export({ type: "spki", format: "pem" }).toString();
    const { id } = await gateway.admin<{ id: string }>("POST", `/v1/keys/${key.id}/signers`, {
      use: "request",
      publicKey: pem,
    });
    expect((await send(signed({ id, key: privateKey }))).code).toBe("allowed");
    await gateway.admin("POST", `/v1/keys/${key.id}/signers/remove`, { signer: id });
    expect((await send(signed({ id, key: privateKey }))).code).toBe("signature_invalid");
  });

  it("a permission can demand it by itself", async () => {
    const deleter = await issue({ allow: ["infer:chat", "models:delete"] });
    const answer = await fetch(`${gateway.url}/api/delete`, {
      method: "DELETE",
      headers: { authorization: `Bearer ${deleter.key}`, "content-type": "application/json" },
      body: JSON.stringify({ model: "llama3.2" }),
    });
    expect([answer.status, codeOf(await answer.text())]).toEqual([401, "signature_missing"]);
    expect(await chat(deleter.key, "192.0.2.1")).toBe("allowed");
  });
});

describe("the path secret", () => {
  const at = (secret: string, address: string, headers: Record<string, string> = {}): Promise<Response> =>
    fetch(`${gateway.url}/k/${secret}/api/chat`, {
      method: "POST",
      headers: { "content-type": "application/json", "x-forwarded-for": address, ...headers },
      body: JSON.stringify(CHAT),
    });

  it("opens what its key opens, over loopback, in a path and nowhere else, and ends with its key", async () => {
    const { id, key } = await issue({ networks: ["127.0.0.0/8", "192.0.2.0/24"] });
    const { pathSecret } = await gateway.admin<{ pathSecret: string }>("POST", `/v1/keys/${id}/path-secret`);
    expect(pathSecret).toMatch(/^spp_dev_/);
    expect((await at(pathSecret, "127.0.0.1")).status).toBe(200);
    // Without TLS only on loopback; with a key beside it, it is a second credential; a key in the path is none.
    expect(codeOf(await (await at(pathSecret, "192.0.2.1")).text())).toBe("path_secret_denied");
    expect((await at(pathSecret, "127.0.0.1", { authorization: `Bearer ${key}` })).status).toBe(400);
    expect(codeOf(await (await at(key, "127.0.0.1")).text())).toBe("credential_malformed");
    expect(await chat(pathSecret, "127.0.0.1")).toBe("credential_malformed");
    await gateway.admin("POST", `/v1/keys/${id}/revoke`);
    expect(codeOf(await (await at(pathSecret, "127.0.0.1")).text())).toBe("key_revoked");
  });

  it("needs a network that somebody wrote down", async () => {
    const { id } = await issue({});
    await expect(gateway.admin("POST", `/v1/keys/${id}/path-secret`)).rejects.toThrow("requires a network allow-list");
  });
});

describe("the Ollama client's own signature", () => {
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  const raw = publicKey.export({ type: "spki", format: "der" }).subarray(-32);
  const wire = (text: string | Buffer): Buffer => {
    const bytes = Buffer.from(text as string);
    const length = Buffer.alloc(4);
    length.writeUInt32BE(bytes.length);
    return Buffer.concat([length, bytes]);
  };
  const blob = Buffer.concat([wire("ssh-ed25519"), wire(raw)]).toString("base64");
  /** As the reference describes it: method and path with the time, no scheme word. */
  const ask = (ts: number, address: string, signedAs = "/api/chat"): Promise<Response> => {
    const signature = sign(null, Buffer.from(`POST,${signedAs}?ts=${ts}`), privateKey).toString("base64");
    return fetch(`${gateway.url}/api/chat?ts=${ts}`, {
      method: "POST",
      headers: {
        authorization: `${blob}:${signature}`,
        "content-type": "application/json",
        "x-forwarded-for": address,
      },
      body: JSON.stringify(CHAT),
    });
  };

  it("is a credential once it is registered: with no key, for its own requests, from one address, for a short time", async () => {
    expect(codeOf(await (await ask(now(), "192.0.2.1")).text())).toBe("key_unknown");
    const { id } = await issue({});
    const other = await issue({});
    const file = `ssh-ed25519 ${blob} me@laptop\n`;
    await gateway.admin("POST", `/v1/keys/${id}/signers`, { use: "ollama", publicKey: file });
    await expect(
      gateway.admin("POST", `/v1/keys/${other.id}/signers`, { use: "ollama", publicKey: file }),
    ).rejects.toThrow("409");
    await gateway.restart();
    expect(codeOf(await (await ask(now(), "192.0.2.1")).text())).toBe("signature_replayed");
    pastItsStart();
    const ts = now();
    expect([(await ask(ts, "192.0.2.1")).status, (await ask(ts, "192.0.2.1")).status]).toEqual([200, 200]);
    expect(codeOf(await (await ask(ts, "192.0.2.2")).text())).toBe("signature_replayed");
    pastItsStart();
    expect(codeOf(await (await ask(ts, "192.0.2.1")).text())).toBe("signature_replayed");
    expect(codeOf(await (await ask(now() - 120, "192.0.2.1")).text())).toBe("signature_invalid");
    expect(codeOf(await (await ask(ts, "192.0.2.1", "/api/generate")).text())).toBe("key_unknown");
    await gateway.restart();
    expect(codeOf(await (await ask(ts, "192.0.2.1")).text())).toBe("signature_replayed");
    await gateway.admin("POST", `/v1/keys/${id}/revoke`);
    expect(codeOf(await (await ask(now(), "192.0.2.1")).text())).toBe("key_unknown");
  });

  it("serves scripts that start many commands in the same second", async () => {
    const { id } = await issue({ roles: ["cli"], models: ["llama3.2"] });
    const pair = generateKeyPairSync("ed25519");
    const own = pair.publicKey.export({ type: "spki", format: "der" }).subarray(-32);
    const text = Buffer.concat([wire("ssh-ed25519"), wire(own)]).toString("base64");
    const publicKey = `ssh-ed25519 ${text} me@laptop\n`;
    await gateway.admin("POST", `/v1/keys/${id}/signers`, { use: "ollama", publicKey });
    pastItsStart();
    const ts = now();
    const call = async (method: string, path: string, body?: object): Promise<number> => {
      const signature = sign(null, Buffer.from(`${method},${path}?ts=${ts}`), pair.privateKey).toString("base64");
      const headers = { authorization: `${text}:${signature}`, "content-type": "application/json" };
      const url = `${gateway.url}${path}?ts=${ts}`;
      const answer = await fetch(url, { method, headers, ...(body ? { body: JSON.stringify(body) } : {}) });
      await answer.arrayBuffer();
      return answer.status;
    };
    // As seen: `ollama list` asks once, `ollama run` shows the model, loads it and chats.
    const lists = Array.from({ length: 20 }, () => call("GET", "/api/tags"));
    const runs = Array.from({ length: 12 }, async () => [
      await call("POST", "/api/show", { model: "llama3.2" }),
      await call("POST", "/api/generate", { model: "llama3.2", prompt: "", keep_alive: "1h0m0s" }),
      await call("POST", "/api/chat", { ...CHAT, stream: true }),
    ]);
    const statuses = [...(await Promise.all(lists)), ...(await Promise.all(runs)).flat()];
    expect(new Set(statuses)).toEqual(new Set([200]));
  });
});
