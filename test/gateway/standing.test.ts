/**
 * Every row of the table of standing, by a change that really happens while a stream runs: the stream is cut, or runs on
 * where the row is not asked of what runs; the next request is denied with the row's code; `explain` and introspection say
 * the same. A row without a case fails, and so does a row whose check is taken away.
 */
import { generateKeyPairSync, sign } from "node:crypto";
import type { ServerResponse } from "node:http";
import { signingFetch } from "@sallyport/client";
import { afterEach, describe, expect, test } from "vitest";
import { standing } from "../program-under-test.ts";
import type { Clock, Settings } from "../program-under-test.ts";
import { codeOf, startGateway } from "./started-gateway.ts";
import type { IssuedKey, KeyWish, StartedGateway } from "./started-gateway.ts";
import { TokenDesk } from "./token-desk.ts";

const HOUR_MS = 3_600_000;
const CHAT = JSON.stringify({ model: "llama3.2", messages: [{ role: "user", content: "x" }] });
const PIECE = '{"model":"m","created_at":"x","message":{"role":"assistant","content":"a"},"done":false}\n';
const ALLOWED = ["infer:chat"];

let aheadMs = 0;
const clock: Clock = { now: () => Date.now() + aheadMs, monotonic: () => performance.now() };
let gateway: StartedGateway;
afterEach(() => gateway.stop());

type Call = (body: string) => Promise<Response>;

interface Scene {
  readonly key: IssuedKey;
  readonly desk: TokenDesk;
}

/** What a request carries, and the token that introspection is asked about. */
interface Credential {
  readonly call: Call;
  readonly token?: string;
}

interface Case {
  readonly environments?: readonly string[];
  readonly environmentYaml?: string;
  readonly moreYaml?: string;
  readonly settings?: Partial<Settings>;
  readonly wish?: KeyWish & { readonly networks?: readonly string[] };
  readonly before?: () => Promise<unknown>;
  /** Default: the key in a header, and a token of it. */
  readonly credential?: (scene: Scene) => Promise<Credential>;
  /** Null = it stands so from the start, and nothing of it can ever run. */
  readonly change: ((scene: Scene) => Promise<unknown>) | null;
  /** What `explain` says, where it is asked about this. */
  readonly explained?: RegExp;
  /** What cannot be asked afterwards, because who would ask is gone or the token has expired. */
  readonly unasked?: readonly ("explain" | "introspection")[];
}

const act = (path: string, body?: object) => (scene: Scene) =>
  gateway.admin("POST", `/v1/keys/${scene.key.id}/${path}`, body);

async function urlOf(environment: string): Promise<string> {
  const { upstreams } = await gateway.admin<{ upstreams: { environment: string; url: string }[] }>(
    "GET",
    "/v1/upstreams",
  );
  return upstreams.find((upstream) => upstream.environment === environment)!.url;
}

/** The environment's entry is this from now on. */
async function rewrite(entry: string): Promise<unknown> {
  return gateway.apply(`environments:\n  dev: { upstreams: [{ url: "${await urlOf("dev")}" }], ${entry} }\n`);
}

