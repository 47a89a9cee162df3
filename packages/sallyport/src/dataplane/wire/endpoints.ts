/**
 * The closed endpoint table (R2): every request that can pass, one row each. What is not here is 404, and a newer Ollama's
 * new routes stay closed until a row is written. Rows follow section 1 of Ollama's routes (server/routes.go).
 */
import {
  isRefusal,
  KEY_ROTATE_PATH,
  OWN_KEY_RESUME_PATH,
  OWN_KEYS_PATH,
  OWN_USAGE_PATH,
  parseModelName,
  TICKET_INSPECT_PATH,
  TICKET_OPEN_PATH,
} from "@sallyport/protocol";
import type { DataPermission } from "@sallyport/protocol";
import type { Dialect, Endpoint, Way } from "./endpoint.ts";
import { webFetchFields, webSearchFields } from "./native-fields.ts";
import { understandTranscription } from "./understand-audio.ts";
import { understandCompat } from "./understand-compat.ts";
import {
  understandCopy,
  understandCreate,
  understandDelete,
  understandModelless,
  understandShow,
  understandTransfer,
} from "./understand-models.ts";
import { understandNative } from "./understand-native.ts";
import { understandBlob, understandModelRow, understandPlain } from "./understand-plain.ts";

const KIB = 1024;
const MIB = 1024 * KIB;
/** The bound of inference where the settings do not raise it (`inspect`). */
export const INFERENCE_BYTES_MAX = 32 * MIB;
const SMALL_BYTES_MAX = 64 * KIB;
/** Of what the gateway answers itself. */
const OWN_BYTES_MAX = 4 * KIB;
const CREATE_BYTES_MAX = 4 * MIB;
const AUDIO_BYTES_MAX = 25 * MIB;

/** The CLI's signature carries a time stamp in the query (`OLLAMA_AUTH=1`): accepted and dropped. */
const CLI_QUERY = ["ts"];

type Row = Partial<Endpoint> & Pick<Endpoint, "id" | "methods" | "path" | "anyOf" | "understand">;

function row(dialect: Dialect, said: Row): Endpoint {
  const path = said.path;
  return {
    dialect,
    parameter: "none",
    way: "model",
    recorded: "inference",
    query: dialect === "ollama" ? CLI_QUERY : [],
    body: "json",
    bodyBytesMax: SMALL_BYTES_MAX,
    metering: "none",
    filter: "none",
    sample: null,
    upstreamPath: () => path,
    ...said,
  };
}

/** Opened by the holder of a delivery link, without a key; never forwarded. */
function ticket(id: string, path: string): Endpoint {
  return row("ollama", {
    id, methods: ["POST"], path, anyOf: [], way: "ticket", recorded: "none", query: [],
    bodyBytesMax: OWN_BYTES_MAX, understand: understandPlain("server:health"),
  }); // prettier-ignore
}

/** A user and their keys: opened by a log-in, whatever the user's roles are; never forwarded. */
function person(id: string, method: "GET" | "POST", path: string): Endpoint {
  return row("ollama", {
    id, methods: [method], path, anyOf: [], way: "person", recorded: "none", query: [],
    body: method === "POST" ? "json" : "none", bodyBytesMax: method === "POST" ? OWN_BYTES_MAX : 0, understand: understandPlain("server:health"),
  }); // prettier-ignore
}

/**
 * Tokens, and what an environment says about them; under `/e/<environment>`, too. Callers authenticate as OAuth
 * clients.
 */
function oauth(name: string, way: Way, path: string, anyOf: readonly DataPermission[] = []): Endpoint {
  const isRead = way === "metadata";
  return row("oauth", {
    id: `oauth.${name}`, methods: [isRead ? "GET" : "POST"], path, anyOf, way, recorded: "none", query: [],
    body: isRead ? "none" : "form", bodyBytesMax: 16 * KIB, understand: understandPlain("server:health"),
  }); // prettier-ignore
}

/** The pages people log in by, and the way back from their identity provider. */
function login(name: string, methods: readonly string[], path: string, query: readonly string[]): Endpoint {
  return row("oauth", {
    id: `login.${name}`, methods, path, anyOf: [], way: "login", recorded: "none", query,
    body: "form", bodyBytesMax: OWN_BYTES_MAX, understand: understandPlain("server:health"),
  }); // prettier-ignore
}

