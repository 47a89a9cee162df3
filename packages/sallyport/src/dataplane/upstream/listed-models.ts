/**
 * What one model server lists of its models. Ollama decides where a model runs by the model's manifest, not by its name,
 * so a local-looking name may stand for a model in the cloud (`remote_host` in `/api/tags`). Servers of OpenAI's dialect
 * have no such names, but some run whatever they have under any name that is asked for: of those, only the names in
 * `/v1/models` are taken to be served (ADR 69).
 */
import { parseModelName } from "@sallyport/protocol";
import { parseObject } from "../answer/framed-answer.ts";
import { ask } from "./ask.ts";
import type { ModelListing, ServedNames } from "./model-listing.ts";
import type { Upstream } from "./upstream.ts";

const LISTING_BYTES_MAX = 16 * 1024 * 1024;
const PATIENCE_MS = 10_000;
/** A server without `/api/tags` is asked again after so long whether it has become an Ollama. */
const NO_TAGS_MS = 60_000;
const SLOTS_MS = 60_000;
const SLOTS_MAX = 4_096;
const PROPS_BYTES_MAX = 1024 * 1024;
const NAMES_MAX = 10_000;

const NONE: ReadonlySet<string> = new Set();

/** The server did not answer as a model server does: nothing is known of its models. */
export class ListingUnavailable extends Error {
  constructor(reason: string) {
    super(`the model server's list of models cannot be read: ${reason}`);
    this.name = "ListingUnavailable";
  }
}

export class ModelLister {
  readonly #now: () => number;
  /** Servers said to be no Ollama that have no `/api/tags`, by the monotonic time until which that counts. */
  readonly #noTagsUntilMs = new Map<string, number>();

  /** What `/props` said of each server. */
  readonly #slots = new Map<string, { readonly slots: number | undefined; readonly untilMs: number }>();

  constructor(now: () => number) {
    this.#now = now;
  }

  /** Asks the server. Throws where it cannot be asked. */
  async list(upstream: Upstream): Promise<ModelListing> {
    if (upstream.kind === "ollama") return { remote: (await listTags(upstream)) ?? NONE, served: null };
    const [served, remote] = await Promise.all([listServed(upstream), this.#listTagsRarely(upstream)]);
    const slots = upstream.kind === "llama.cpp" ? await this.#slotsOf(upstream) : undefined;
    return { remote, served, ...(slots === undefined ? {} : { slots }) };
  }

  /** A server that does not say is asked again like one that did: it may have been started with other options. */
  async #slotsOf(upstream: Upstream): Promise<number | undefined> {
    const { url } = upstream.spec;
    const now = this.#now();
    const known = this.#slots.get(url);
    if (known !== undefined && known.untilMs > now) return known.slots;
    const slots = await askSlots(upstream).catch(() => undefined);
    this.#slots.set(url, { slots, untilMs: now + SLOTS_MS });
    return slots;
  }

  /** Policy may call an Ollama another kind of server: its remote models are no less remote for that. */
  async #listTagsRarely(upstream: Upstream): Promise<ReadonlySet<string>> {
    const { url } = upstream.spec;
    const now = this.#now();
    if ((this.#noTagsUntilMs.get(url) ?? Number.NEGATIVE_INFINITY) > now) return NONE;
    // An error here is no Ollama's: some of these servers answer unknown paths with 400 or 500.
    const tags = await listTags(upstream).catch((cause: unknown) => {
      if (cause instanceof ListingUnavailable) return undefined;
      throw cause;
    });
    if (tags === undefined) this.#noTagsUntilMs.set(url, now + NO_TAGS_MS);
    return tags ?? NONE;
  }
}

/** Of an Ollama, its remote models. A server without `/api/tags` is no Ollama: undefined. */
async function listTags(upstream: Upstream): Promise<ReadonlySet<string> | undefined> {
  const { status, body } = await ask(upstream, "GET", "/api/tags", undefined, {
    maxBytes: LISTING_BYTES_MAX,
    timeoutMs: PATIENCE_MS,
  });
  if (status === 404 || status === 405 || status === 501) return undefined;
  if (status !== 200) throw new ListingUnavailable(`status ${status}`);
  return readRemoteModels(body.toString("utf8"));
}

/** Null for a text that is no list: a server that speaks no Ollama answers its own page or object here. */
export function readRemoteModels(text: string): ReadonlySet<string> | undefined {
  const models = parseObject(text)?.["models"];
  if (!Array.isArray(models)) return undefined;
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

async function listServed(upstream: Upstream): Promise<ServedNames> {
  const { status, body } = await ask(upstream, "GET", "/v1/models", undefined, {
    maxBytes: LISTING_BYTES_MAX,
    timeoutMs: PATIENCE_MS,
  });
  if (status !== 200) throw new ListingUnavailable(`status ${status}`);
  const served = readServedNames(body.toString("utf8"));
  if (served === undefined) throw new ListingUnavailable("it is no list");
  return served;
}

/** `{object:"list", data:[{id, …}]}`. Names that no request can have are skipped. */
export function readServedNames(text: string): ServedNames | undefined {
  const data = parseObject(text)?.["data"];
  if (!Array.isArray(data)) return undefined;
  const served = new Map<string, string[]>();
  for (const entry of (data as unknown[]).slice(0, NAMES_MAX)) {
    const id = typeof entry === "object" && entry !== null ? (entry as Record<string, unknown>)["id"] : undefined;
    const parsed = typeof id === "string" ? parseModelName(id) : undefined;
    if (parsed === undefined) continue;
    const spellings = served.get(parsed.key);
    if (spellings === undefined) served.set(parsed.key, [id as string]);
    else if (!spellings.includes(id as string)) spellings.push(id as string);
  }
  return served;
}

/** llama.cpp's server says in `/props` how many slots it was started with. */
async function askSlots(upstream: Upstream): Promise<number | undefined> {
  const { status, body } = await ask(upstream, "GET", "/props", undefined, {
    maxBytes: PROPS_BYTES_MAX,
    timeoutMs: PATIENCE_MS,
  });
  return status === 200 ? readSlots(body.toString("utf8")) : undefined;
}

export function readSlots(text: string): number | undefined {
  const slots = parseObject(text)?.["total_slots"];
  const isCount = typeof slots === "number" && Number.isInteger(slots) && slots >= 1 && slots <= SLOTS_MAX;
  return isCount ? slots : undefined;
}

/** An entry of `/api/tags`, or a line of an answer, whose model runs elsewhere. */
export function isRemoteEntry(entry: Record<string, unknown>): boolean {
  return isText(entry["remote_host"]) || isText(entry["remote_model"]);
}

function isText(value: unknown): boolean {
  return typeof value === "string" && value !== "";
}
