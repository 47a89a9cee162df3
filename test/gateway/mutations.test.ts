/**
 * Requests changed at random, against the server that decodes as Go does: whatever comes out of the gateway, no model
 * ever runs that the key does not grant, and nothing it may not do is done. The seed is printed by a failure.
 */
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startGateway } from "./started-gateway.ts";
import type { StartedGateway } from "./started-gateway.ts";

const ALLOWED = "registry.ollama.ai/library/llama3.2:latest";
let gateway: StartedGateway;
let key: string;

beforeAll(async () => {
  gateway = await startGateway();
  ({ key } = await gateway.issue({
    allow: ["infer:chat", "infer:generate", "infer:embed", "models:show", "models:copy", "models:pull"],
    models: ["llama3.2"],
  }));
});
afterAll(() => gateway.stop());

const PATHS = [
  "/api/chat",
  "/api/generate",
  "/api/embed",
  "/api/embeddings",
  "/api/show",
  "/api/copy",
  "/api/pull",
  "/v1/chat/completions",
  "/v1/completions",
  "/v1/embeddings",
  "/v1/responses",
  "/v1/messages",
];
const NAMES = [
  "model",
  "name",
  "source",
  "destination",
  "from",
  "messages",
  "prompt",
  "input",
  "stream",
  "options",
  "keep_alive",
  "template",
  "raw",
  "tools",
  "max_tokens",
];
const MODELS = [
  "llama3.2",
  "secret",
  "LLAMA3.2:latest",
  "Secret",
  " secret",
  "secret\u0085",
  "library/secret",
  "https://h/library/secret",
  "secret:local",
  "llama3.2:cloud",
  "\ufeffllama3.2",
  "",
  "qwen3:8b",
  "registry.ollama.ai/library/llama3.2",
  "llama3.2:",
];

/** Spellings of a name that some decoder takes for it. */
const spelling = fc
  .tuple(fc.constantFrom(...NAMES), fc.constantFrom("same", "upper", "title", "fold", "escape", "dash"))
  .map(([name, how]) => {
    switch (how) {
      case "upper":
        return JSON.stringify(name.toUpperCase());
      case "title":
        return JSON.stringify(name[0]!.toUpperCase() + name.slice(1));
      case "fold":
        return JSON.stringify(name.replaceAll("s", "\u017f").replaceAll("k", "\u212a"));
      case "escape":
        return `"\\u00${name.charCodeAt(0).toString(16)}${name.slice(1)}"`;
      case "dash":
        return JSON.stringify(name.replace("_", "-"));
      default:
        return JSON.stringify(name);
    }
  });

const value = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom(...MODELS).map((model) => JSON.stringify(model)) },
  { weight: 3, arbitrary: fc.constant('[{"role":"user","content":"x"}]') },
  {
    weight: 3,
    arbitrary: fc.constantFrom(
      "null",
      "true",
      "false",
      "0",
      "-1",
      "1e300",
      '"0s"',
      '"-1s"',
      "{}",
      "[]",
      '"x"',
      '{"num_ctx":99999}',
      '[{"type":"web_search","name":"w"}]',
    ),
  },
  { weight: 1, arbitrary: fc.json() },
);

const member = fc.tuple(spelling, value).map(([name, said]) => `${name}:${said}`);
const ordinary = [
  '"model":"llama3.2"',
  '"messages":[{"role":"user","content":"x"}]',
  '"prompt":"x"',
  '"input":"x"',
  '"max_tokens":1',
  '"source":"llama3.2"',
  '"destination":"llama3.2"',
];

const body = fc
  .tuple(
    fc.subarray(ordinary),
    fc.array(member, { maxLength: 4 }),
    fc.constantFrom("", "", "", " ", "x", "{}", ",", "\ufeff"),
    fc.nat(),
  )
  .map(([base, added, tail, turn]) => {
    const members = [...base, ...added];
    const at = members.length === 0 ? 0 : turn % members.length;
    return `{${[...members.slice(at), ...members.slice(0, at)].join(",")}}${tail}`;
  });

test("no forbidden model runs, nothing forbidden is done", async () => {
  let served = 0;
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...PATHS), body, async (path, text) => {
      const upstream = gateway.upstream();
      upstream.deeds.length = 0;
      const answer = await gateway.post(path, key, text);
      await answer.text();
      if (answer.status === 200) served++;
      expect(answer.status).not.toBe(500);
      for (const deed of upstream.deeds) {
        expect(deed.model).toBe(ALLOWED);
        expect(["chat", "generate", "embed", "show", "copy.source", "copy.destination", "pull"]).toContain(deed.what);
        expect(deed.options).not.toHaveProperty("num_ctx");
        const { keepAlive } = deed;
        expect(keepAlive === null || (typeof keepAlive === "number" && keepAlive >= 60 && keepAlive <= 300)).toBe(true);
        expect(deed.fields).not.toContain("template");
      }
    }),
    { numRuns: 3000 },
  );
  // A test in which nothing passes shows nothing.
  expect(served).toBeGreaterThan(100);
});
