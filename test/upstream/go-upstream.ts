/**
 * A model server for tests that behaves on the wire as the recorded exchanges of a real one do, and is as gullible: it
 * routes on the decoded path, reads JSON as Go does, and runs whatever it understood. It writes down every model it ran
 * or touched: what a test asks is not what a request looked like but what ran.
 */
import { createServer } from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { GoSyntaxError, isPairs, mapField, occurrences, plain, pointer, readGoJson, scalar } from "./go-json.ts";
import type { GoValue } from "./go-json.ts";
import { resolveModel } from "./go-model-name.ts";
import { goFormValue } from "./go-form.ts";
import { unzstdRaw } from "./zstd-raw.ts";
import { answerWork } from "./answers.ts";
import { send } from "./send.ts";
import type { Work } from "./answers.ts";

/** One thing the server did. */
export interface Deed {
  /** `chat`, `generate`, `embed`, `load`, `unload`, `show`, `pull`, `copy.source`, … */
  readonly what: string;
  /** `host/namespace/model:tag` in lower case, `cloud:` before cloud models, "" where there is none. */
  readonly model: string;
  readonly keepAlive?: unknown;
  readonly options?: Readonly<Record<string, unknown>>;
  readonly fields?: readonly string[];
}

export interface Seen {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage["headers"];
  readonly rawHeaders: readonly string[];
  readonly body: Buffer;
}

export interface GoUpstreamOptions {
  /** Pieces of a streamed answer; default 3. */
  readonly pieces?: number;
  /** Called for each request before it is answered: tests hold, break or replace answers here. True = answered. */
  readonly intercept?: (request: Seen, response: ServerResponse) => boolean | Promise<boolean>;
}

const RUNNING: ReadonlySet<string> = new Set(["chat", "generate", "embed", "audio"]);
const COMPAT = new Set(["/v1/chat/completions", "/v1/completions", "/v1/embeddings", "/v1/responses", "/v1/messages"]);

export class GoUpstream {
  readonly deeds: Deed[] = [];
  readonly seen: Seen[] = [];
  /** Requests whose connection the other side closed before the answer was whole. */
  aborted = 0;
  intercept: GoUpstreamOptions["intercept"];
  pieces: number;
  /** Local-looking names whose manifest names a remote model, as a server resolves them: `host/namespace/model:tag`. */
  readonly stubs = new Set<string>();
  /** What left the machine through a stub: the bodies, as they came. */
  readonly left: string[] = [];
  /** How often the gateway asked for the models itself; these are not in `seen`. */
  looks = 0;
  /** The list of models is answered with an error. */
  failsToList = false;
  #from: string | null = null;
  #making = "";
  readonly #server: Server;

  constructor(options: GoUpstreamOptions = {}) {
    this.intercept = options.intercept;
    this.pieces = options.pieces ?? 3;
    this.#server = createServer((request, response) => void this.#serve(request, response));
  }

