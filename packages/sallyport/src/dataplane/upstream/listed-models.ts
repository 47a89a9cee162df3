/**
 * What one model server says of its models: which of them are remote. Ollama decides where a model runs by the model's
 * manifest, not by its name, so a local-looking name may stand for a model in the cloud (`remote_host` in `/api/tags`).
 */
import { parseModelName } from "@sallyport/protocol";
import { parseObject } from "../answer/framed-answer.ts";
import { ask } from "./ask.ts";
import type { Upstream } from "./upstream.ts";

const LISTING_BYTES_MAX = 16 * 1024 * 1024;
const PATIENCE_MS = 10_000;

/** Canonical names (`ModelName.key`) of the models that run elsewhere. */
export type RemoteModels = ReadonlySet<string>;

const NONE: RemoteModels = new Set();

/** The server did not answer as a model server does: nothing is known of its models. */
export class ListingUnavailable extends Error {
  constructor(reason: string) {
    super(`the model server's list of models cannot be read: ${reason}`);
    this.name = "ListingUnavailable";
  }
}

/** Asks the server. A server without `/api/tags` is no Ollama and has no remote models. Throws where it cannot be asked. */
export async function listRemoteModels(upstream: Upstream): Promise<RemoteModels> {
  const { status, body } = await ask(upstream, "GET", "/api/tags", undefined, {
    maxBytes: LISTING_BYTES_MAX,
    timeoutMs: PATIENCE_MS,
  });
  if (status === 404 || status === 405 || status === 501) return NONE;
  if (status !== 200) throw new ListingUnavailable(`status ${status}`);
  return readRemoteModels(body.toString("utf8"));
}

export function readRemoteModels(text: string): RemoteModels {
  const models = parseObject(text)?.["models"];
  // No list at all: a server that speaks no Ollama answers its own page or object here.
  if (!Array.isArray(models)) return NONE;
  const remote = new Set<string>();
  for (const entry of models as unknown[]) {
    if (typeof entry !== "object" || entry === null || !isRemoteEntry(entry as Record<string, unknown>)) continue;
    for (const field of ["model", "name"]) {
      const name: unknown = (entry as Record<string, unknown>)[field];
      const parsed = typeof name === "string" ? parseModelName(name) : undefined;
      if (parsed) remote.add(parsed.key);
    }
  }
  return remote;
}

/** An entry of `/api/tags`, or a line of an answer, whose model runs elsewhere. */
export function isRemoteEntry(entry: Record<string, unknown>): boolean {
  return isText(entry["remote_host"]) || isText(entry["remote_model"]);
}

function isText(value: unknown): boolean {
  return typeof value === "string" && value !== "";
}
