/** Where Ollama is said to be (OLLAMA_HOST, as Ollama reads it, else its usual address), and what answers at an address. */
import { systemCodeOf } from "../../kernel/system-code.ts";
import { UsageMistake } from "../terminal/usage-mistake.ts";
import { DEFAULT_OLLAMA_URL, ollamaUrl } from "./ollama-url.ts";

export interface FoundOllama {
  readonly url: string;
  readonly isThere: boolean;
  /** Something answers there, and not as Ollama does. */
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

/** What answers at that address. */
export async function lookAtOllama(url: string): Promise<FoundOllama> {
  const { request } = await import("undici");
  const bounds = { headersTimeout: PATIENCE_MS, bodyTimeout: PATIENCE_MS, signal: AbortSignal.timeout(PATIENCE_MS) };
  const ask = async (path: string): Promise<unknown> => (await request(`${url}${path}`, bounds)).body.json();
  try {
    const version = (await ask("/api/version")) as { version?: unknown } | null;
    if (typeof version?.version !== "string")
      return { url, isThere: false, isOther: true, models: [], chatModel: undefined };
    const tags = (await ask("/api/tags")) as { models?: ListedModel[] };
    const listed = (tags.models ?? []).filter(({ name }) => typeof name === "string");
    const models = listed.map(({ name }) => name as string);
    return {
      url,
      isThere: true,
      isOther: false,
      models,
      chatModel: listed.find(isLocalChat)?.name as string | undefined,
    };
  } catch (failure) {
    return { url, isThere: false, isOther: isAnswer(failure), models: [], chatModel: undefined };
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
