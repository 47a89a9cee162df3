import { formatKeyText } from "@sallyport/protocol";
import { describe, expect, it } from "vitest";
import { AnswerKeys, KeyInAnswer } from "./answer-keys.ts";
import type { AnswerKeyAction } from "./answer-keys.ts";

const SECRET = "Zq3vK9mT2xW7bN5cR8dF1gH4jL6pS0yAeUiOtEwQzXc".slice(0, 43);
const KEY = formatKeyText("sp", "dev", "4fT9wLq2ZbXc", SECRET);
const TAIL = KEY.slice(-49);

function run(isFramed: boolean, chunks: readonly string[], action: AnswerKeyAction) {
  const found: string[] = [];
  const keys = new AnswerKeys(isFramed, (text) => {
    found.push(text);
    return action;
  });
  const shown: string[] = [];
  let isStopped = false;
  try {
    for (const chunk of chunks) shown.push(keys.push(Buffer.from(chunk))?.toString() ?? "");
    shown.push(keys.end(null)?.toString() ?? "");
  } catch (cause) {
    if (!(cause instanceof KeyInAnswer)) throw cause;
    isStopped = true;
  }
  return { shown: shown.join(""), parts: shown, found, isStopped };
}

const dialects: Readonly<Record<string, (token: string) => string>> = {
  ollama: (token) => `${JSON.stringify({ model: "m", message: { role: "assistant", content: token }, done: false })}\n`,
  "ollama generate": (token) => `${JSON.stringify({ model: "m", response: token, done: false })}\n`,
  openai: (token) => `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content: token } }] })}\n\n`,
  "openai tools": (token) =>
    `data: ${JSON.stringify({ choices: [{ index: 0, delta: { tool_calls: [{ index: 0, function: { arguments: token } }] } }] })}\n\n`,
  anthropic: (token) =>
    `event: content_block_delta\ndata: ${JSON.stringify({ type: "content_block_delta", index: 0, delta: { type: "text_delta", text: token } })}\n\n`,
  responses: (token) => `data: ${JSON.stringify({ type: "response.output_text.delta", delta: token })}\n\n`,
};

/** The text that a client would put together. */
function textOf(shown: string): string {
  return [...shown.matchAll(/"(?:content|response|arguments|text|delta)":"((?:[^"\\]|\\.)*)"/g)]
    .map((match) => JSON.parse(`"${match[1]}"`) as string)
    .join("");
}

function tokens(text: string, length: number): string[] {
  return Array.from({ length: Math.ceil(text.length / length) }, (_, at) => text.slice(at * length, (at + 1) * length));
}

describe.each(Object.entries(dialects))("%s", (_, frame) => {
  it("covers a key that comes token by token, whatever the tokens' length", () => {
    for (let length = 1; length <= KEY.length + 2; length++) {
      const text = `the key is ${KEY}, and ${KEY} again`;
      const { shown, found } = run(true, tokens(text, length).map(frame), "cover");
      expect([length, found.length]).toEqual([length, 2]);
      expect(textOf(shown)).toBe(text.replaceAll(TAIL, "*".repeat(49)));
    }
  });

  it("shows nothing of a secret before it stops", () => {
    for (const length of [1, 2, 3, 7, 20, 73]) {
      const { shown, isStopped } = run(true, tokens(`here: ${KEY}`, length).map(frame), "stop");
      expect([length, isStopped]).toEqual([length, true]);
      expect(textOf(shown)).not.toContain(SECRET.slice(0, 4));
    }
  });

  it("changes and delays no other text", () => {
    const text = "this has species, sp_dev and sp_dev_4fT9wLq2ZbXc as an id; s sp spa_ spt_x_";
    for (const length of [1, 3, 11]) {
      const chunks = tokens(text, length).map(frame);
      const { parts, found } = run(true, chunks, "cover");
      expect(parts).toEqual([...chunks, ""]);
      expect(found).toEqual([]);
    }
  });

  it("releases text that begins like a secret and does not go on like one", () => {
    const text = `${KEY.slice(0, -1)}! and ${KEY.slice(0, 40)} and on ${KEY.slice(0, 60)}`;
    for (const length of [1, 2, 5]) {
      const chunks = tokens(text, length).map(frame);
      expect(run(true, chunks, "stop")).toMatchObject({ shown: chunks.join(""), found: [], isStopped: false });
    }
  });
});

it("covers a key whose characters a server escapes", () => {
  const escaped = Array.from(KEY).map((one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, "0")}`);
  const chunks = escaped.map((one) => `{"response":"${one}","done":false}\n`);
  const { shown, found } = run(true, chunks, "cover");
  expect(found).toEqual([KEY]);
  expect(textOf(shown)).not.toContain(SECRET.slice(1, 42));
});

it("of an answer in one piece, finds a key across chunks at every byte", () => {
  const text = `{"message":{"content":"it is ${KEY}."}}`;
  for (let cut = 1; cut < text.length; cut++) {
    const chunks = [text.slice(0, cut), text.slice(cut)];
    const covered = run(false, chunks, "cover");
    expect([cut, covered.shown]).toEqual([cut, text.replace(TAIL, "*".repeat(49))]);
    const stopped = run(false, chunks, "stop");
    expect([cut, stopped.isStopped, stopped.shown.includes(SECRET.slice(0, 5))]).toEqual([cut, true, false]);
    expect(run(false, chunks, "show").shown).toBe(text);
  }
  const single = run(false, Array.from(text), "cover");
  expect(single.shown).toBe(text.replace(TAIL, "*".repeat(49)));
});

it("two choices at a time do not hide a key from it", () => {
  const chunks = Array.from(KEY).flatMap((one) =>
    [0, 1].map(
      (index) => `data: ${JSON.stringify({ choices: [{ index, delta: { content: index === 0 ? "zz" : one } }] })}\n\n`,
    ),
  );
  expect(run(true, chunks, "cover").found).toEqual([KEY]);
});

it("does not hold more than its bound", () => {
  const begun = dialects["openai"]!(KEY.slice(0, 30));
  const empty = `data: ${JSON.stringify({ padding: "x".repeat(8_000), choices: [{ index: 0, delta: { content: "" } }] })}\n\n`;
  const { parts } = run(true, [begun, ...Array.from({ length: 12 }, () => empty)], "stop");
  expect(parts[0]).toBe("");
  expect(parts.findIndex((one) => one !== "")).toBeLessThan(10);
});
