/**
 * The real program at its most talkative, given secrets in every place a caller can put one: nothing of them is in what it
 * prints, what administration, metrics and traces tell, or what it keeps.
 */
import {
  chmodSync,
  closeSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { formatKeyText } from "@sallyport/protocol";
import { contract } from "@sallyport/contract";
import {
  DataKeys,
  dataPaths,
  openDatabase,
  openSigningKey,
  openUnder,
  PepperFiles,
  readKeyEncryptionKey,
} from "../program-under-test.ts";
import { OtlpReceiver } from "../gateway/otlp-receiver.ts";
import { GoUpstream } from "../upstream/go-upstream.ts";
import { request, sallyport, sallyportJson, serve } from "./program.ts";
import type { Ended, Serving } from "./program.ts";

const PROMPT = "CANARY-PROMPT-4711";
const ANSWER = "CANARY-ANSWER-4712";
const upstream = new GoUpstream();
const receiver = new OtlpReceiver();
let receiverUrl: string;
let directory: string;
let data: string;
let adminKey: string;
/** Every key text that was ever shown. */
const keys: string[] = [];

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), "sallyport-canary-"));
  data = join(directory, "data");
  ({ adminKey } = await sallyportJson<{ adminKey: string }>(["init", "--data", data]));
  keys.push(adminKey);
  const url = await upstream.listen();
  receiverUrl = await receiver.listen();
  writeFileSync(join(directory, "policy.yaml"), `environments:\n  dev:\n    upstreams: [{ url: "${url}" }]\n`);
});
afterAll(async () => {
  await upstream.close();
  await receiver.close();
  rmSync(directory, { recursive: true, force: true });
});

function start(): Promise<Serving> {
  const tracing = { SALLYPORT_TRACING: "true", SALLYPORT_OTLP: receiverUrl };
  return serve(data, ["--log", "debug", "--policy", join(directory, "policy.yaml")], tracing);
}

/** `sp_dev_x_secret…`: the whole text, its secret with checksum, and pieces of the secret. */
function canaries(): string[] {
  return [PROMPT, ANSWER, ...keys.flatMap((key) => [key, key.slice(-49), key.slice(-49, -25), key.slice(-30, -6)])];
}

/** What lies at rest, in each form a program might write bytes in; all there ever was, also from before a change of keys. */
const atRest = new Set<string>();
let kekForms: readonly string[] = [];

function formsOf(bytes: Buffer): readonly string[] {
  const base64 = bytes.toString("base64").replace(/=+$/, "");
  return [bytes.toString("latin1"), bytes.toString("hex"), base64, bytes.toString("base64url"), base64.slice(4, 36)];
}

/** Opens the secrets as the program does and remembers them. The key-encryption key may stand in its own file alone. */
function rememberSecrets(): void {
  const paths = dataPaths(data);
  const kek = readKeyEncryptionKey({ kind: "file", path: paths.keyEncryptionKey });
  kekForms = formsOf(kek.bytes);
  const sealer = DataKeys.read(paths, kek);
  const dataKeys = (JSON.parse(readFileSync(paths.dataKeys, "utf8")) as { keys: { id: string; wrapped: string }[] })
    .keys;
  const peppers = new PepperFiles(data, sealer);
  const pepperBytes = peppers.environments.flatMap((name) =>
    peppers.versions(name).map((version) => peppers.get(name, version)!.bytes),
  );
  const signing = openSigningKey(paths, sealer);
  const der = signing.export({ type: "pkcs8", format: "der" });
  const opened = dataKeys.map(({ id, wrapped }) => openUnder(kek, `data-key/${id}`, wrapped));
  expect([dataKeys.length, pepperBytes.length > 1, der.length > 32]).toEqual([1, true, true]);
  for (const bytes of [kek.bytes, ...opened, ...pepperBytes, der, der.subarray(-32)])
    for (const form of formsOf(bytes)) atRest.add(form);
  atRest.add("PRIVATE KEY");
}

function expectNone(where: string, text: string, mayHold: readonly string[] = []): void {
  for (const canary of [...canaries(), ...atRest])
    if (!mayHold.includes(canary)) expect([where, text.includes(canary)]).toEqual([where, false]);
}

function expectNoneKept(): void {
  for (const entry of readdirSync(data, { withFileTypes: true, recursive: true }))
    if (entry.isFile()) {
      const text = readFileSync(join(entry.parentPath, entry.name)).toString("latin1");
      expectNone(entry.name, text, entry.name === "kek" ? kekForms : []);
    }
}