const cases: Readonly<Record<string, Case>> = {
  "the key is revoked": { change: act("revoke"), explained: /is revoked/ },
  "the key has expired": {
    wish: { ttl: "1h" },
    change: async () => void (aheadMs += 2 * HOUR_MS),
    explained: /has expired/,
  },
  "the key is suspended": { change: act("suspend"), explained: /is suspended/ },
  "the token, or one it was exchanged from, is revoked": {
    async credential({ desk }) {
      const source = await desk.mint();
      const token = await desk.mint({
        grant_type: "urn:ietf:params:oauth:grant-type:token-exchange",
        subject_token: source,
        subject_token_type: "urn:ietf:params:oauth:token-type:access_token",
      });
      sources.set(token, source);
      return { call: bearer(token), token };
    },
    change: ({ desk }) => desk.ask("/oauth/revoke", { token: [...sources.values()].at(-1)! }),
  },
  "the workload behind the token is not trusted any more": {
    async credential({ key, desk }) {
      const token = await tokenOfWorkload(key, desk);
      return { call: bearer(token), token };
    },
    async change({ key }) {
      const { workloads } = await gateway.admin<{ workloads: { id: string }[] }>("GET", `/v1/keys/${key.id}`);
      await gateway.admin("POST", `/v1/keys/${key.id}/workloads/remove`, { workload: workloads[0]!.id });
    },
  },
  "the URL token was replaced or removed": {
    environmentYaml: "    pathSecrets: allow\n",
    wish: { networks: ["127.0.0.0/8"] },
    credential: byPath,
    change: act("path-secret/remove"),
  },
  "the Ollama client's public key is not registered any more": {
    credential: byOllama,
    async change({ key }) {
      const { signers } = await gateway.admin<{ signers: { id: string }[] }>("GET", `/v1/keys/${key.id}`);
      await gateway.admin("POST", `/v1/keys/${key.id}/signers/remove`, { signer: signers[0]!.id });
    },
  },
  "the public key that signed is not registered any more": {
    credential: bySignature,
    async change({ key }) {
      const { signers } = await gateway.admin<{ signers: { id: string }[] }>("GET", `/v1/keys/${key.id}`);
      await gateway.admin("POST", `/v1/keys/${key.id}/signers/remove`, { signer: signers[0]!.id });
    },
  },
  "the environment is not served here": {
    environments: ["dev", "other"],
    settings: { environments: ["other"] },
    change: null,
    explained: /settings do not serve it here/,
    unasked: ["introspection"],
  },
  "the owner is disabled or gone": {
    environmentYaml: "    keys: { onLeave: keep, onRoleLost: keep }\n",
    moreYaml: `roles:
  bot: { allow: [{ do: [infer:chat], on: [llama3.2] }] }
assign: [{ group: team, role: bot, in: [dev] }]
`,
    before: () => gateway.admin("POST", "/v1/principals", { kind: "person", name: "ada", groups: ["team"] }),
    wish: { owner: "ada", roles: ["bot"], allow: [] },
    async change() {
      const { principals } = await gateway.admin<{ principals: { id: string; name: string }[] }>(
        "GET",
        "/v1/principals",
      );
      await gateway.admin("POST", `/v1/principals/${principals.find(({ name }) => name === "ada")!.id}/disable`);
    },
    explained: /disabled or gone/,
  },
  "URL tokens are not allowed, or the key has no network allow-list": {
    environmentYaml: "    pathSecrets: allow\n",
    wish: { networks: ["127.0.0.0/8"] },
    credential: byPath,
    change: () => rewrite("pathSecrets: deny"),
  },
  "the request comes from another network": {
    change: act("factors", { networks: ["10.0.0.0/8"] }),
    explained: /lets in 10\.0\.0\.0\/8: 127\.0\.0\.1 is outside$/,
  },
  "the environment takes tokens only": {
    change: () => rewrite("tokens: { only: true }"),
    explained: /takes tokens only/,
  },
  "a signature is demanded": {
    change: act("factors", { require: ["signature"] }),
    explained: /demands signed requests/,
  },
  "a network is demanded, and none is written down": {
    change: act("factors", { require: ["network"] }),
    explained: /neither has a list of networks/,
  },
  "a fresh identity is required": {
    change: act("factors", { require: ["identity"] }),
    explained: /none was proven/,
  },
  "the model server is not the environment's any more": {
    change: () => gateway.apply("environments:\n  dev: { upstreams: [] }\n"),
    explained: /has no model server/,
  },
  "the key expires soon": {
    environmentYaml: "    keys: { notices: [3d, 1d], brownout: 2d }\n",
    wish: { ttl: "4d" },
    async change({ key }) {
      const wanted = Math.floor((Date.parse(key.expiresAt) - 24 * HOUR_MS) / HOUR_MS) * HOUR_MS + 60_000;
      aheadMs += wanted - clock.now();
    },
    explained: /expires soon/,
    unasked: ["introspection"],
  },
};

