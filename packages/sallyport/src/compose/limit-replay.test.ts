import { expect, test } from "vitest";
import { readPolicy } from "../access/policy-file.ts";
import { LimitReplay } from "./limit-replay.ts";

function replayOf(limits: object, roles: object = {}): LimitReplay {
  const read = readPolicy({ environments: { dev: { upstreams: [{ url: "http://127.0.0.1:1" }], limits } }, roles });
  if (!read.ok) throw new Error(JSON.stringify(read.mistakes));
  return new LimitReplay(read.policy);
}

const noonMs = Date.UTC(2026, 10, 30, 12);

/** One request each minute, of so many tokens. */
function feed(replay: LimitReplay, count: number, tokens: number, key = "k"): void {
  for (let i = 0; i < count; i++) {
    const at = noonMs + i * 60_000;
    const common = { environment: "dev", actor: `key:${key}` };
    const fields = { request: `${key}${i}`, principal: "p", model: "registry.ollama.ai/library/llama3.2:latest" };
    replay.take({ type: "request.intent", at, ...common, fields });
    replay.take({
      type: "request.outcome",
      at: at + 1_000,
      ...common,
      fields: { ...fields, input_tokens: 0, output_tokens: tokens },
    });
  }
}

test("says what a budget would have denied, and which streams it would have shortened", () => {
  const replay = replayOf({ outputTokens: "250/day" });
  feed(replay, 5, 100);
  expect(replay.result()).toMatchObject({
    requests: 5,
    denied: 2,
    shortened: 1,
    limits: [
      { limit: "outputTokens of dev user p environment dev", denied: 2, shortened: 0 },
      { limit: "outputTokens", denied: 0, shortened: 1 },
    ],
  });
});

test("a denied request uses nothing, and a window that is over is a new one", () => {
  const replay = replayOf({ requests: "1/day" });
  feed(replay, 3, 1);
  replay.take({
    type: "request.intent",
    at: noonMs + 86_400_000,
    environment: "dev",
    actor: "key:k",
    fields: { request: "next", principal: "p" },
  });
  expect(replay.result()).toMatchObject({ requests: 4, denied: 2 });
});

test("limits of roles count for keys whose creation is in the file", () => {
  const roles = { bot: { allow: [], limits: { requests: "1/day" } } };
  const replay = replayOf({}, roles);
  replay.take({
    type: "key.issued",
    at: noonMs - 1,
    environment: "dev",
    actor: "os:x",
    fields: { key: "k", owner: "p", roles: ["bot"] },
  });
  feed(replay, 2, 1);
  feed(replay, 2, 1, "other");
  expect(replay.result()).toMatchObject({ requests: 4, denied: 1, ofUnknownKeys: 2 });
});