  /** On a free port, or on one that another server had before. */
  async listen(port = 0): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(port, "127.0.0.1", resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** Models that ran or were touched, each once. */
  get models(): string[] {
    return [...new Set(this.deeds.map((deed) => deed.model).filter((model) => model !== ""))];
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of request) chunks.push(chunk as Buffer);
    } catch {
      this.aborted++;
      return;
    }
    const body = Buffer.concat(chunks);
    const seen: Seen = {
      method: request.method!,
      url: request.url!,
      headers: request.headers,
      rawHeaders: request.rawHeaders,
      body,
    };
    if (seen.url === "/api/tags" && seen.headers.accept === "application/json") {
      this.looks++;
      if (this.failsToList) return send(response, 500, { error: "no list" });
      return answerWork(response, { kind: "tags", stubs: this.stubs }, this.pieces);
    }
    this.seen.push(seen);
    response.on("close", () => {
      if (!response.writableFinished) this.aborted++;
    });
    try {
      if (this.intercept && (await this.intercept(seen, response))) return;
      this.#route(seen, response);
    } catch (cause) {
      if (!(cause instanceof GoSyntaxError)) throw cause;
      send(response, 400, { error: cause.message });
    }
  }

  #route(seen: Seen, response: ServerResponse): void {
    // Absolute form and percent-encoding reach the handlers, as in the real server.
    const [rawPath = "", query = ""] = seen.url.replace(/^https?:\/\/[^/]*/, "").split("?");
    const path = decodeURIComponent(rawPath);
    const clean = path.replaceAll(/\/{2,}/g, "/").replaceAll("/./", "/");
    if (clean !== path) {
      response.writeHead(301, { location: clean }).end();
      return;
    }
    const body = seen.headers["content-encoding"] === "zstd" && COMPAT.has(path) ? unzstdRaw(seen.body) : seen.body;
    const work = this.#understand(seen, path, query, body ?? seen.body);
    if (work === undefined) {
      response.writeHead(404, { "content-type": "text/plain" }).end("404 page not found");
      return;
    }
    answerWork(response, work, this.pieces);
  }

  #do(what: string, written: string, value: GoValue, trims = true): boolean {
    const resolved = resolveModel(written, trims);
    if (!resolved) throw new GoSyntaxError("invalid model name");
    const isStub = this.stubs.has(resolved.name);
    if (isStub && (RUNNING.has(what) || what === "load")) this.left.push(JSON.stringify(value));
    if (what === "copy.source" || what === "create") this.#from = isStub ? resolved.name : null;
    // A name made from a remote model is remote itself.
    if (what === "create") this.#making = resolved.name;
    if (what === "create.from" && (isStub || resolved.isCloud)) this.stubs.add(this.#making);
    if (what === "copy.destination" && this.#from !== null) this.stubs.add(resolved.name);
    const options = mapField(value, "options");
    this.deeds.push({
      what,
      model: (resolved.isCloud ? "cloud:" : "") + resolved.name,
      keepAlive: plain(pointer(value, "keep_alive") ?? null),
      options: Object.fromEntries([...options].map(([name, entry]) => [name, plain(entry)])),
      fields: isPairs(value) ? value.pairs.map(([name]) => name) : [],
    });
    return true;
  }

  #understand(seen: Seen, path: string, query: string, body: Buffer): Work | undefined {
    const { method } = seen;
    if (path === "/" && (method === "GET" || method === "HEAD")) return { kind: "text", text: "Ollama is running" };
    if (method === "GET" || method === "HEAD") return this.#read(path);
    if (path === "/v1/audio/transcriptions") {
      const form = goFormValue(seen.headers["content-type"] ?? "", body, new URLSearchParams(query), "model");
      this.#do("audio", form, { pairs: [] });
      return { kind: "audio" };
    }
    if (path.startsWith("/api/blobs/")) {
      this.deeds.push({ what: "blob", model: "" });
      return { kind: "status", status: 201 };
    }
    if (
      path.startsWith("/api/experimental/web") ||
      path === "/api/me" ||
      path === "/api/signout" ||
      path.startsWith("/api/user/keys/")
    ) {
      this.deeds.push({ what: path, model: "" });
      return { kind: "account" };
    }
    if (body.toString("latin1").trim() === "") throw new GoSyntaxError("missing request body");
    return this.#act(method, path, readGoJson(body));
  }

  #read(path: string): Work | undefined {
    if (path === "/api/tags") return { kind: "tags", stubs: this.stubs };
    if (path === "/api/ps") return { kind: "ps" };
    if (path === "/v1/models") return { kind: "v1-models" };
    if (path === "/api/version") return { kind: "object", body: { version: "0.0.0" } };
    if (path === "/api/status") return { kind: "object", body: { cloud: { disabled: true, source: "env" } } };
    if (path.startsWith("/api/blobs/")) return { kind: "status", status: 404 };
    if (path.startsWith("/v1/models/")) {
      const name = path.slice("/v1/models/".length);
      if (name.includes("/")) return undefined;
      this.#do("show", name, { pairs: [] });
      return { kind: "object", body: { id: name, object: "model", created: 1, owned_by: "library" } };
    }
    return undefined;
  }

  #act(method: string, path: string, value: GoValue): Work | undefined {
    const model = (): string => scalar(value, "model", "string") ?? "";
    const either = (): string => model() || (scalar(value, "name", "string") ?? "");
    const streams = pointer(value, "stream");
    if (method === "DELETE")
      return path === "/api/delete" && this.#do("delete", either(), value)
        ? { kind: "status", status: 200 }
        : undefined;
    switch (path) {
      case "/api/chat":
      case "/api/generate": {
        const what = path === "/api/chat" ? "chat" : "generate";
        const isEmpty = what === "chat" ? !hasItems(pointer(value, "messages")) : !scalar(value, "prompt", "string");
        const isUnload = isEmpty && isZero(pointer(value, "keep_alive"));
        this.#do(isUnload ? "unload" : isEmpty ? "load" : what, model(), value);
        return { kind: what, model: model(), streams: streams !== false && !isEmpty, isEmpty, isUnload };
      }
      case "/api/embed":
        this.#do("embed", model(), value);
        return { kind: "embed", model: model() };
      case "/api/embeddings":
        this.#do("embed", model(), value, false);
        return { kind: "embeddings" };
      case "/api/show":
        this.#do("show", either(), value);
        return { kind: "show" };
      case "/api/pull":
        this.#do("pull", either(), value);
        return { kind: "progress", streams: streams !== false };
      case "/api/push":
        this.#do("push", either(), value, false);
        return { kind: "progress", streams: streams !== false };
      case "/api/create": {
        this.#do("create", either(), value, false);
        const from = scalar(value, "from", "string");
        if (from) this.#do("create.from", from, value);
        return { kind: "progress", streams: streams !== false };
      }
      case "/api/copy":
        this.#do("copy.source", scalar(value, "source", "string") ?? "", value, false);
        this.#do("copy.destination", scalar(value, "destination", "string") ?? "", value, false);
        return { kind: "status", status: 200 };
      case "/v1/chat/completions":
      case "/v1/completions":
        this.#do(path === "/v1/completions" ? "generate" : "chat", model(), value);
        return {
          kind: path === "/v1/completions" ? "v1-completions" : "v1-chat",
          model: model(),
          streams: streams === true,
          hasUsage: [...occurrences(value, "stream_options")].some(
            (entry) => isPairs(entry) && scalar(entry, "include_usage", "boolean") === true,
          ),
        };
      case "/v1/responses":
      case "/v1/messages": {
        const isSearch = [...occurrences(value, "tools")].some(
          (list) =>
            Array.isArray(list) &&
            list.some(
              (tool) =>
                isPairs(tool as GoValue) && (scalar(tool as GoValue, "type", "string") ?? "").startsWith("web_search"),
            ),
        );
        if (isSearch) this.deeds.push({ what: "web_search", model: "" });
        this.#do("chat", model(), value);
        return {
          kind: path === "/v1/messages" ? "v1-messages" : "v1-responses",
          model: model(),
          streams: streams === true,
        };
      }
      case "/v1/embeddings":
        this.#do("embed", model(), value);
        return { kind: "v1-embeddings", model: model() };
      default:
        return undefined;
    }
  }
}

function hasItems(value: GoValue | undefined): boolean {
  return Array.isArray(value) && value.length > 0;
}

/** keep_alive as the server reads it: 0, "0", "0s", or a float that overflows its duration. */
function isZero(value: GoValue | undefined): boolean {
  return (
    value === 0 || value === 1e300 || (typeof value === "string" && /^-?0+(?:\.0+)?(?:ns|us|ms|s|m|h)?$/.test(value))
  );
}
