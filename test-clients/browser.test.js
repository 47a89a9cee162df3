// The OpenAI and Anthropic SDKs in a page of a real browser, which asks the gateway before each call (CORS). The SDKs
// set header names of their own, so a gateway that allowed a list of names would block them from every origin.
import assert from "node:assert/strict";
import { createReadStream, existsSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import { startProgram } from "./started-program.js";

const BROWSER = process.env.SALLYPORT_TEST_CHROMIUM ?? "/usr/bin/chromium";
const MODULES = fileURLToPath(new URL("./node_modules/", import.meta.url));
const skip = existsSync(BROWSER) ? false : `no browser at ${BROWSER}: install Debian's package chromium`;

/**
 * The Anthropic SDK imports these by name for its tool runners and for webhooks. A bundler would resolve the names; here
 * the page maps them to empty modules, because no test uses them.
 */
const PAGE = `<!doctype html><script type="importmap">${JSON.stringify({
  imports: {
    "@opentelemetry/api":
      "data:text/javascript,export const context={},trace={},propagation={},SpanKind={},SpanStatusCode={},TraceFlags={}",
    standardwebhooks: "data:text/javascript,export class Webhook {}",
  },
})}</script>`;

/** A web server for the page and for the SDKs' modules, as they are in their packages. */
async function startPageServer() {
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url, "http://page");
    if (pathname === "/") return response.writeHead(200, { "content-type": "text/html" }).end(PAGE);
    const file = join(MODULES, normalize(pathname));
    if (!file.startsWith(MODULES) || extname(file) !== ".mjs" || !existsSync(file))
      return response.writeHead(404).end();
    response.writeHead(200, { "content-type": "text/javascript" });
    createReadStream(file).pipe(response);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { server, port: server.address().port };
}

describe("SDKs in a web page", { skip }, () => {
  let pages;
  let program;
  let browser;

  before(async () => {
    pages = await startPageServer();
    program = await startProgram({
      roles: ["cli"],
      models: ["*"],
      corsOrigins: [`http://127.0.0.1:${pages.port}`],
    });
    browser = await chromium.launch({ executablePath: BROWSER, args: ["--no-sandbox", "--disable-gpu"] });
  });
  after(async () => {
    await browser?.close();
    await program?.stop();
    pages?.server.close();
  });

  /** Runs `useClients` in a page of that host; `localhost` is another origin than `127.0.0.1`. */
  async function inPage(host, useClients) {
    const page = await browser.newPage();
    try {
      await page.goto(`http://${host}:${pages.port}/`);
      return await page.evaluate(useClients, { url: program.url, key: program.key });
    } finally {
      await page.close();
    }
  }

  test("the OpenAI SDK chats, streams and lists", async () => {
    const answers = await inPage("127.0.0.1", async ({ url, key }) => {
      const { default: OpenAI } = await import("/openai/index.mjs");
      const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: key, dangerouslyAllowBrowser: true, maxRetries: 0 });
      const messages = [{ role: "user", content: "hi" }];
      const whole = await client.chat.completions.create({ model: "llama3.2", messages });
      const parts = [];
      for await (const part of await client.chat.completions.create({ model: "llama3.2", messages, stream: true }))
        parts.push(part.choices[0]?.delta.content ?? "");
      return {
        whole: whole.choices[0].message.content,
        streamed: parts.join(""),
        models: (await client.models.list()).data.length,
      };
    });
    assert.deepEqual(answers, { whole: "hello there", streamed: "hello there", models: 1 });
  });

  test("the Anthropic SDK sends a message", async () => {
    const text = await inPage("127.0.0.1", async ({ url, key }) => {
      const { default: Anthropic } = await import("/@anthropic-ai/sdk/index.mjs");
      const client = new Anthropic({ baseURL: url, apiKey: key, dangerouslyAllowBrowser: true, maxRetries: 0 });
      const message = { model: "llama3.2", max_tokens: 10, messages: [{ role: "user", content: "hi" }] };
      return (await client.messages.create(message)).content[0].text;
    });
    assert.equal(text, "hello there");
  });

  test("a page reads which fields the gateway adjusted", async () => {
    const adjusted = await inPage("127.0.0.1", async ({ url, key }) => {
      const chat = { model: "llama3.2", messages: [{ role: "user", content: "hi" }], stream: false, keep_alive: -1 };
      const headers = { authorization: `Bearer ${key}`, "content-type": "application/json" };
      const answer = await fetch(`${url}/api/chat`, { method: "POST", headers, body: JSON.stringify(chat) });
      return answer.headers.get("x-sallyport-adjusted");
    });
    assert.equal(adjusted, "keep_alive=300");
  });

  test("a page of an origin that is not listed gets nothing", async () => {
    const failed = await inPage("localhost", async ({ url, key }) => {
      const { default: OpenAI } = await import("/openai/index.mjs");
      const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: key, dangerouslyAllowBrowser: true, maxRetries: 0 });
      return client.models.list().then(
        () => "listed",
        (error) => error.constructor.name,
      );
    });
    assert.notEqual(failed, "listed");
  });
});
