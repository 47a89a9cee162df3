/**
 * Selectors name models in grants. One without wildcard means exactly what the same text means as a model name:
 * `llama3.2` is `registry.ollama.ai/library/llama3.2:latest` and nothing else. A `*` stands for one whole part
 * (`llama3.2:*`, `library/*`); `*` alone is every local model. Cloud models match only `cloud:…`.
 */
import { DEFAULT_HOST, DEFAULT_NAMESPACE, DEFAULT_TAG, parseModelName } from "./model-name.ts";
import type { ModelName } from "./model-name.ts";

export interface ModelSelector {
  readonly isCloud: boolean;
  /** Lower-case parts; null = any. */
  readonly host: string | null;
  readonly namespace: string | null;
  readonly model: string | null;
  readonly tag: string | null;
}

const ANY = "*";

/** The selector, or undefined for an invalid text. */
export function parseSelector(text: string): ModelSelector | undefined {
  const isCloud = text.startsWith("cloud:");
  const rest = isCloud ? text.slice("cloud:".length) : text;
  if (rest === ANY) return { isCloud, host: null, namespace: null, model: null, tag: null };
  const slash = rest.lastIndexOf("/");
  const colon = rest.lastIndexOf(":");
  const hasTag = colon > slash;
  const written = (hasTag ? rest.slice(0, colon) : rest).split("/");
  if (written.length > 3) return undefined;
  const model = written.pop()!;
  const namespace = written.pop() ?? DEFAULT_NAMESPACE;
  const host = written.pop() ?? DEFAULT_HOST;
  // `library/*` means those models whatever their tag; `llama3.2` means the default tag.
  const tag = hasTag ? rest.slice(colon + 1) : model === ANY ? ANY : DEFAULT_TAG;
  // With plain text in place of each wildcard it must be a proper name, without a source marker.
  const plain = (part: string): string => (part === ANY ? "x" : part);
  const name = parseModelName(`${plain(host)}/${plain(namespace)}/${plain(model)}:${plain(tag)}`);
  if (!name || name.source !== "none") return undefined;
  return {
    isCloud,
    host: host === ANY ? null : name.host,
    namespace: namespace === ANY ? null : name.namespace,
    model: model === ANY ? null : name.model,
    tag: tag === ANY ? null : name.tag,
  };
}

export function matchesModel(selector: ModelSelector, name: ModelName): boolean {
  return (
    selector.isCloud === (name.source === "cloud") &&
    (selector.model === null || selector.model === name.model) &&
    (selector.tag === null || selector.tag === name.tag) &&
    (selector.namespace === null || selector.namespace === name.namespace) &&
    (selector.host === null || selector.host === name.host)
  );
}

/** Everything `narrow` matches is matched by `wide`. */
export function coversSelector(wide: ModelSelector, narrow: ModelSelector): boolean {
  return (
    wide.isCloud === narrow.isCloud &&
    (wide.host === null || wide.host === narrow.host) &&
    (wide.namespace === null || wide.namespace === narrow.namespace) &&
    (wide.model === null || wide.model === narrow.model) &&
    (wide.tag === null || wide.tag === narrow.tag)
  );
}
