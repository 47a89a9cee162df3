/** The shape of one row of the closed endpoint table. Every field is filled in for every row: an incomplete row does not compile. */
import type { DataPermission, Refusal } from "@sallyport/protocol";
import type { Understood } from "./understood.ts";

export type Dialect = "ollama" | "openai" | "anthropic";

/** Where the answer's usage stands and which mark ends a whole answer. */
export type Metering =
  | "native" // NDJSON or one object: prompt_eval_count/eval_count, ends with done:true
  | "native-embed" // prompt_eval_count only
  | "native-progress" // pull, push, create: ends with status "success"
  | "openai-chat" // usage{}, SSE ends with data: [DONE]
  | "openai-completions"
  | "openai-embeddings"
  | "openai-responses" // usage in response.completed
  | "anthropic" // message_start / message_delta, ends with message_stop
  | "estimate" // no usage anywhere: /api/embeddings, transcriptions
  | "none";

/** How an answer is rewritten before the caller sees it. */
export type AnswerFilter = "none" | "tags" | "ps" | "v1-models" | "v1-model" | "show";

export type BodyKind = "none" | "json" | "multipart" | "blob";

export interface Endpoint {
  /** Stable name for records and metrics: `ollama.chat`. */
  readonly id: string;
  readonly methods: readonly string[];
  /** Exact path, or with one last segment `:model`, `:digest` or `:encodedKey`. */
  readonly path: string;
  readonly dialect: Dialect;
  /** `local` answers are constants of ours and are never forwarded. */
  readonly served: "local" | "upstream";
  /** Holding any of these (on any model) opens the endpoint at all: checked before the body is read. */
  readonly anyOf: readonly DataPermission[];
  readonly recorded: "inference" | "management" | "read" | "none";
  /** Query parameters accepted and dropped; any other is refused. */
  readonly query: readonly string[];
  readonly body: BodyKind;
  readonly bodyBytesMax: number;
  readonly metering: Metering;
  readonly filter: AnswerFilter;
  /** Turns the raw body (empty for none) and the decoded path parameter into what the request means. */
  understand(body: Buffer, parameter: string | null, contentType: string): Understood | Refusal;
  /** The path for the upstream, from what was understood, never from the caller's text. */
  upstreamPath(understood: Understood): string;
}
