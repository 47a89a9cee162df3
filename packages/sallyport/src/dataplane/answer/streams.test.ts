import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Answer } from "./answer.ts";
import { NativeObject, NativeStream } from "./native-stream.ts";
import { OpenaiStream } from "./openai-stream.ts";
import { AnthropicStream, ResponsesStream } from "./typed-event-stream.ts";
import { WholeObject } from "./whole-object.ts";

const { streams } = JSON.parse(
  readFileSync(new URL("../../../../../testdata/vectors/streams.json", import.meta.url), "utf8"),
) as {
  streams: {
    what: string;
    kind: string;
    text: string;
    shown?: string;
    isWhole: boolean;
    hasError?: boolean;
    input?: number;
    output?: number;
  }[];
};

const EVERYTHING = { maySeeContext: true, maySeeRendered: true, mayBeRemote: true };
const NOTHING = { maySeeContext: false, maySeeRendered: false, mayBeRemote: false };

function readerOf(kind: string): Answer {
  switch (kind) {
    case "native":
      return new NativeStream(false, EVERYTHING);
    case "native-narrow":
      return new NativeStream(false, NOTHING);
    case "native-object":
      return new NativeObject(NOTHING);
    case "progress":
      return new NativeStream(true, EVERYTHING);
    case "openai":
      return new OpenaiStream(false);
    case "openai-hiding":
      return new OpenaiStream(true);
    case "anthropic":
      return new AnthropicStream();
    case "responses":
      return new ResponsesStream();
    default:
      return new WholeObject();
  }
}

/** Feeds the bytes cut at these places. */
function feed(
  reader: Answer,
  bytes: Buffer,
  cuts: readonly number[],
): { shown: string; end: ReturnType<Answer["end"]> } {
  const shown: Buffer[] = [];
  let at = 0;
  for (const cut of [...cuts].sort((a, b) => a - b)) {
    if (cut <= at) continue;
    const piece = reader.push(bytes.subarray(at, cut));
    if (piece) shown.push(Buffer.from(piece));
    at = cut;
  }
  const piece = reader.push(bytes.subarray(at));
  if (piece) shown.push(Buffer.from(piece));
  const end = reader.end();
  if (end.last) shown.push(end.last);
  return { shown: Buffer.concat(shown).toString("utf8"), end };
}

describe("answers are read the same however they are cut", () => {
  test.each(streams)("$what", ({ kind, text, shown, isWhole, hasError, input, output }) => {
    const bytes = Buffer.from(text, "utf8");
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: bytes.length }), { maxLength: 12 }), (cuts) => {
        const read = feed(readerOf(kind), bytes, cuts);
        expect(read.shown).toBe(shown ?? text);
        expect(read.end.isWhole).toBe(isWhole);
        expect(read.end.hasError).toBe(hasError ?? false);
        expect(read.end.usage && { input: read.end.usage.inputTokens, output: read.end.usage.outputTokens }).toEqual(
          input === undefined ? null : { input, output },
        );
      }),
      { numRuns: 100 },
    );
  });
});

test("hidden usage is hidden whatever ends the lines, and however they are cut", () => {
  for (const eol of ["\n", "\r\n", "\r"]) {
    const events = [
      '{"choices":[1],"usage":{}}',
      '{"choices":[],"usage":{"prompt_tokens":5,"completion_tokens":2}}',
      "[DONE]",
    ];
    const bytes = Buffer.from(events.map((data) => `data:${data}${eol}${eol}`).join(""));
    for (let cut = 1; cut < bytes.length; cut++) {
      const { shown, end } = feed(new OpenaiStream(true), bytes, [cut]);
      expect(shown.split(/[\r\n]+/).filter(Boolean)).toEqual(['data: {"choices":[1]}', "data:[DONE]"]);
      expect(end).toMatchObject({ isWhole: true, usage: { inputTokens: 5, outputTokens: 2 } });
    }
  }
});

test("a frame without an end is not held without a bound", () => {
  const reader = new NativeStream(false, EVERYTHING);
  const piece = Buffer.alloc(1024 * 1024, 0x61);
  expect(() => {
    for (let i = 0; i < 16; i++) reader.push(piece);
  }).toThrow(/bound/);
});

describe("what an answer reveals", () => {
  const remote = '{"model":"a","remote_model":"gpt-oss:120b","remote_host":"https://ollama.com","done":false}\n';

  test("an answer from a remote model is broken off where it was decided as a local one", () => {
    expect(() => feed(new NativeStream(false, NOTHING), Buffer.from(remote), [])).toThrow(/remote/);
    expect(() => feed(new NativeObject(NOTHING), Buffer.from(remote), [])).toThrow(/remote/);
    expect(feed(new NativeStream(false, EVERYTHING), Buffer.from(remote), []).shown).toBe(remote);
  });

  test("nesting beyond any answer's does not overflow a stack, and hides nothing that is withheld", () => {
    const deep = `{"error":"x","context":[1],"a":${"[".repeat(100_000)}${"]".repeat(100_000)}}\n`;
    const read = feed(new NativeStream(false, NOTHING), Buffer.from(deep), []);
    expect(read).toEqual({ shown: "", end: { last: null, isWhole: false, hasError: false, usage: null } });
    expect(feed(new NativeObject(NOTHING), Buffer.from(deep), []).end.last).toBeNull();
  });

  test("what is withheld is withheld of a line that no client could read, and of an object on several lines", () => {
    expect(feed(new NativeStream(false, NOTHING), Buffer.from('{"context":[1],,}\n'), []).shown).toBe("");
    const said = { response: "a\nb", done: true, context: [1], eval_count: 3 };
    const { shown, end } = feed(new NativeObject(NOTHING), Buffer.from(JSON.stringify(said, null, 2)), []);
    expect(JSON.parse(shown)).toEqual({ response: "a\nb", done: true, eval_count: 3 });
    expect(end).toMatchObject({ isWhole: true, usage: { outputTokens: 3 } });
  });
});
