// Placeholder signature; the body is written with the vectors.
export type ModelSource = "none" | "local" | "cloud";

/**
 * A model name as Ollama understands it (types/model.ParseName after modelref.ParseRef), parsed once.
 * `key` is the identity: everything that is compared, granted and recorded. `spelling` is what is sent upstream.
 */
export interface ModelName {
  /** `host/namespace/model:tag`, all lower case; cloud models are prefixed with `cloud:`. */
  readonly key: string;
  readonly source: ModelSource;
  /** Lower-case registry host of the name, `registry.ollama.ai` unless written. */
  readonly host: string;
  /** The clean spelling for the upstream: trimmed, no scheme, no `:local`, letters' case as the caller wrote them. */
  readonly spelling: string;
}
