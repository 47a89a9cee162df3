/** By canonical name (`ModelName.key`): how the server spells it, more than once where spellings differ in case only. */
export type ServedNames = ReadonlyMap<string, readonly string[]>;

export interface ModelListing {
  /** Canonical names of the models that run elsewhere. */
  readonly remote: ReadonlySet<string>;
  /** The names it serves; null = it decides by itself, and answers 404 for the others (Ollama). */
  readonly served: ServedNames | null;
  /** How many requests the server says it takes at the same time; absent = it does not say. */
  readonly slots?: number;
}
