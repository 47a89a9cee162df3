/** The demo model server is what a new user's client meets first: the official libraries must read all of its answers. */
import Anthropic from "@anthropic-ai/sdk";
import { Ollama } from "ollama";
import OpenAI from "openai";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startPractice } from "../program-under-test.ts";
import type { PracticeServer } from "../program-under-test.ts";

const model = "practice";
const messages = [{ role: "user" as const, content: "hi" }];
let server: PracticeServer;
let openai: OpenAI;

beforeAll(async () => {
  server = await startPractice(0);
  openai = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: "unused", maxRetries: 0 });
});
afterAll(() => server.close());

describe("OpenAI's library", () => {
  test("collects a streamed response, item by item", async () => {
    const types: string[] = [];
    const stream = openai.responses.stream({ model, input: "hi" }).on("event", ({ type }) => void types.push(type));
    expect((await stream.finalResponse()).output_text).toContain("not a model");
    expect(types.indexOf("response.output_item.added")).toBeLessThan(types.indexOf("response.output_text.delta"));
    expect(types.at(-1)).toBe("response.completed");
  });

  test("collects a streamed chat", async () => {
    const { choices } = await openai.chat.completions.stream({ model, messages }).finalChatCompletion();
    expect(choices[0]!.message.content).toContain("not a model");
  });

  test.each([undefined, "float", "base64"] as const)("embeds, encoding %s", async (format) => {
    const asked = { model, input: ["a", "b"], ...(format === undefined ? {} : { encoding_format: format }) };
    const { data } = await openai.embeddings.create(asked);
    expect(data).toHaveLength(2);
    const [first] = data;
    // By default the library asks for base64 and decodes it; what it is asked for, it hands on.
    if (format === "base64") expect(first!.embedding).toBeTypeOf("string");
    else expect(first!.embedding).toEqual([0.25, -0.5, 0.125]);
  });
});

test("Anthropic's library collects a streamed message", async () => {
  const anthropic = new Anthropic({ baseURL: server.url, apiKey: "unused", maxRetries: 0 });
  const { content } = await anthropic.messages.stream({ model, max_tokens: 99, messages }).finalMessage();
  expect(content).toMatchObject([{ type: "text", text: expect.stringContaining("not a model") }]);
});

test("Ollama's library chats, whole and streamed", async () => {
  const ollama = new Ollama({ host: server.url });
  expect((await ollama.chat({ model, messages })).message.content).toContain("not a model");
  let text = "";
  for await (const part of await ollama.chat({ model, messages, stream: true })) text += part.message.content;
  expect(text).toContain("not a model");
});