/** Bytes as they are; resolves when the other side has closed. */
function raw(url: string, text: string): Promise<void> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve) => {
    const socket = connect(Number(port), hostname, () => socket.write(text));
    socket.on("error", () => {}).on("close", () => resolve());
    socket.resume();
  });
}

async function issue({ adminUrl }: Serving, more: object = {}): Promise<string> {
  const wish = { environment: "dev", name: "canary", allow: ["infer:chat"], models: ["llama3.2"], ...more };
  const answer = await request("POST", `${adminUrl}/v1/keys`, adminKey, wish);
  const { key } = JSON.parse(answer.text) as { key: string };
  keys.push(key);
  return key;
}

const chat = { model: "llama3.2", messages: [{ role: "user", content: PROMPT }] };

/** Every answer administration gives to a read, the metrics among them. */
async function readEverything({ adminUrl }: Serving): Promise<string> {
  let said = "";
  const paths = Object.values(contract).filter(({ method, path }) => method === "GET" && !path.includes(":"));
  for (const path of [...paths.map((row) => row.path), "/metrics"]) {
    const { status, text } = await request("GET", adminUrl + path, adminKey);
    expect([path, status]).toEqual([path, 200]);
    said += text;
  }
  return said;
}

async function stop(running: Serving): Promise<Ended> {
  running.child.kill("SIGTERM");
  return running.ended;
}

test("served, refused, broken and garbled requests", async () => {
  const running = await start();
  const { dataUrl, adminUrl } = running;
  const key = await issue(running);
  const statuses: number[] = [];
  const ask = async (credential: string, path: string, body: unknown): Promise<void> =>
    void statuses.push((await request("POST", dataUrl + path, credential, body)).status);

  await ask(key, "/api/chat", chat);
  await ask(key, "/v1/chat/completions", { ...chat, stream: true });
  // Refused before and after the key was verified, with the secrets where a message might repeat them.
  await ask(
    key.replace(/.$/, (last) => (last === "0" ? "1" : "0")),
    "/api/chat",
    chat,
  );
  await ask(PROMPT, "/api/chat", chat);
  await ask(key, "/api/chat", { ...chat, model: "other" });
  await ask(key, `/api/chat?${PROMPT}=${key}`, chat);
  await ask(key, `/${PROMPT}/${key}`, chat);
  await ask(key, "/api/chat", { ...chat, Messages: PROMPT });
  await ask(key, "/api/chat", { ...chat, messages: [{ role: "user", content: PROMPT, Content: PROMPT }] });
  await ask(key, "/api/chat", PROMPT);
  await ask(key, "/api/chat", { ...chat, format: PROMPT, keep_alive: PROMPT, options: { [PROMPT]: key } });
  const head = `Host: ${new URL(dataUrl).host}\r\nAuthorization: Bearer ${key}\r\n`;
  await raw(dataUrl, `POST /api/chat HTTP/1.1\r\n${head}X-Api-Key: ${key}\r\nConnection: close\r\n\r\n`);
  await raw(dataUrl, `POST /api/chat HTTP/1.1\r\n${head}Content-Length: 9\r\nConnection: close\r\n\r\n{"${PROMPT}`);
  // Keys twice, numbers and texts that are none, in every kind of place: a parser's complaint must not quote them.
  for (const body of [
    `{"${PROMPT}":1,"${PROMPT}":2}`,
    `{"model":"llama3.2","messages":[],"options":{"${PROMPT}":1,"${PROMPT}":2}}`,
    `{"model":"llama3.2","tools":[{"${key}":1,"${key}":1}],"messages":[]}`,
    `{"model":"llama3.2","messages":[{"role":"user","content":"${PROMPT}\\x"}]}`,
    `{"model":"llama3.2","messages":${PROMPT}}`,
    `{"model":"llama3.2","messages":[]}${PROMPT}`,
  ])
    await raw(
      dataUrl,
      `POST /api/chat HTTP/1.1\r\n${head}Content-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`,
    );
  const elsewhere = `Cookie: ${key}\r\ntraceparent: ${PROMPT}\r\ntracestate: x=${key}\r\nUser-Agent: ${PROMPT}\r\nReferer: ${key}\r\n`;
  const body = JSON.stringify(chat);
  await raw(
    dataUrl,
    `POST /api/chat HTTP/1.1\r\n${head}${elsewhere}Content-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`,
  );
  await raw(dataUrl, `${PROMPT} ${key}\r\n${key}\r\n\r\n`);
  await raw(adminUrl, `${PROMPT} ${key}\r\n${key}\r\n\r\n`);
  // The upstream answers wrongly, quotes what it was sent, or dies in the middle of it.
  const intercepts: GoUpstream["intercept"][] = [
    (_seen, response) =>
      !!response.writeHead(500, { "content-type": "application/json" }).end(`{"error":"${ANSWER} ${PROMPT}"}`),
    (_seen, response) =>
      !!response.writeHead(200, { "content-type": "application/x-ndjson" }).end(`{"message":"${ANSWER}\n`),
    (_seen, response) => !!response.writeHead(302, { location: `http://${ANSWER}/` }).end(),
    (seen, response) => {
      response.writeHead(200, { "content-type": "application/x-ndjson", "x-echo": ANSWER });
      response.write(
        `{"message":{"role":"assistant","content":"${ANSWER} ${seen.body.toString("utf8").length}"},"done":false}\n`,
        () => response.destroy(),
      );
      return true;
    },
  ];
  for (const intercept of intercepts) {
    upstream.intercept = intercept;
    await ask(key, "/api/chat", chat);
  }
  upstream.intercept = undefined;
  // Administration is told secrets where it expects something else.
  for (const [path, body] of [
    ["/v1/keys", { environment: "dev", name: "x", [PROMPT]: key }],
    ["/v1/keys", PROMPT],
    ["/v1/policy", { text: `environments: { ${PROMPT}: ${key} }` }],
    [`/v1/${PROMPT}`, {}],
  ] as const)
    expect((await request("POST", adminUrl + path, adminKey, body)).status).toBeGreaterThanOrEqual(400);
  expect((await request("GET", `${adminUrl}/v1/status`, key)).status).toBe(401);
  expect(statuses.slice(0, 2)).toEqual([200, 200]);

  rememberSecrets();
  const said = await readEverything(running);
  const { stdout, stderr, code } = await stop(running);
  expect(code).toBe(0);
  // One line an exchange at this level, so silence here would show nothing.
  expect(stderr.split("a request ended").length).toBeGreaterThan(statuses.length);
  for (const words of ["the gateway serves", "an upstream is in trouble", "the gateway has stopped"])
    expect(stderr).toContain(words);
  expectNone("administration", said);
  expectNone("stdout", stdout);
  expectNone("stderr", stderr);
  expectNone("traces", receiver.bodies.join());
  expect(receiver.spans.length).toBeGreaterThan(15);
  expectNoneKept();
});

