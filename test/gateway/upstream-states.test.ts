/** What administrators decide about a model server: drained it takes nothing new, and its credential goes nowhere else. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TLSSocket } from "node:tls";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import {
  backUpDirectory,
  dataPaths,
  loadSettings,
  openSealer,
  rekey,
  restoreDirectory,
  UpstreamFile,
} from "../program-under-test.ts";
import { GoUpstream } from "../upstream/go-upstream.ts";
import { OpenaiUpstream } from "../upstream/openai-upstream.ts";
import { untilCounters, untilIdle } from "./gateway-counters.ts";
import { codeOf, startGateway } from "./started-gateway.ts";
import type { StartedGateway } from "./started-gateway.ts";

const CREDENTIAL = "token-that-nobody-may-see";
const chat = { model: "llama3.2", messages: [{ role: "user", content: "x" }], stream: false };

let gateway: StartedGateway;
let key: string;
let one: GoUpstream;
let two: GoUpstream;
const opened: { close(): Promise<void> }[] = [];

beforeAll(async () => {
  gateway = await startGateway();
  ({ key } = await gateway.issue({ allow: ["infer:chat", "models:pull", "models:list"], models: ["*"] }));
});
afterAll(() => gateway.stop());
beforeEach(async () => {
  one = new GoUpstream();
  two = new GoUpstream();
  opened.push(one, two);
});
afterEach(async () => {
  await untilIdle(gateway);
  for (const server of opened.splice(0)) await server.close();
});

async function use(...servers: readonly { listen(): Promise<string> }[]): Promise<string[]> {
  const urls = await Promise.all(servers.map((server) => server.listen()));
  const list = urls.map((url, i) => `{ url: "${url}", concurrency: 1${kindOf(servers[i])} }`).join(", ");
  await gateway.apply(`environments:\n  dev:\n    upstreams: [${list}]\n`);
  return urls;
}

const kindOf = (server: unknown): string => (server instanceof OpenaiUpstream ? ", kind: openai" : "");
const at = (id: string, what: string): string => `/v1/environments/dev/upstreams/${id}/${what}`;
const drain = (id: string, isDrained = true): Promise<Record<string, unknown>> =>
  gateway.admin("POST", at(id, "drain"), { isDrained });

interface State {
  readonly id: string;
  readonly isDrained: boolean;
  readonly hasCredential: boolean;
  readonly running: number;
}

async function states(): Promise<State[]> {
  return (await gateway.admin<{ upstreams: State[] }>("GET", "/v1/upstreams")).upstreams;
}

async function ask(path = "/api/chat", body: object = chat): Promise<[status: number, code: string]> {
  const answer = await gateway.post(path, key, body);
  const text = await answer.text();
  return [answer.status, answer.ok ? "" : codeOf(text)];
}

describe("a drained model server", () => {
  test("takes nothing new, finishes what runs, and is there again when that is undone", async () => {
    await use(one, two);
    let release = (): void => {};
    one.intercept = () => new Promise<boolean>((resolve) => (release = () => resolve(false)));
    // The first of the two is the first server's.
    const running = ask();
    await untilCounters(gateway, ({ upstreamRunning }) => upstreamRunning === 1);
    expect(await drain("u1")).toMatchObject({ id: "u1", isDrained: true, running: 1 });
    one.intercept = undefined;
    for (let i = 0; i < 4; i++) expect(await ask()).toEqual([200, ""]);
    release();
    expect(await running).toEqual([200, ""]);
    expect([one.seen.length, two.seen.length]).toEqual([1, 4]);
    expect(await states()).toMatchObject([{ id: "u1", isDrained: true, running: 0 }, { isDrained: false }]);
    await drain("u2");
    expect(await ask()).toEqual([503, "upstream_drained"]);
    expect(await ask("/v1/chat/completions")).toEqual([503, "upstream_drained"]);
    await drain("u1", false);
    expect(await ask()).toEqual([200, ""]);
  });

  test("denies what waits for it, and is asked for no list", async () => {
    await use(one);
    let release = (): void => {};
    one.intercept = () => new Promise<boolean>((resolve) => (release = () => resolve(false)));
    const running = ask();
    await untilCounters(gateway, ({ upstreamRunning }) => upstreamRunning === 1);
    const waiting = ask();
    await untilCounters(gateway, (counters) => counters.waiting === 1);
    await drain("u1");
    expect(await waiting).toEqual([503, "upstream_drained"]);
    release();
    expect(await running).toEqual([200, ""]);
    const looks = one.looks;
    expect(await ask()).toEqual([503, "upstream_drained"]);
    expect(one.looks).toBe(looks);
  });

  test("gets no request that manages models, nor does another in its place", async () => {
    await use(one, two);
    await drain("u1");
    expect(await ask("/api/pull", { model: "llama3.2" })).toEqual([503, "upstream_drained"]);
    expect([one.deeds, two.deeds]).toEqual([[], []]);
  });

  test("stays so over a restart and a change of policy, is recorded, and another server in its place is not", async () => {
    const [url] = await use(one);
    await drain("u1");
    await gateway.restart();
    expect(await ask()).toEqual([503, "upstream_drained"]);
    await gateway.apply(`environments:\n  dev:\n    upstreams: [{ url: "${url}", concurrency: 3 }]\n`);
    expect(await states()).toMatchObject([{ isDrained: true }]);
    const { records } = await gateway.admin<{ records: { fields: object }[] }>("GET", "/v1/audit?type=upstream.drained&order=newest&limit=1"); // prettier-ignore
    expect(records[0]!.fields).toMatchObject({ upstream: "u1", url });
    await use(two);
    expect(await states()).toMatchObject([{ isDrained: false }]);
    // What was decided about the first server does not come back with it.
    await gateway.apply(`environments:\n  dev:\n    upstreams: [{ url: "${url}" }]\n`);
    expect(await states()).toMatchObject([{ isDrained: false }]);
    await gateway.restart();
    expect(await states()).toMatchObject([{ isDrained: false }]);
  });
});

describe("the credential of a model server", () => {
  const set = (id: string, credential = CREDENTIAL): Promise<unknown> =>
    gateway.admin("POST", at(id, "credential"), { credential });

  test("goes to that server with each request, lists included, and to no other", async () => {
    const server = new OpenaiUpstream({ models: ["llama3.2"], apiKey: CREDENTIAL });
    opened.push(server);
    await use(server, one);
    await set("u1");
    await drain("u2");
    expect(await ask("/v1/chat/completions")).toEqual([200, ""]);
    await drain("u1");
    await drain("u2", false);
    expect(await ask("/v1/chat/completions")).toEqual([200, ""]);
    expect(new Set(server.authorizations)).toEqual(new Set([`Bearer ${CREDENTIAL}`]));
    expect(one.seen.map(({ headers }) => headers.authorization)).toEqual([undefined]);
    expect(JSON.stringify(one.seen.map(({ rawHeaders }) => rawHeaders))).not.toContain(CREDENTIAL);
  });

  test("is not sent to another address of the same name, and does not come back", async () => {
    const [url] = await use(one);
    await set("u1");
    await ask();
    expect(one.seen.at(-1)!.headers.authorization).toBe(`Bearer ${CREDENTIAL}`);
    await use(two);
    await ask();
    expect(two.seen.at(-1)!.headers.authorization).toBeUndefined();
    await gateway.apply(`environments:\n  dev:\n    upstreams: [{ url: "${url}" }]\n`);
    expect(await states()).toMatchObject([{ hasCredential: false }]);
    expect(existsSync(dataPaths(gateway.directory).upstreams)).toBe(false);
  });

  test("survives a restart, is shown nowhere, and is removed", async () => {
    await use(one);
    await set("u1");
    await gateway.restart();
    await ask();
    expect(one.seen.at(-1)!.headers.authorization).toBe(`Bearer ${CREDENTIAL}`);
    const shown = [
      await gateway.admin("GET", "/v1/upstreams"),
      await gateway.admin("GET", "/v1/environments"),
      await gateway.admin("GET", "/v1/policy"),
      await gateway.admin("GET", "/v1/audit?limit=200&order=newest"),
    ];
    expect(JSON.stringify(shown)).not.toContain(CREDENTIAL);
    const files = readdirSync(gateway.directory, { recursive: true, withFileTypes: true }).filter((one) =>
      one.isFile(),
    );
    for (const { parentPath, name } of files)
      expect([name, readFileSync(join(parentPath, name)).includes(CREDENTIAL)]).toEqual([name, false]);
    expect(await gateway.admin("DELETE", at("u1", "credential"))).toMatchObject({ hasCredential: false });
    await ask();
    expect(one.seen.at(-1)!.headers.authorization).toBeUndefined();
  });

  test.each([
    ["nothing", ""],
    ["two words", "two words"],
    ["two lines", "a\nb"],
    ["letters that are not ASCII", "ü"],
    ["too long a text", "x".repeat(4_097)],
  ])("%s is rejected", async (_what, text) => {
    await use(one);
    await expect(set("u1", text)).rejects.toThrow(/^422/);
    await expect(set("u9")).rejects.toThrow(/^404/);
  });

  test("is re-encrypted by rekey, and is in a backup", async () => {
    const started = await startGateway();
    const root = mkdtempSync(join(tmpdir(), "sallyport-upstreams-"));
    try {
      await started.admin("POST", at("u1", "credential"), { credential: CREDENTIAL });
      const [{ url }] = (await started.admin<{ upstreams: [{ url: string }] }>("GET", "/v1/upstreams")).upstreams;
      await started.gateway.close(100);
      const paths = dataPaths(started.directory);
      const before = readFileSync(paths.upstreams, "utf8");
      const settings = loadSettings({ flags: { data: started.directory, log: "silent" }, env: {} });
      await rekey({ ...settings, ledger: { ...settings.ledger, reserveBytes: 0 } }, null, () => undefined);
      expect(readFileSync(paths.upstreams, "utf8")).not.toBe(before);
      const folder = join(root, "backup");
      const clock = { now: () => 1_760_000_000_000 };
      const order = { directory: started.directory, folder, to: null, isOwnKek: true, version: "0.0.0", clock };
      await backUpDirectory(order);
      const restored = join(root, "restored");
      const source = { kind: "file" as const, path: paths.keyEncryptionKey };
      await restoreDirectory({ from: folder, directory: restored, identity: null, source });
      for (const directory of [started.directory, restored]) {
        const file = new UpstreamFile(dataPaths(directory), openSealer(directory, { source }));
        expect(file.of("dev", { id: "u1", url }).credential?.reveal()).toBe(CREDENTIAL);
        expect(file.of("dev", { id: "u1", url: "http://127.0.0.1:9" }).credential).toBeNull();
        expect(file.of("prod", { id: "u1", url }).credential).toBeNull();
      }
    } finally {
      for (const upstream of Object.values(started.upstreams)) await upstream.close();
      for (const path of [started.directory, root]) rmSync(path, { recursive: true, force: true });
    }
  });
});

describe("certificates of a model server", () => {
  const pem = (name: string): string => readFileSync(`testdata/tls/${name}.pem`, "utf8");
  const set = (body: object): Promise<unknown> => gateway.admin("POST", at("u1", "tls"), body);
  const list = '{"object":"list","data":[{"id":"llama3.2"}]}';
  /** The certificates that callers showed, by their names; null for those who showed none. */
  let shown: (string | null)[];

  /** Over TLS; `asks`: callers must have the certificate `two`. */
  async function secureServer(asks: boolean): Promise<string> {
    const options = { cert: pem("one"), key: pem("one-key"), ...(asks ? { ca: pem("two"), requestCert: true, rejectUnauthorized: true } : {}) }; // prettier-ignore
    shown = [];
    const server = createServer(options, (request, response) => {
      const { subject } = (request.socket as TLSSocket).getPeerCertificate();
      shown.push(subject ? String(subject.CN) : null);
      const isList = request.url === "/v1/models";
      response.writeHead(isList || request.method === "POST" ? 200 : 404, { "content-type": "application/json" });
      response.end(isList ? list : '{"id":"c","object":"chat.completion","choices":[]}');
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    opened.push({
      close: () => {
        server.closeAllConnections();
        return new Promise((resolve) => void server.close(() => resolve()));
      },
    });
    const url = `https://localhost:${(server.address() as AddressInfo).port}`;
    await gateway.apply(`environments:\n  dev:\n    upstreams: [{ url: "${url}", kind: openai }]\n`);
    return url;
  }

  test("a server of another authority is trusted once that is stored, and no longer than it is", async () => {
    await secureServer(false);
    expect(await ask("/v1/chat/completions")).toEqual([502, "upstream_unreachable"]);
    expect(await set({ ca: pem("one") })).toMatchObject({ hasOwnCa: true, hasClientCertificate: false });
    expect(await ask("/v1/chat/completions")).toEqual([200, ""]);
    await gateway.restart();
    expect(await ask("/v1/chat/completions")).toEqual([200, ""]);
    await set({ ca: pem("two") });
    expect(await ask("/v1/chat/completions")).toEqual([502, "upstream_unreachable"]);
    await set({ ca: pem("one") });
    expect(await ask("/v1/chat/completions")).toEqual([200, ""]);
    await gateway.admin("DELETE", at("u1", "tls"));
    expect(await ask("/v1/chat/completions")).toEqual([502, "upstream_unreachable"]);
  });

  test("the gateway shows its certificate to the server that asks for one", async () => {
    await secureServer(true);
    await set({ ca: pem("one") });
    expect(await ask("/v1/chat/completions")).toEqual([502, "upstream_unreachable"]);
    const state = await set({ ca: pem("one"), certificate: pem("two"), key: pem("two-key") });
    expect(state).toMatchObject({ hasOwnCa: true, hasClientCertificate: true });
    expect(JSON.stringify(state)).not.toContain("BEGIN");
    expect(await ask("/v1/chat/completions")).toEqual([200, ""]);
    expect(new Set(shown)).toEqual(new Set(["two.test"]));
  });

  test.each([
    ["nothing", {}, /send `ca`/],
    ["a certificate without its key", { certificate: pem("one") }, /belong together/],
    ["another certificate's key", { certificate: pem("one"), key: pem("two-key") }, /private key of/],
    ["a key in place of an authority", { ca: pem("one-key") }, /ca: is not/],
    ["a key beside an authority", { ca: pem("one") + pem("one-key") }, /ca: is not/],
    ["text", { ca: "-----BEGIN CERTIFICATE-----\nx" }, /ca: is not/],
  ])("%s is a mistake, and no key is quoted", async (_what, body, says) => {
    await secureServer(false);
    const failure = await set(body).catch((cause: unknown) => String(cause));
    expect(failure).toMatch(says);
    expect(failure).not.toContain("PRIVATE");
    expect(await states()).toMatchObject([{ hasOwnCa: false }]);
  });

  test("certificates are for https only", async () => {
    await use(one);
    await expect(set({ ca: pem("one") })).rejects.toThrow(/is not https/);
  });
});
