/** Looks for an Ollama where it listens: at OLLAMA_HOST, written as Ollama lets one write it, else at its usual address. */
import { DEFAULT_OLLAMA_URL, ollamaUrl } from "./ollama-url.ts";

export interface FoundOllama {
  readonly url: string;
  readonly isThere: boolean;
  /** Names of its models, newest first; empty when there are none or it is not there. */
  readonly models: readonly string[];
}

const PATIENCE_MS = 1_500;

export async function findOllama(host: string | undefined): Promise<FoundOllama> {
  const url = ollamaUrl(host ?? "") ?? DEFAULT_OLLAMA_URL;
  try {
    const { request } = await import("undici");
    const bounds = { headersTimeout: PATIENCE_MS, bodyTimeout: PATIENCE_MS, signal: AbortSignal.timeout(PATIENCE_MS) };
    const version = (await (await request(`${url}/api/version`, bounds)).body.json()) as { version?: unknown };
    if (typeof version.version !== "string") return { url, isThere: false, models: [] };
    const tags = (await (await request(`${url}/api/tags`, bounds)).body.json()) as { models?: { name?: unknown }[] };
    const models = (tags.models ?? []).map(({ name }) => name).filter((name) => typeof name === "string");
    return { url, isThere: true, models };
  } catch {
    return { url, isThere: false, models: [] };
  }
}