const sources = new Map<string, string>();

const bearer =
  (text: string): Call =>
  (body) =>
    gateway.post("/api/chat", text, body);

async function byPath({ key }: Scene): Promise<Credential> {
  const { pathSecret } = await gateway.admin<{ pathSecret: string }>("POST", `/v1/keys/${key.id}/path-secret`);
  const headers = { "content-type": "application/json" };
  return { call: (body) => fetch(`${gateway.url}/k/${pathSecret}/api/chat`, { method: "POST", headers, body }) };
}

async function bySignature({ key }: Scene): Promise<Credential> {
  const pair = generateKeyPairSync("ed25519");
  const publicKey = pair.publicKey.export({ type: "spki", format: "pem" }).toString();
  const { id } = await gateway.admin<{ id: string }>("POST", `/v1/keys/${key.id}/signers`, {
    use: "request",
    publicKey,
  });
  // Nothing that was signed before a start is taken.
  aheadMs += 10_000;
  const privateKey = pair.privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  const signed = signingFetch({
    gateway: gateway.url,
    environment: "dev",
    key: key.key,
    now: () => clock.now(),
    signer: { keyid: id, algorithm: "ed25519", privateKey },
  });
  const headers = { "content-type": "application/json" };
  return { call: (body) => signed(`${gateway.url}/api/chat`, { method: "POST", headers, body }) };
}

async function byOllama({ key }: Scene): Promise<Credential> {
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  const wire = (text: string | Buffer): Buffer => {
    const bytes = Buffer.from(text as string);
    const length = Buffer.alloc(4);
    length.writeUInt32BE(bytes.length);
    return Buffer.concat([length, bytes]);
  };
  const raw = publicKey.export({ type: "spki", format: "der" }).subarray(-32);
  const blob = Buffer.concat([wire("ssh-ed25519"), wire(raw)]).toString("base64");
  await gateway.admin("POST", `/v1/keys/${key.id}/signers`, {
    use: "ollama",
    publicKey: `ssh-ed25519 ${blob} me@laptop\n`,
  });
  aheadMs += 10_000;
  return {
    call(body) {
      const ts = Math.floor(clock.now() / 1_000);
      const signature = sign(null, Buffer.from(`POST,/api/chat?ts=${ts}`), privateKey).toString("base64");
      const headers = { authorization: `${blob}:${signature}`, "content-type": "application/json" };
      return fetch(`${gateway.url}/api/chat?ts=${ts}`, { method: "POST", headers, body });
    },
  };
}

async function tokenOfWorkload(key: IssuedKey, desk: TokenDesk): Promise<string> {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const issuer = "https://kubernetes.default.svc";
  await gateway.admin("POST", `/v1/keys/${key.id}/workloads`, {
    template: "generic",
    issuer,
    audience: "sallyport-test",
    claims: { sub: "pod" },
    jwks: JSON.stringify({ keys: [{ ...publicKey.export({ format: "jwk" }), kid: "c", use: "sig" }] }),
  });
  const now = Math.floor(clock.now() / 1_000);
  const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");
  const said = { iss: issuer, aud: "sallyport-test", sub: "pod", iat: now, exp: now + 300 };
  const text = `${encode({ alg: "ES256", typ: "JWT", kid: "c" })}.${encode(said)}`;
  const signature = sign("sha256", Buffer.from(text), { key: privateKey, dsaEncoding: "ieee-p1363" });
  const form = {
    grant_type: "urn:ietf:params:oauth:grant-type:token-exchange",
    client_id: key.id,
    subject_token: `${text}.${signature.toString("base64url")}`,
    subject_token_type: "urn:ietf:params:oauth:token-type:jwt",
  };
  return desk.mint(form, {});
}