test("keys changed, refused and backed up", async () => {
  rememberSecrets();
  let said = "";
  const run = async (code: number, words: readonly string[], env: Record<string, string> = {}): Promise<void> => {
    const ended = await sallyport([...words, "--data", data], { SALLYPORT_LOG: "debug", ...env });
    expect([words, ended.code, ended.stderr]).toEqual([words, code, ended.stderr]);
    said += ended.stdout + ended.stderr;
  };
  await run(0, ["rekey", "--kek"]);
  rememberSecrets();
  await run(0, ["rekey", "--pepper", "--json"]);
  rememberSecrets();
  const kek = readFileSync(dataPaths(data).keyEncryptionKey, "utf8").trim();
  // The right key where another is expected, a wrong one, and no key at all.
  await run(1, ["rekey", "--kek", "--to", "env:SALLYPORT_KEK"], { SALLYPORT_KEK: kek });
  const wrong = Buffer.alloc(32, 0x77).toString("base64");
  await run(3, ["status"], { SALLYPORT_KEY_ENCRYPTION_KEY: "env:SALLYPORT_KEK", SALLYPORT_KEK: wrong });
  await run(3, ["status"], { SALLYPORT_KEY_ENCRYPTION_KEY: "env:SALLYPORT_KEK", SALLYPORT_KEK: `${kek}x` });
  await run(2, ["status"], { SALLYPORT_KEY_ENCRYPTION_KEY: kek });
  const passphrase = "CANARY-PASSPHRASE-4713";
  atRest.add(passphrase);
  const sealed = join(directory, "sealed");
  await run(0, ["backup", sealed, "--to", "env:SALLYPORT_BACKUP_PASSPHRASE"], {
    SALLYPORT_BACKUP_PASSPHRASE: passphrase,
  });
  const plain = join(directory, "plain");
  await run(0, ["backup", plain, "--plain"]);
  expectNone("output", said);
  expectNone("sealed backup", readFileSync(join(sealed, "sallyport.tar.age"), "latin1"));
  // The key-encryption key is not in it, so what is in it is sealed too.
  expectNone("plain backup", readFileSync(join(plain, "sallyport.tar"), "latin1"));
  expectNoneKept();
});

