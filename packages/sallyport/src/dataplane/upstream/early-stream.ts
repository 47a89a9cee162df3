/**
 * An event stream that begins before its answer does: while a request waits for its turn or for its model, comments show
 * that the connection lives, so that no proxy closes it. Only after the intent is on disk: a comment is a byte of the answer.
 */
import type { Exchange } from "../exchange.ts";
import { AnswerWriter } from "./answer-writer.ts";
import { writeAnswerHead } from "./headers.ts";

/** Proxies close a connection on which nothing came for a minute: comments come well before. */
export const KEEP_ALIVE_MS = 15_000;
const KEEP_ALIVE = Buffer.from(": keep-alive\n\n");

/** Its client reads server-sent events. Ollama's own dialect has no comments. */
export function expectsEvents({ endpoint, understood, request }: Exchange): boolean {
  const { dialect } = endpoint!;
  return understood!.isStream && (dialect === "openai" || dialect === "anthropic") && request.method !== "HEAD";
}

export function beginEventStream(exchange: Exchange): AnswerWriter {
  writeAnswerHead(exchange, 200, "text/event-stream", undefined, exchange.startedMs);
  exchange.writer = new AnswerWriter(exchange.response);
  return exchange.writer;
}

/** False when the caller reads slower than it is written to. */
export function writeComment(exchange: Exchange): boolean {
  exchange.sentBytes += KEEP_ALIVE.length;
  return exchange.writer!.write(KEEP_ALIVE);
}
