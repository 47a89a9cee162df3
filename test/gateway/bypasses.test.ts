/**
 * Every known way of making a gateway see one model and the server run another, against a server that decodes as Go
 * does. The key may use llama3.2 only: whatever the request looks like, nothing else may ever run.
 */
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { zstdRaw } from "../upstream/zstd-raw.ts";
import { startGateway } from "./started-gateway.ts";
import type { StartedGateway } from "./started-gateway.ts";

const ALLOWED = "registry.ollama.ai/library/llama3.2:latest";
const PERMISSIONS = [
  "infer:chat",
  "infer:generate",
  "infer:embed",
  "infer:audio",
  "models:show",
  "models:pull",
  "models:push",
  "models:copy",
  "models:delete",
  "models:create",
];

let gateway: StartedGateway;
let key: string;

beforeAll(async () => {
  gateway = await startGateway();
  ({ key } = await gateway.issue({ allow: PERMISSIONS, models: ["llama3.2"] }));
});
afterAll(() => gateway.stop());
beforeEach(() => {
  gateway.upstream().deeds.length = 0;
  gateway.upstream().seen.length = 0;
});

/** What ran that the key does not grant. */
function forbidden(): string[] {
  return gateway.upstream().models.filter((model) => model !== ALLOWED);
}

interface Bypass {
  readonly what: string;
  readonly path: string;
  readonly method?: string;
  readonly body: string;
  /** Status that is right: a refusal, or 200 where the request is legal and means the allowed model. */
  readonly status: number;
}

const bypasses = JSON.parse(
  readFileSync(new URL("../../testdata/vectors/bypasses.json", import.meta.url), "utf8"),
) as Bypass[];

describe("bypasses", () => {
  test.each(bypasses)("$what", async ({ path, method, body, status }) => {
    const head = `${method ?? "POST"} ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer ${key}\r\ncontent-type: application/json\r\n`;
    const answer = await gateway.raw(
      `${head}content-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
    );
    expect(forbidden()).toEqual([]);
    expect(answer.status).toBe(status);
    if (status !== 200) expect(gateway.upstream().seen).toEqual([]);
  });

  test("a zstd body is not read", async () => {
    const hidden = zstdRaw(Buffer.from('{"model":"secret","messages":[{"role":"user","content":"x"}]}'));
    const answer = await gateway.post("/v1/chat/completions", key, hidden, { "content-encoding": "zstd" });
    expect([answer.status, forbidden(), gateway.upstream().seen]).toEqual([415, [], []]);
    const odd = await gateway.post("/v1/chat/completions", key, hidden, { "content-encoding": "ZSTD" });
    expect(odd.status).toBe(415);
  });

  test("the query of a transcription does not choose the model, and a part twice is refused", async () => {
    const form = new FormData();
    form.append("model", "llama3.2");
    form.append("file", new Blob(["RIFF"]), "a.wav");
    const send = (body: FormData): Promise<Response> =>
      fetch(`${gateway.url}/v1/audio/transcriptions?model=secret`, {
        method: "POST",
        headers: { authorization: `Bearer ${key}` },
        body,
      });
    expect((await send(form)).status).toBe(200);
    expect(gateway.upstream().models).toEqual([ALLOWED]);
    expect(gateway.upstream().seen[0]!.url).toBe("/v1/audio/transcriptions");
    form.append("model", "secret");
    expect((await send(form)).status).toBe(400);
    expect(forbidden()).toEqual([]);
  });

  test("the body of a DELETE is read", async () => {
    const refused = await fetch(`${gateway.url}/api/delete`, {
      method: "DELETE",
      headers: { authorization: `Bearer ${key}` },
      body: '{"model":"secret"}',
    });
    expect([refused.status, gateway.upstream().deeds]).toEqual([403, []]);
    const done = await fetch(`${gateway.url}/api/delete`, {
      method: "DELETE",
      headers: { authorization: `Bearer ${key}` },
      body: '{"model":"LLAMA3.2:latest"}',
    });
    expect([done.status, gateway.upstream().models]).toEqual([200, [ALLOWED]]);
  });

  test("an absolute form of the target is refused", async () => {
    const answer = await gateway.raw(
      `POST http://127.0.0.1/api/chat HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer ${key}\r\ncontent-length: 0\r\n\r\n`,
    );
    expect([answer.status, gateway.upstream().seen]).toEqual([400, []]);
  });

  test("two lengths, or a length and chunks, are refused", async () => {
    const head = `POST /api/chat HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer ${key}\r\n`;
    for (const framing of [
      "content-length: 2\r\ncontent-length: 3\r\n",
      "content-length: 2\r\ntransfer-encoding: chunked\r\n",
      "transfer-encoding: xchunked\r\n",
    ]) {
      const answer = await gateway.raw(`${head}${framing}connection: close\r\n\r\n{}`);
      expect([framing, answer.status]).toEqual([framing, 400]);
    }
    expect(gateway.upstream().seen).toEqual([]);
  });
});

describe("one model under many names", () => {
  const names = JSON.parse(
    readFileSync(new URL("../../testdata/vectors/model-names.json", import.meta.url), "utf8"),
  ) as { text: string; key: string | null }[];
  const ofTiny = names.filter((vector) => vector.text.toLowerCase().includes("tiny-min"));

  test("every spelling of the allowed model runs it, every spelling of another is refused", async () => {
    for (const { text, key: identity } of ofTiny) {
      for (const [base, isAllowed] of [
        ["llama3.2", true],
        ["secret", false],
      ] as const) {
        gateway.upstream().deeds.length = 0;
        const model = text.replace(/tiny-min/i, (found) => (found === found.toUpperCase() ? base.toUpperCase() : base));
        const answer = await gateway.post("/api/chat", key, {
          model,
          messages: [{ role: "user", content: "x" }],
          stream: false,
        });
        const isLocal = identity !== null && !identity.startsWith("cloud:");
        expect([model, answer.status]).toEqual([model, identity === null ? 400 : isAllowed && isLocal ? 200 : 403]);
        expect(forbidden()).toEqual([]);
        if (answer.status === 200) expect(gateway.upstream().models).toEqual([ALLOWED]);
      }
    }
  });
});