/** A chat that has shown its first piece and goes on when it is told to. */
async function running(call: Call): Promise<{ goOn: () => void; next: () => Promise<string> }> {
  let upstream: ServerResponse | undefined;
  gateway.upstream().intercept = (_seen, response: ServerResponse) => {
    // It is written to once its reader is gone.
    upstream = response.on("error", () => {});
    response.writeHead(200, { "content-type": "application/x-ndjson" });
    response.write(PIECE);
    return true;
  };
  const answer = await call(CHAT);
  expect(answer.status).toBe(200);
  const reader = answer.body!.getReader();
  const next = async (): Promise<string> => {
    const { value } = await reader.read();
    return value === undefined ? "" : Buffer.from(value).toString("utf8").trim();
  };
  expect(await next()).toBe(PIECE.trim());
  return { goOn: () => void upstream!.write(PIECE), next };
}

async function denialOf(answer: Response): Promise<string> {
  const text = await answer.text();
  return answer.ok ? "allowed" : codeOf(text);
}

function explain(keyId: string): Promise<{ code: string; because: string[] }> {
  const asked = { keyId, method: "POST", path: "/api/chat", model: "llama3.2", address: "127.0.0.1" };
  return gateway.admin("POST", "/v1/explain", asked);
}

test("every row has a case, and every case a row", () => {
  gateway = { stop: () => Promise.resolve() } as StartedGateway;
  expect(standing.map(({ name }) => name).toSorted()).toEqual(Object.keys(cases).toSorted());
});

describe("what runs, what comes next, and what is said of it, when", () => {
  test.each(standing.map((row) => [row.name, row] as const))("%s", async (name, row) => {
    const said = cases[name]!;
    const { environments = ["dev"], environmentYaml = "", moreYaml = "", settings = {} } = said;
    aheadMs = 0;
    gateway = await startGateway({ environments, environmentYaml, moreYaml, settings, clock });
    await said.before?.();
    const key = await gateway.issue({ allow: ALLOWED, ...said.wish });
    const scene = { key, desk: new TokenDesk(gateway, key) };
    const canAsk = (moment: "explain" | "introspection"): boolean => !said.unasked?.includes(moment);

    let call = bearer(key.key);
    let stream: Awaited<ReturnType<typeof running>> | undefined;
    let isActive: (() => Promise<unknown>) | undefined;
    if (said.change) {
      const credential = (await said.credential?.(scene)) ?? { call, token: await scene.desk.mint() };
      ({ call } = credential);
      if (credential.token !== undefined && canAsk("introspection")) isActive = await introspectionOf(credential.token);
      stream = await running(call);
      // Until it changes, all of them say yes.
      expect((await explain(key.id)).code).toBe("allowed");
      if (isActive) expect(await isActive()).toBe(true);
      await said.change(scene);
    }

    if (stream && row.asked.includes("again")) {
      // A change is acknowledged when what runs is cut: what the model says next comes too late.
      stream.goOn();
      expect(codeOf(await stream.next())).toBe(row.code);
    } else if (stream) {
      // Everything that runs is judged again at any change.
      await gateway.admin("POST", "/v1/principals", { kind: "service", name: "somebody else" });
      stream.goOn();
      expect(await stream.next()).toBe(PIECE.trim());
    }
    gateway.upstream().intercept = undefined;
    // What is asked at admission is told before anybody looks at the body.
    if (row.asked.includes("admission")) expect(await denialOf(await call("{"))).toBe(row.code);
    expect(await denialOf(await call(CHAT))).toBe(row.code);

    if (canAsk("explain")) {
      const { code, because } = await explain(key.id);
      expect(code).toBe(row.asked.includes("explain") ? row.code : "allowed");
      if (said.explained) expect(because.at(-1)).toMatch(said.explained);
      expect(row.asked.includes("explain")).toBe(said.explained !== undefined);
    }
    if (isActive) expect(await isActive()).toBe(!row.asked.includes("introspection"));
  });
});

async function introspectionOf(token: string): Promise<() => Promise<unknown>> {
  const asker = await gateway.issue({ allow: ["tokens:introspect"], models: [] });
  const desk = new TokenDesk(gateway, asker);
  return async () => (await desk.ask("/oauth/introspect", { token })).body["active"];
}
