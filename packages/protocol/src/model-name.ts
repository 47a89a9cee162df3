/**
 * A model name as Ollama understands it (internal/modelref.ParseRef, then types/model.ParseName), parsed once. Many
 * texts name one model; everything that is compared, granted and recorded is the `key`, everything that is sent the
 * `spelling`. Stricter than Ollama in one thing: a scheme (`https://…`), which Ollama ignores, is rejected.
 */
export type ModelSource = "none" | "local" | "cloud";

export interface ModelName {
  /** `host/namespace/model:tag`, all lower case; cloud models are prefixed with `cloud:`. */
  readonly key: string;
  readonly source: ModelSource;
  /** Lower-case registry host, `registry.ollama.ai` unless written. */
  readonly host: string;
  readonly namespace: string;
  readonly model: string;
  readonly tag: string;
  /** For the upstream: trimmed, no `:local`, the cloud marker in its one usual form, letters' case as the caller wrote them. */
  readonly spelling: string;
}

export const DEFAULT_HOST = "registry.ollama.ai";
export const DEFAULT_NAMESPACE = "library";
export const DEFAULT_TAG = "latest";

/** Longest text that is looked at, in UTF-16 units: longer is no name. */
const TEXT_MAX = 1024;

// Go's unicode.IsSpace: with U+0085 and without U+FEFF, other than JavaScript's trim().
const SPACE = /[\t-\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]/;

const HOST = /^[A-Za-z0-9_][A-Za-z0-9_.:-]{0,349}$/;
const NAMESPACE = /^[A-Za-z0-9_][A-Za-z0-9_-]{0,79}$/;
const MODEL = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,79}$/;

/** The name, or undefined for an invalid text (Ollama: 400 `invalid model name`), such as an empty one. */
export function parseModelName(text: string): ModelName | undefined {
  if (text.length > TEXT_MAX) return undefined;
  // A reference copied from a browser, as `ollama run https://hf.co/…` takes it: the scheme says nothing of the model.
  const marked = splitSource(trim(text).replace(/^https?:\/\//i, ""));
  // Two markers (`x:local:cloud`) contradict each other or repeat: rejected, as by Ollama.
  if (marked.source !== "none" && splitSource(marked.base).source !== "none") return undefined;
  const { base, source } = marked;
  const slash = base.lastIndexOf("/");
  const colon = base.lastIndexOf(":");
  const hasTag = colon > slash;
  const tag = hasTag ? base.slice(colon + 1) : DEFAULT_TAG;
  const parts = (hasTag ? base.slice(0, colon) : base).split("/");
  if (parts.length > 3) return undefined;
  const model = parts.pop()!;
  const namespace = parts.pop() ?? DEFAULT_NAMESPACE;
  const host = parts.pop() ?? DEFAULT_HOST;
  if (!MODEL.test(model) || !MODEL.test(tag) || !NAMESPACE.test(namespace) || !HOST.test(host)) return undefined;
  const identity = `${host}/${namespace}/${model}:${tag}`.toLowerCase();
  return {
    key: source === "cloud" ? `cloud:${identity}` : identity,
    source,
    host: host.toLowerCase(),
    namespace: namespace.toLowerCase(),
    model: model.toLowerCase(),
    tag: tag.toLowerCase(),
    spelling: source === "cloud" ? base + (hasTag ? "-cloud" : ":cloud") : base,
  };
}

function trim(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && SPACE.test(text.charAt(start))) start++;
  while (end > start && SPACE.test(text.charAt(end - 1))) end--;
  return text.slice(start, end);
}

function splitSource(text: string): { readonly base: string; readonly source: ModelSource } {
  const colon = text.lastIndexOf(":");
  if (colon < 0) return { base: text, source: "none" };
  const last = trim(text.slice(colon + 1));
  const marker = last.toLowerCase();
  if (marker === "cloud" || marker === "local") return { base: text.slice(0, colon), source: marker };
  if (marker.endsWith("-cloud") && !marker.includes("/")) {
    return { base: `${text.slice(0, colon + 1)}${last.slice(0, -"-cloud".length)}`, source: "cloud" };
  }
  return { base: text, source: "none" };
}