/** Answered by constants of ours, without a credential; never forwarded, never recorded. */
function local(path: string): Endpoint {
  return row("ollama", {
    id: `local.${path.slice(1).replaceAll("/", ".") || "root"}`, methods: ["GET", "HEAD"], path, anyOf: ["server:health"],
    way: "constant", recorded: "none", body: "none", bodyBytesMax: 0, understand: understandPlain("server:health"),
  }); // prettier-ignore
}

/** A read without a body. */
function read(
  dialect: Dialect,
  id: string,
  methods: readonly string[],
  path: string,
  permission: DataPermission,
  more: Partial<Endpoint> = {},
): Endpoint {
  return row(dialect, {
    id, methods, path, anyOf: [permission], recorded: "read", body: "none", bodyBytesMax: 0, understand: understandPlain(permission), ...more,
  }); // prettier-ignore
}

function manage(
  id: string,
  path: string,
  anyOf: readonly DataPermission[],
  more: Partial<Endpoint> & Pick<Endpoint, "understand">,
): Endpoint {
  return row("ollama", {
    id,
    methods: ["POST"],
    path,
    anyOf,
    recorded: "management",
    metering: "native-progress",
    ...more,
  });
}

const said = (content: string): object[] => [{ role: "user", content }];

export const endpoints: readonly Endpoint[] = [
  local("/"),
  local("/api/version"),
  local("/healthz"),
  local("/readyz"),
  oauth("token", "oauth", "/oauth/token"),
  oauth("introspect", "oauth", "/oauth/introspect", ["tokens:introspect"]),
  oauth("revoke", "revoke", "/oauth/revoke"),
  oauth("device", "device", "/oauth/device_authorization"),
  login("page", ["GET", "POST"], "/login", ["user_code"]),
  login("local", ["POST"], "/login/local", []),
  login("enrol", ["GET", "POST"], "/login/enrol", []),
  login("callback", ["GET"], "/oidc/callback", ["code", "state", "iss", "session_state", "scope", "error", "error_description", "error_uri"]),
  oauth("metadata", "metadata", "/.well-known/oauth-authorization-server"),
  oauth("jwks", "metadata", "/.well-known/jwks.json"),

  read("ollama", "ollama.status", ["GET"], "/api/status", "server:status"),
  read("ollama", "ollama.tags", ["GET", "HEAD"], "/api/tags", "models:list", { filter: "tags" }),
  read("ollama", "ollama.ps", ["GET"], "/api/ps", "runtime:ps", { filter: "ps" }),
  read("ollama", "ollama.recommendations", ["GET"], "/api/experimental/model-recommendations", "server:recommendations"),

  row("ollama", {
    id: "ollama.generate", methods: ["POST"], path: "/api/generate",
    anyOf: ["infer:generate", "runtime:load", "runtime:unload"],
    bodyBytesMax: INFERENCE_BYTES_MAX, metering: "native", understand: understandNative("generate"),
    sample: (model) => ({ model, prompt: "hello" }),
  }),
  row("ollama", {
    id: "ollama.chat", methods: ["POST"], path: "/api/chat", anyOf: ["infer:chat", "runtime:load", "runtime:unload"],
    bodyBytesMax: INFERENCE_BYTES_MAX, metering: "native", understand: understandNative("chat"),
    sample: (model) => ({ model, messages: said("hello") }),
  }),
  row("ollama", {
    id: "ollama.embed", methods: ["POST"], path: "/api/embed", anyOf: ["infer:embed", "runtime:load", "runtime:unload"],
    bodyBytesMax: INFERENCE_BYTES_MAX, metering: "native-embed", understand: understandNative("embed"),
    sample: (model) => ({ model, input: "hello" }),
  }),
  row("ollama", {
    id: "ollama.embeddings", methods: ["POST"], path: "/api/embeddings",
    anyOf: ["infer:embed", "runtime:load", "runtime:unload"],
    bodyBytesMax: INFERENCE_BYTES_MAX, metering: "estimate", understand: understandNative("embeddings"),
    sample: (model) => ({ model, prompt: "hello" }),
  }),
  row("ollama", {
    id: "ollama.show", methods: ["POST"], path: "/api/show", anyOf: ["models:show"], recorded: "read", filter: "show",
    understand: understandShow, sample: (model) => ({ model }),
  }),

  manage("ollama.pull", "/api/pull", ["models:pull"], { understand: understandTransfer("models:pull"), sample: (model) => ({ model }) }),
  manage("ollama.push", "/api/push", ["models:push"], { understand: understandTransfer("models:push"), sample: (model) => ({ model }) }),
  manage("ollama.create", "/api/create", ["models:create"], {
    bodyBytesMax: CREATE_BYTES_MAX, understand: understandCreate, sample: (model) => ({ model }),
  }),
  manage("ollama.copy", "/api/copy", ["models:copy"], {
    metering: "none", understand: understandCopy, sample: (model) => ({ source: model, destination: model }),
  }),
  manage("ollama.delete", "/api/delete", ["models:delete"], {
    methods: ["DELETE"], metering: "none", understand: understandDelete, sample: (model) => ({ model }),
  }),
  manage("ollama.blobs.probe", "/api/blobs/", ["blobs:probe"], {
    methods: ["HEAD"], parameter: "digest", recorded: "read", body: "none", bodyBytesMax: 0, metering: "none",
    understand: understandBlob("blobs:probe"), upstreamPath: (_, digest) => `/api/blobs/${digest}`,
  }),
  manage("ollama.blobs.write", "/api/blobs/", ["blobs:write"], {
    parameter: "digest", body: "blob", bodyBytesMax: Number.MAX_SAFE_INTEGER, metering: "none",
    understand: understandBlob("blobs:write"), upstreamPath: (_, digest) => `/api/blobs/${digest}`,
  }),

  manage("ollama.me", "/api/me", ["account:read"], { body: "none", bodyBytesMax: 0, metering: "none", understand: understandPlain("account:read") }),
  manage("ollama.signout", "/api/signout", ["account:manage"], {
    body: "none", bodyBytesMax: 0, metering: "none", understand: understandPlain("account:manage"),
  }),
  manage("ollama.user_keys", "/api/user/keys/", ["account:manage"], {
    methods: ["DELETE"], parameter: "opaque", body: "none", bodyBytesMax: 0, metering: "none",
    // Ollama ignores the segment: nothing of the caller's is sent in its place.
    understand: understandPlain("account:manage"), upstreamPath: () => "/api/user/keys/this",
  }),
  manage("ollama.web_search", "/api/experimental/web_search", ["cloud:websearch"], {
    metering: "none", understand: understandModelless("cloud:websearch", webSearchFields), sample: () => ({ query: "hello" }),
  }),
  manage("ollama.web_fetch", "/api/experimental/web_fetch", ["cloud:websearch"], {
    metering: "none", understand: understandModelless("cloud:websearch", webFetchFields), sample: () => ({ url: "https://example.com/" }),
  }),

  row("openai", {
    id: "openai.chat", methods: ["POST"], path: "/v1/chat/completions", anyOf: ["infer:chat"],
    bodyBytesMax: INFERENCE_BYTES_MAX, metering: "openai-chat", understand: understandCompat("chat.completions"),
    sample: (model) => ({ model, messages: said("hello") }),
  }),
  row("openai", {
    id: "openai.completions", methods: ["POST"], path: "/v1/completions", anyOf: ["infer:generate", "runtime:load"],
    bodyBytesMax: INFERENCE_BYTES_MAX, metering: "openai-completions", understand: understandCompat("completions"),
    sample: (model) => ({ model, prompt: "hello" }),
  }),
  row("openai", {
    id: "openai.embeddings", methods: ["POST"], path: "/v1/embeddings", anyOf: ["infer:embed", "runtime:load"],
    bodyBytesMax: INFERENCE_BYTES_MAX, metering: "openai-embeddings", understand: understandCompat("embeddings"),
    sample: (model) => ({ model, input: "hello" }),
  }),
  row("openai", {
    id: "openai.responses", methods: ["POST"], path: "/v1/responses", anyOf: ["infer:chat"],
    bodyBytesMax: INFERENCE_BYTES_MAX, metering: "openai-responses", understand: understandCompat("responses"),
    sample: (model) => ({ model, input: "hello" }),
  }),
  row("openai", {
    id: "openai.transcriptions", methods: ["POST"], path: "/v1/audio/transcriptions", anyOf: ["infer:audio"],
    // Ollama lets these win over the form: accepted, because SDKs may send them, and dropped.
    query: ["model", "language", "prompt", "response_format"],
    body: "multipart", bodyBytesMax: AUDIO_BYTES_MAX, metering: "estimate", understand: understandTranscription,
  }),
  read("openai", "openai.models", ["GET"], "/v1/models", "models:list", {
    // Pages and versions that Anthropic's library and Codex name: accepted and dropped.
    filter: "v1-models", query: ["limit", "after_id", "before_id", "beta", "client_version"],
  }),
  read("openai", "openai.model", ["GET"], "/v1/models/", "models:show", {
    parameter: "model", filter: "v1-model", query: ["beta"], understand: understandModelRow,
    upstreamPath: (understood) => `/v1/models/${encodeURIComponent(understood.model!.spelling)}`,
  }),
  row("ollama", {
    id: "key.rotate", methods: ["POST"], path: KEY_ROTATE_PATH, anyOf: ["self:rotate"], way: "rotation", recorded: "none",
    query: [], bodyBytesMax: OWN_BYTES_MAX, understand: understandPlain("self:rotate"),
  }),
  person("own_keys.list", "GET", OWN_KEYS_PATH),
  person("own_keys.resume", "POST", OWN_KEY_RESUME_PATH),
  row("ollama", {
    id: "own_usage.list", methods: ["GET"], path: OWN_USAGE_PATH, anyOf: ["usage:read"], way: "usage", recorded: "none",
    query: ["since"], body: "none", bodyBytesMax: 0, understand: understandPlain("usage:read"),
  }),
  ticket("tickets.open", TICKET_OPEN_PATH),
  ticket("tickets.inspect", TICKET_INSPECT_PATH),
  row("anthropic", {
    id: "anthropic.messages", methods: ["POST"], path: "/v1/messages", anyOf: ["infer:chat"],
    query: ["beta"], bodyBytesMax: INFERENCE_BYTES_MAX, metering: "anthropic", understand: understandCompat("messages"),
    sample: (model) => ({ model, max_tokens: 16, messages: said("hello") }),
  }),
]; // prettier-ignore

