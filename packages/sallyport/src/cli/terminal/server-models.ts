/**
 * The models of an environment's servers, asked of the servers themselves, as `doctor` does. Their names are strangers'
 * texts: only what a selector can name is returned. A server that does not reply in time has none.
 */
import type { UpstreamView } from "@sallyport/contract";
import { parseModelName, parseSelector } from "@sallyport/protocol";
import { sendBounded } from "../../kernel/bounded-request.ts";
import type { SendBounded } from "../../kernel/bounded-request.ts";

export interface ServerModels {
  /** Models that run on the servers, in order, each once. */
  readonly names: readonly string[];
  /** Names that no selector can mean. */
  readonly strange: readonly string[];
  /** Servers that did not reply, or not as Ollama does. */
  readonly silent: readonly string[];
}

export async function readServerModels(
  upstreams: readonly Pick<UpstreamView, "url">[],
  timeoutMs: number,
  send: SendBounded = sendBounded,
): Promise<ServerModels> {
  const urls = [...new Set(upstreams.map(({ url }) => url))];
  const lists = await Promise.all(urls.map((url) => readList(url, timeoutMs, send)));
  const names = [...new Set(lists.flatMap((list) => list ?? []))].toSorted();
  return {
    names: names.filter(isSelectable),
    strange: names.filter((name) => !isSelectable(name)),
    silent: urls.filter((_url, at) => lists[at] === undefined),
  };
}

/** Undefined where it does not reply as Ollama does. */
async function readList(url: string, timeoutMs: number, send: SendBounded): Promise<readonly string[] | undefined> {
  try {
    const { status, text } = await send({ method: "GET", url: `${url}/api/tags`, timeoutMs });
    const read: unknown = status === 200 ? JSON.parse(text) : undefined;
    const models = isObject(read) ? read["models"] : undefined;
    if (!Array.isArray(models)) return undefined;
    return models.filter(isLocal).map(({ name }) => name);
  } catch {
    return undefined;
  }
}

/** A name that stands for a model elsewhere is for `cloud:` selectors, which are granted knowingly. */
function isLocal(model: unknown): model is { readonly name: string } {
  if (!isObject(model) || typeof model["name"] !== "string") return false;
  const remote = model["remote_host"];
  return (remote === undefined || remote === "") && parseModelName(model["name"])?.source !== "cloud";
}

function isSelectable(name: string): boolean {
  return parseSelector(name) !== undefined && !name.includes("*") && !name.includes(",");
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
