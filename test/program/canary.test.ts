/**
 * The real program at its most talkative, given secrets in every place a caller can put one: nothing of them is in what it
 * prints, what administration, metrics and traces tell, or what it keeps.
 */
import {
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
import { contract } from "@sallyport/protocol/contract";
import { OtlpReceiver } from "../gateway/otlp-receiver.ts";
import { GoUpstream } from "../upstream/go-upstream.ts";
import { request, sallyportJson, serve } from "./program.ts";
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

function expectNone(where: string, text: string): void {
  for (const canary of canaries()) expect([where, text.includes(canary)]).toEqual([where, false]);
}

function expectNoneKept(): void {
  for (const entry of readdirSync(data, { withFileTypes: true, recursive: true }))
    if (entry.isFile()) expectNone(entry.name, readFileSync(join(entry.parentPath, entry.name)).toString("latin1"));
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

async function issue({ adminUrl }: Serving): Promise<string> {
  const wish = { environment: "dev", name: "canary", allow: ["infer:chat"], models: ["llama3.2"] };
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

test("a fault of the program: the store breaks under a running server", async () => {
  let running = await start();
  const key = await issue(running);
  await stop(running);
  running = await start();
  // Every page but the first says nothing any more: a key that was not read yet cannot be.
  const file = openSync(join(data, "sallyport.db"), "r+");
  const size = statSync(join(data, "sallyport.db")).size;
  writeSync(file, Buffer.alloc(size - 4_096, 0xa5), 0, size - 4_096, 4_096);
  closeSync(file);
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