/**
 * By a delivery link, an OAuth client's proof, a browser's way through the provider, or a log-in: no permission opens
 * them.
 */
const OPENED_OTHERWISE: ReadonlySet<Way> = new Set([
  "ticket",
  "metadata",
  "device",
  "login",
  "oauth",
  "revoke",
  "person",
]);

/** Every mistake of the table itself: asked at start, so that a wrong row stops the program instead of a request. */
export function checkTable(rows: readonly Endpoint[] = endpoints): string[] {
  const mistakes: string[] = [];
  const seen = new Set<string>();
  for (const endpoint of rows) {
    for (const method of endpoint.methods) {
      const name = `${method} ${endpoint.path}`;
      if (seen.has(name)) mistakes.push(`${name} has two rows`);
      seen.add(name);
    }
    if (endpoint.anyOf.length === 0 && !OPENED_OTHERWISE.has(endpoint.way))
      mistakes.push(`${endpoint.id} names no permission`);
    if (endpoint.path.endsWith("/") && endpoint.path !== "/" && endpoint.parameter === "none")
      mistakes.push(`${endpoint.id} ends in a slash`);
    if (endpoint.sample) mistakes.push(...checkSample(endpoint, endpoint.sample));
  }
  return mistakes;
}

/** Each sample must be understood, name the model it was given, and ask for something the row's own list opens. */
function checkSample(endpoint: Endpoint, sample: (model: string) => object): string[] {
  const understood = endpoint.understand(Buffer.from(JSON.stringify(sample("sample"))), null, "application/json");
  if (isRefusal(understood)) return [`${endpoint.id}: its sample is denied with ${understood.code}`];
  const first = understood.demands[0];
  if (!first || !endpoint.anyOf.includes(first.permission))
    return [`${endpoint.id}: its sample asks for what it does not open`];
  if (first.model !== null && first.model.key !== parseModelName("sample")!.key)
    return [`${endpoint.id}: its sample names another model`];
  return [];
}
