/** Where Ollama is said to be (OLLAMA_HOST, as Ollama reads it, else its usual address), and what answers at a model server's address. */
import { parseModelName } from "@sallyport/protocol";
import type { UpstreamKind } from "@sallyport/protocol";
import { systemCodeOf } from "../../kernel/system-code.ts";
import { UsageMistake } from "../terminal/usage-mistake.ts";
import { DEFAULT_OLLAMA_URL, ollamaUrl } from "./ollama-url.ts";

export interface FoundServer {
  readonly url: string;
  /** As policy says it is. */
  readonly kind: "ollama" | "openai";
  /** It was taken for an Ollama, and speaks OpenAI's dialect only. */
  readonly isOpenai?: boolean;
  readonly isThere: boolean;
  /** Something answers there, and not as policy says it does. */
  readonly isOther: boolean;
  /** Names of its models, newest first; empty without models or if it cannot be reached. */
  readonly models: readonly string[];
  /** The newest that chats and runs on the server itself; undefined without one. */
  readonly chatModel: string | undefined;
}

const PATIENCE_MS = 1_500;

/** Throws `UsageMistake` for an OLLAMA_HOST that is no address: nothing is looked for elsewhere than where it was said. */
export function readOllamaHost(host: string | undefined): string {
  const url = host === undefined || host.trim() === "" ? DEFAULT_OLLAMA_URL : ollamaUrl(host);
  if (url === undefined)
    throw new UsageMistake(`OLLAMA_HOST is no address of a model server: ${host}`, "write HOST:PORT, or unset it");
  return url;
}

/** What answers at that address, which policy says is a server of that kind. */
export async function lookAtServer(url: string, kind: UpstreamKind = "ollama"): Promise<FoundServer> {
  if (kind !== "ollama") return lookAtOpenai(url);
  const found = await lookAtOllama(url);
  // Only policy decides what the server is: the output names the mistake.
  return found.isOther ? { ...found, isOpenai: (await lookAtOpenai(url)).isThere } : found;
}

/** A server that wants a credential is there: the gateway may have one. */
async function lookAtOpenai(url: string): Promise<FoundServer> {
  const { request } = await import("undici");
  const bounds = { headersTimeout: PATIENCE_MS, bodyTimeout: PATIENCE_MS, signal: AbortSignal.timeout(PATIENCE_MS) };
  const none = { url, kind: "openai" as const, isThere: false, isOther: true, models: [], chatModel: undefined };
  try {
    const answer = await request(`${url}/v1/models`, bounds);
    if (answer.statusCode === 401 || answer.statusCode === 403) {
      await answer.body.dump();
      return { ...none, isThere: true, isOther: false };
    }
    const { data } = (await answer.body.json()) as { data?: { id?: unknown }[] };
    if (answer.statusCode !== 200 || !Array.isArray(data)) return none;
    const models = data.map(({ id }) => id).filter((id): id is string => typeof id === "string");
    const chatModel = models.find((id) => parseModelName(id) !== undefined);
    return { ...none, isThere: true, isOther: false, models, chatModel };
  } catch (failure) {
    return { ...none, isOther: isAnswer(failure) };
  }
}

async function lookAtOllama(url: string): Promise<FoundServer> {
  const { request } = await import("undici");
  const bounds = { headersTimeout: PATIENCE_MS, bodyTimeout: PATIENCE_MS, signal: AbortSignal.timeout(PATIENCE_MS) };
  const ask = async (path: string): Promise<unknown> => (await request(`${url}${path}`, bounds)).body.json();
  try {
    const version = (await ask("/api/version")) as { version?: unknown } | null;
    if (typeof version?.version !== "string")
      return { url, kind: "ollama", isThere: false, isOther: true, models: [], chatModel: undefined };
    const tags = (await ask("/api/tags")) as { models?: ListedModel[] };
    const listed = (tags.models ?? []).filter(({ name }) => typeof name === "string");
    const models = listed.map(({ name }) => name as string);
    return {
      url,
      kind: "ollama",
      isThere: true,
      isOther: false,
      models,
      chatModel: listed.find(isLocalChat)?.name as string | undefined,
    };
  } catch (failure) {
    return { url, kind: "ollama", isThere: false, isOther: isAnswer(failure), models: [], chatModel: undefined };
  }
}

interface ListedModel {
  readonly name?: unknown;
  readonly remote_host?: unknown;
  readonly capabilities?: unknown;
}

/** Neither a name for a model elsewhere nor one that only embeds. An older server lists no capabilities: then it is taken to chat. */
function isLocalChat({ name, remote_host: remote, capabilities }: ListedModel): boolean {
  if ((typeof remote === "string" && remote !== "") || /[:-]cloud$/i.test(String(name))) return false;
  return !Array.isArray(capabilities) || capabilities.includes("completion");
}

/** What came was no JSON, or no HTTP. */
function isAnswer(failure: unknown): boolean {
  if (failure instanceof SyntaxError) return true;
  return systemCodeOf(failure)?.startsWith("HPE_") ?? false;
}
