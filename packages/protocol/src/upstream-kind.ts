/** The words in which policy says what a model server is. */

/**
 * `ollama` speaks Ollama's own dialect and the others'. The rest speak OpenAI's dialect only and run only the models that
 * they list; `llama.cpp` also says how many requests it takes at the same time.
 */
export const upstreamKinds = ["ollama", "openai", "llama.cpp"] as const;
export type UpstreamKind = (typeof upstreamKinds)[number];
