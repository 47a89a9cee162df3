// Stands in for Ollama in the recording: one model, and a fixed answer, a word every 110 ms. A recording must not depend on
// which models the machine has; everything else in it is the product.
import { createServer } from "node:http";
import { once } from "node:events";
import { setTimeout as pause } from "node:timers/promises";

const MODEL = "llama3.2:latest";
const SHORT = "A sallyport is a small guarded gate in a fortress wall: the only way in or out.";
const LONG =
  "Once there was a fortress with a hundred doors, and not one of them had a lock. Travellers came and went, took what " +
  "they liked, and left the lamps burning. Then the keeper walled up every door but one, and at that one she asked each " +
  "traveller for a key. Some keys opened the library, some opened the kitchen, and one opened the gate for a single day. " +
  "The travellers grumbled, and then they slept better than they ever had. ";

/** @returns {Promise<{ url: string, close: () => void }>} */
export async function startModelServer() {
  const server = createServer((request, response) => {
    const json = (value) => void response.setHeader("content-type", "application/json").end(JSON.stringify(value));
    const details = { family: "llama", families: ["llama"], format: "gguf", parameter_size: "3B" };
    if (request.url === "/api/version") return json({ version: "0.12.0" });
    if (request.url === "/api/tags")
      return json({ models: [{ name: MODEL, model: MODEL, size: 2e9, digest: "0".repeat(64), details }] });
    if (request.url === "/api/show") return json({ details, capabilities: ["completion"], model_info: {} });
    if (request.url !== "/api/chat") return void response.writeHead(404).end("{}");
    chat(request, response).catch(() => response.destroy());
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const close = () => {
    server.closeAllConnections();
    server.close();
  };
  return { url: `http://127.0.0.1:${server.address().port}`, close };
}

async function chat(request, response) {
  let body = "";
  for await (const chunk of request) body += chunk;
  response.setHeader("content-type", "application/x-ndjson");
  for (const word of (body.includes("story") ? LONG.repeat(10) : SHORT).match(/\S+\s*/g)) {
    response.write(line({ message: { role: "assistant", content: word }, done: false }));
    await pause(110);
  }
  response.end(line({ message: { role: "assistant", content: "" }, done: true, done_reason: "stop" }));
}

function line(value) {
  return `${JSON.stringify({ model: MODEL, created_at: new Date().toISOString(), ...value })}\n`;
}
