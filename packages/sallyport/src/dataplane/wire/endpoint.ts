/** The shape of one row of the closed endpoint table. Every field is filled in for every row: an incomplete row does not compile. */
import type { DataPermission, Refusal } from "@sallyport/protocol";
import type { Understood } from "./understood.ts";

/** `oauth`: RFC 6749's errors, of the gateway's own token endpoints; never forwarded. */
export type Dialect = "ollama" | "openai" | "anthropic" | "oauth";

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

export type BodyKind = "none" | "json" | "form" | "multipart" | "blob";

/** What a path's last segment holds, when it is not fixed. */
export type ParameterKind = "none" | "model" | "digest" | "opaque";

export const ways = [
  "constant", // answered by constants of ours
  "metadata", // what an environment says of its tokens
  "ticket", // the opening of delivery links
  "device", // a program asks for a person's log-in
  "login", // the pages people log in by
  "oauth", // a key asks for a token, or about one
  "revoke", // a key ends its token, or a session itself
  "rotation", // a key makes its next secret
  "person", // a logged-in user and their keys
  "usage", // the caller's own usage
  "model", // a model server
] as const;
export type Way = (typeof ways)[number];

export interface Endpoint {
  /** Stable name for records and metrics: `ollama.chat`. */
  readonly id: string;
  readonly methods: readonly string[];
  /** The exact path; with a parameter, everything before the last segment, slash included. */
  readonly path: string;
  readonly parameter: ParameterKind;
  readonly dialect: Dialect;
  /** Which stages the request passes (`ways.ts`). Only what is on the way `model` is ever forwarded. */
  readonly way: Way;
  /** Holding any of these (on any model) opens the endpoint at all: checked before the body is read. */
  readonly anyOf: readonly DataPermission[];
  readonly recorded: "inference" | "management" | "read" | "none";
  /** Query parameters that are accepted; what the gateway does not read itself is dropped. Any other is rejected. */
  readonly query: readonly string[];
  readonly body: BodyKind;
  readonly bodyBytesMax: number;
  readonly metering: Metering;
  readonly filter: AnswerFilter;
  /** A smallest ordinary body naming the model, for `explain` and the table's own check; null where there is no JSON body. */
  readonly sample: ((model: string) => object) | null;
  /** Turns the raw body (empty for none) and the decoded path parameter into what the request means. */
  understand(body: Buffer, parameter: string | null, contentType: string): Understood | Refusal;
  /** The path for the upstream, from what was understood, never from the caller's text. */
  upstreamPath(understood: Understood, parameter: string | null): string;
}
