/**
 * What one model server says of its models: which of them are remote. Ollama decides where a model runs by the model's
 * manifest, not by its name, so a local-looking name may stand for a model in the cloud (`remote_host` in `/api/tags`).
 */
import { parseModelName } from "@sallyport/protocol";
import { parseObject } from "../answer/framed-answer.ts";
import type { Upstream } from "./pool.ts";

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
export async function listRemoteModels({ pool, host }: Upstream): Promise<RemoteModels> {
  const { statusCode, body } = await pool.request({
    method: "GET",
    path: "/api/tags",
    headers: { host, "user-agent": "sallyport", accept: "application/json" },
    headersTimeout: PATIENCE_MS,
    bodyTimeout: PATIENCE_MS,
  });
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > LISTING_BYTES_MAX) throw new ListingUnavailable(`more than ${LISTING_BYTES_MAX} bytes`);
    chunks.push(chunk);
  }
  if (statusCode === 404 || statusCode === 405 || statusCode === 501) return NONE;
  if (statusCode !== 200) throw new ListingUnavailable(`status ${statusCode}`);
  return readRemoteModels(Buffer.concat(chunks, size).toString("utf8"));
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

/** An entry of `/api/tags` whose model runs elsewhere. */
export function isRemoteEntry(entry: Record<string, unknown>): boolean {
  return isText(entry["remote_host"]) || isText(entry["remote_model"]);
}

function isText(value: unknown): boolean {
  return typeof value === "string" && value !== "";
}