test("a crash of the program, with keys in its memory and its environment", async () => {
  rememberSecrets();
  // Loaded before the program; the signal is one that nothing else uses.
  const crash = `process.on("SIGUSR2",()=>setImmediate(()=>{throw new Error("crashed on purpose")}))`;
  const file = join(directory, "crash.mjs");
  writeFileSync(file, crash);
  const held = formatKeyText("sp", "dev", "C".repeat(12), "CANARYsecret".repeat(4).slice(0, 43));
  keys.push(held);
  const env = {
    NODE_OPTIONS: `--import=${file}`,
    SALLYPORT_API_KEY: held,
    SALLYPORT_TOKEN: "CANARY-TOKEN-4714-CANARY",
  };
  atRest.add(env.SALLYPORT_TOKEN);
  const running = await serve(data, ["--log", "debug"], env);
  const key = await issue(running);
  await request("POST", `${running.dataUrl}/api/chat`, key, chat);
  running.child.kill("SIGUSR2");
  const { stdout, stderr, code } = await running.ended;
  expect(code).not.toBe(0);
  expect(stderr).toContain("crashed on purpose");
  expectNone("stdout", stdout);
  expectNone("stderr", stderr);
  expectNoneKept();
});

test("what is said of credentials on this machine", async () => {
  const config = join(directory, "credentials.json");
  const held = formatKeyText("sp", "dev", "D".repeat(12), "CANARYstored".repeat(4).slice(0, 43));
  keys.push(held);
  const entry = (...names: string[]): object => Object.fromEntries(names.map((name) => [name, { key: held }]));
  const url = "http://127.0.0.1:11435";
  let said = "";
  for (const [text, mode] of [
    [JSON.stringify({ version: 1, gateways: { [url]: entry("dev") } }), 0o600],
    [JSON.stringify({ version: 1, gateways: { [url]: entry("dev", "prod") } }), 0o600],
    [JSON.stringify({ version: 1, gateways: { [url]: entry("dev") } }), 0o644],
    [JSON.stringify({ version: 1, gateways: { [url]: { dev: { keys: held } } } }), 0o600],
    [`{"version":1,"gateways":{"${url}":{"dev":{"key":"${held}"`, 0o600],
    [held, 0o600],
  ] as const) {
    writeFileSync(config, text);
    chmodSync(config, mode);
    for (const words of [["credential"], ["doctor", "--data", data, "--json"]])
      for (const more of [{}, { SALLYPORT_API_KEY: keys[1]! }] as Record<string, string>[]) {
        const ended = await sallyport(words, { SALLYPORT_CREDENTIALS: config, ...more });
        expect([0, 1]).toContain(ended.code);
        said += ended.stdout + ended.stderr;
      }
  }
  for (const code of ["credential_found", "credential_conflict", "credential_unsafe", "input_invalid"])
    expect(said).toContain(code);
  expectNone("output", said);
});

test("a fault of the program: the store breaks under a running server", async () => {
  rememberSecrets();
  let running = await start();
  // Keys with conditions of their own are not read ahead of their use.
  const key = await issue(running, { networks: ["127.0.0.0/8"] });
  await stop(running);
  running = await start();
  // Every page but the first is overwritten. SQLite drops the pages it holds in memory when another connection commits,
  // so the key is read from the file, however much was read at the start.
  const other = openDatabase(join(data, "sallyport.db"), { isReadOnly: false });
  other.exec("BEGIN IMMEDIATE");
  other.exec("PRAGMA user_version = 1000");
  const file = openSync(join(data, "sallyport.db"), "r+");
  const size = statSync(join(data, "sallyport.db")).size;
  writeSync(file, Buffer.alloc(size - 4_096, 0xa5), 0, size - 4_096, 4_096);
  closeSync(file);
  other.exec("COMMIT");
  other.close();
  const broken = await request("POST", `${running.dataUrl}/api/chat`, key, chat);
  const refused = await request("GET", `${running.adminUrl}/v1/status`, adminKey);
  expect([broken.status, refused.status]).toEqual([500, 500]);
  const { stdout, stderr } = await stop(running);
  expect(stderr).toContain("a request met a fault");
  expect(stderr).toContain("the admin API met a fault");
  expectNone("answers", broken.text + refused.text);
  expectNone("stdout", stdout);
  expectNone("stderr", stderr);
  expectNoneKept();
});
