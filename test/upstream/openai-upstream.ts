/**
 * Model servers for tests that speak OpenAI's dialect only, as llama.cpp's server and vLLM do on the wire: the first runs
 * its one model under any name, the second compares names letter by letter. Their reports of usage can be missing or
 * wrong.
 */
import { createServer } from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { send } from "./send.ts";

export interface OpenaiUpstreamOptions {
  readonly flavour?: "llama.cpp" | "vllm";
  readonly models?: readonly string[];
  /** Requests without this bearer token are denied. */
  readonly apiKey?: string;
  readonly slots?: number;
}

export type Report = "true" | "missing" | "zero" | "absurd" | "with_last_choice";

interface Run {
  readonly path: string;
  readonly model: string;
  readonly body: Readonly<Record<string, unknown>>;
}

export const PROMPT_TOKENS = 11;
export const OUTPUT_TOKENS = 7;

export class OpenaiUpstream {
  /** What it ran, and under which name. */
  readonly runs: Run[] = [];
  /** Everything it was asked, as `GET /v1/models`. */
  readonly asked: string[] = [];
  readonly authorizations: (string | undefined)[] = [];
  models: readonly string[];
  report: Report = "true";
  /** Words in an answer. */
  words = 8;
  /** Answers wait for this. */
  held: Promise<unknown> | null = null;
  readonly #flavour: "llama.cpp" | "vllm";
  readonly #apiKey: string | undefined;
  readonly #slots: number;
  readonly #server: Server;

  constructor({ flavour = "vllm", models = ["org/Model-7B"], apiKey, slots = 2 }: OpenaiUpstreamOptions = {}) {
    this.models = models;
    this.#flavour = flavour;
    this.#apiKey = apiKey;
    this.#slots = slots;
    this.#server = createServer((request, response) => void this.#serve(request, response));
  }

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const path = request.url!;
    this.asked.push(`${request.method} ${path}`);
    const { authorization } = request.headers;
    this.authorizations.push(authorization);
    const isPublic = this.#flavour === "llama.cpp" && path === "/v1/models";
    if (this.#apiKey !== undefined && !isPublic && authorization !== `Bearer ${this.#apiKey}`)
      return this.#fail(response, 401, "Invalid API Key", "authentication_error");
    if (path === "/v1/models") return send(response, 200, this.#list());
    if (path === "/props" && this.#flavour === "llama.cpp") return send(response, 200, { total_slots: this.#slots });
    if (request.method !== "POST" || !path.startsWith("/v1/"))
      return this.#flavour === "llama.cpp"
        ? this.#fail(response, 404, "File Not Found", "not_found_error")
        : send(response, 404, { detail: "Not Found" });
    const body = JSON.parse(Buffer.concat(chunks).toString("utf8")) as Record<string, unknown>;
    const model = String(body["model"]);
    if (this.#flavour === "vllm" && !this.models.includes(model))
      return this.#fail(response, 404, `The model \`${model}\` does not exist.`, "NotFoundError");
    this.runs.push({ path, model, body });
    await this.held;
    if (body["stream"] === true) this.#stream(response, body);
    else send(response, 200, this.#whole(path));
  }

  #fail(response: ServerResponse, code: number, message: string, type: string): void {
    send(response, code, { error: { message, type, param: null, code } });
  }

  #list(): object {
    const data = this.models.map((id) => ({ id, object: "model", created: 1, owned_by: this.#flavour }));
    return { object: "list", data };
  }

  #usage(): object | undefined {
    const of = (input: number, output: number): object => ({
      prompt_tokens: input,
      completion_tokens: output,
      total_tokens: input + output,
    });
    if (this.report === "missing") return undefined;
    if (this.report === "zero") return of(0, 0);
    return this.report === "absurd" ? of(9e15, 9e15) : of(PROMPT_TOKENS, OUTPUT_TOKENS);
  }

  #whole(path: string): object {
    const usage = this.#usage();
    const text = "word ".repeat(this.words);
    if (path === "/v1/embeddings") return { object: "list", data: [{ object: "embedding", index: 0, embedding: [0.1] }], ...(usage ? { usage } : {}) }; // prettier-ignore
    const choice = { index: 0, finish_reason: "stop", message: { role: "assistant", content: text } };
    return {
      id: "c1",
      object: "chat.completion",
      created: 1,
      model: "m",
      choices: [choice],
      ...(usage ? { usage } : {}),
    };
  }

  #stream(response: ServerResponse, body: Readonly<Record<string, unknown>>): void {
    response.writeHead(200, { "content-type": "text/event-stream; charset=utf-8" });
    const event = (data: object): void => void response.write(`data: ${JSON.stringify(data)}\n\n`);
    const head = { id: "c1", object: "chat.completion.chunk", created: 1, model: "m" };
    for (let i = 0; i < this.words; i++)
      event({ ...head, choices: [{ index: 0, delta: { content: "word " }, finish_reason: null }] });
    const usage = this.#usage();
    const isWithLast = this.report === "with_last_choice";
    event({ ...head, choices: [{ index: 0, delta: {}, finish_reason: "stop" }], ...(isWithLast ? { usage } : {}) });
    const options = body["stream_options"] as { include_usage?: boolean } | undefined;
    if (usage && !isWithLast && options?.include_usage) event({ ...head, choices: [], usage });
    response.end("data: [DONE]\n\n");
  }
}
