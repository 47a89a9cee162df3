// The AI SDK's and LangChain's Ollama providers, unmodified but for address and key, through a gateway started as a user
// starts it. With SALLYPORT_TEST_OLLAMA=http://host:port they speak to a real server (SALLYPORT_TEST_MODEL names its model).
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { ChatOllama, OllamaEmbeddings } from "@langchain/ollama";
import { embed, generateText, streamText } from "ai";
import { createOllama } from "ollama-ai-provider-v2";
import { startProgram } from "./started-program.js";

const model = (process.env.SALLYPORT_TEST_OLLAMA && process.env.SALLYPORT_TEST_MODEL) || "llama3.2";
const embedModel = (process.env.SALLYPORT_TEST_OLLAMA && process.env.SALLYPORT_TEST_EMBED_MODEL) || "tiny-bert";
let program;

before(async () => {
  program = await startProgram({ roles: ["cli"], models: [model, embedModel] });
});
after(() => program.stop());

describe("the AI SDK's Ollama provider", () => {
  const ollama = () =>
    createOllama({ baseURL: `${program.url}/api`, headers: { authorization: `Bearer ${program.key}` } });

  test("chats", async () => {
    const { text, usage } = await generateText({ model: ollama()(model), prompt: "Say hello." });
    assert.notEqual(text, "");
    assert.ok(usage.outputTokens > 0);
  });

  test("streams", async () => {
    const parts = [];
    for await (const part of streamText({ model: ollama()(model), prompt: "Say hello." }).textStream) parts.push(part);
    assert.ok(parts.length > 1, JSON.stringify(parts));
  });

  test("embeds", async () => {
    const { embedding } = await embed({ model: ollama().textEmbeddingModel(embedModel), value: "a" });
    assert.ok(embedding.length > 0);
  });

  test("is refused another model", async () => {
    // The provider reads the words only of OpenAI's error shape; the status and the body are there.
    const refused = (error) => error.statusCode === 403 && error.responseBody.includes("does not allow this model");
    await assert.rejects(generateText({ model: ollama()("secret"), prompt: "x", maxRetries: 0 }), refused);
  });
});

describe("LangChain's Ollama provider", () => {
  const options = () => ({
    baseUrl: program.url,
    headers: new Headers({ authorization: `Bearer ${program.key}` }),
    maxRetries: 0,
  });

  test("chats", async () => {
    const answer = await new ChatOllama({ ...options(), model }).invoke("Say hello.");
    assert.notEqual(answer.content, "");
  });

  test("streams", async () => {
    const parts = [];
    for await (const part of await new ChatOllama({ ...options(), model }).stream("Say hello."))
      parts.push(part.content);
    assert.ok(parts.length > 1, JSON.stringify(parts));
  });

  test("embeds", async () => {
    const vector = await new OllamaEmbeddings({ ...options(), model: embedModel }).embedQuery("a");
    assert.ok(vector.length > 0);
  });

  test("is refused another model", async () => {
    await assert.rejects(new ChatOllama({ ...options(), model: "secret" }).invoke("x"), /does not allow this model/);
  });
});
