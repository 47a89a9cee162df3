/**
 * The one file that writes a denial: in the caller's dialect, with the stable code and the request id. Before the
 * endpoint is known, it is plain JSON. Nothing of the request is echoed except what the stages put into `detail`.
 */
import { problems, sallyportProfile } from "@sallyport/protocol";
import type { ProblemCode, Refusal, SignatureProfile } from "@sallyport/protocol";
import type { Exchange } from "./exchange.ts";
import { jsonHeaders } from "./own/own-answer.ts";
import type { Dialect } from "./wire/endpoint.ts";

/** A request body smaller than this is read away, so that the connection can be used again. */
const DISCARD_MAX = 65_536;
/**
 * After a denial that ends the connection, it stays open for this long, or until the caller closes it, and this much of
 * what still arrives is read: if it were closed at once, the caller's next write would fail before it has read the
 * reason (seen with Ollama's CLI).
 */
const LINGER_MS = 1_000;
const LINGER_BYTES = 1_048_576;

/** Sent again as it is, the request ends the same: OpenAI's and Anthropic's libraries obey the header, and Claude Code would else try for minutes. */
const HOPELESS: ReadonlySet<ProblemCode> = new Set(["credential_missing", "credential_malformed", "key_unknown"]);

export function messageOf(refusal: Refusal): string {
  const { title, remedy } = problems[refusal.code];
  return refusal.detail === undefined ? `${title}; ${remedy}` : `${title}: ${refusal.detail}; ${remedy}`;
}

export function writeRefusal(exchange: Exchange, refusal: Refusal): void {
  const { request, response } = exchange;
  if (exchange.writer !== null && !response.destroyed) {
    // An event stream was begun while the request waited: it can say how it ends.
    exchange.writer.end(Buffer.from(streamEnding(exchange.endpoint!.dialect, true, refusal, exchange.id)));
    return;
  }
  if (response.headersSent || response.destroyed) {
    response.destroy();
    return;
  }
  const { status } = problems[refusal.code];
  const body = JSON.stringify(refusalBody(exchange.endpoint?.dialect ?? null, refusal, exchange.id));
  const headers = jsonHeaders(exchange, body);
  if (refusal.retryAfterSeconds !== undefined)
    headers.push("retry-after", String(Math.max(1, refusal.retryAfterSeconds)));
  if (refusal.queue) addQueueHeaders(headers, refusal.queue);
  addChallenge(headers, refusal, status, exchange.endpoint?.dialect ?? null);
  if (HOPELESS.has(refusal.code)) headers.push("x-should-retry", "false");
  const isLast = !request.complete && !canDiscardBody(exchange);
  if (isLast) headers.push("connection", "close");
  response.writeHead(status, headers);
  const shown = request.method === "HEAD" ? undefined : body;
  if (isLast && !exchange.expectsContinue) linger(exchange, shown);
  else response.end(shown);
}

/** The place in the queue and the expected wait, in seconds. */
function addQueueHeaders(headers: string[], { position, expectedWaitSeconds }: NonNullable<Refusal["queue"]>): void {
  headers.push("x-sallyport-queue-position", String(position));
  if (expectedWaitSeconds !== undefined) headers.push("x-sallyport-expected-wait", String(expectedWaitSeconds));
}

/**
 * The response is complete for the caller by its length; the connection ends only after the caller had time to read it.
 */
function linger({ request, response }: Exchange, body: string | undefined): void {
  if (body !== undefined) response.write(body);
  const timer = setTimeout(end, LINGER_MS);
  let read = 0;
  request.on("data", (piece: Buffer) => {
    if ((read += piece.length) > LINGER_BYTES) request.pause();
  });
  request.once("end", end).once("close", end);
  function end(): void {
    clearTimeout(timer);
    response.end();
  }
}

/** What the next request must bring: of a signature (RFC 9421 section 5.1) the components and parameters it must have. */
const ACCEPT_SIGNATURE = acceptSignature(sallyportProfile);

function addChallenge(headers: string[], { code, factor }: Refusal, status: number, dialect: Dialect | null): void {
  if (factor === "signature" || code === "signature_invalid" || code === "signature_replayed")
    headers.push("accept-signature", ACCEPT_SIGNATURE);
  if (status !== 401) return;
  // RFC 9470: the credential is valid, and its holder must prove their identity again.
  const error = factor === "identity" ? ', error="insufficient_user_authentication"' : "";
  const scheme = dialect === "oauth" ? "Basic" : code === "proof_invalid" ? "DPoP" : "Bearer";
  headers.push("www-authenticate", `${scheme} realm="sallyport"${error}`);
}

function acceptSignature({ components, bodyComponents, parameters, tag }: SignatureProfile): string {
  const covered = [...components, ...bodyComponents].map((name) => `"${name}"`).join(" ");
  const wanted = parameters.map((name) => (name === "tag" && tag !== null ? `;tag="${tag}"` : `;${name}`)).join("");
  return `sallyport=(${covered})${wanted}`;
}

/** Reads a small rest of the body away, so that the connection can be used again; false when it is closed instead. */
function canDiscardBody({ request, response, expectsContinue }: Exchange): boolean {
  // From the request itself: a denial may come before we have read the headers.
  const length = request.headers["content-length"];
  if (length === undefined && request.headers["transfer-encoding"] === undefined) return true;
  const declared = length === undefined ? Number.POSITIVE_INFINITY : Number(length);
  if (declared <= DISCARD_MAX && !expectsContinue) {
    request.resume();
    return true;
  }
  response.once("finish", () => request.destroy());
  return false;
}

/** The denial as a body of the dialect; null = before the endpoint was known. */
export function refusalBody(dialect: Dialect | null, refusal: Refusal, requestId: string): object {
  const message = messageOf(refusal);
  const { code } = refusal;
  switch (dialect) {
    case "oauth":
      return {
        error: oauthError(code),
        error_description: message.replace(/[^\x20-\x21\x23-\x5b\x5d-\x7e]/g, "'"),
        code,
        request_id: requestId,
      };
    case "openai":
      return { error: { message, type: openaiType(problems[code].status), param: null, code }, request_id: requestId };
    case "anthropic":
      return {
        type: "error",
        error: { type: anthropicType(problems[code].status), message, code },
        request_id: requestId,
      };
    default:
      // Ollama's own clients read `error`; its CLI reads `status` on a 401.
      return problems[code].status === 401
        ? { error: message, status: message, code, request_id: requestId }
        : { error: message, code, request_id: requestId };
  }
}

/** RFC 6749 section 5.2, RFC 9449 section 5, RFC 9470. */
function oauthError(code: ProblemCode): string {
  switch (code) {
    case "login_pending":
      return "authorization_pending";
    case "login_slow_down":
      return "slow_down";
    case "login_denied":
      return "access_denied";
    case "login_expired":
      return "expired_token";
    case "grant_unsupported":
      return "unsupported_grant_type";
    case "grant_invalid":
      return "invalid_grant";
    case "scope_invalid":
      return "invalid_scope";
    case "proof_invalid":
      return "invalid_dpop_proof";
    case "identity_missing":
      return "insufficient_user_authentication";
    case "token_foreign":
    case "permission_denied":
      return "unauthorized_client";
    default: {
      const { status } = problems[code];
      if (status >= 500 || status === 429) return "temporarily_unavailable";
      return status === 401 || status === 403 ? "invalid_client" : "invalid_request";
    }
  }
}

function openaiType(status: number): string {
  if (status === 401) return "authentication_error";
  if (status === 403) return "permission_error";
  if (status === 404) return "not_found_error";
  if (status === 429) return "rate_limit_error";
  return status < 500 ? "invalid_request_error" : "api_error";
}

function anthropicType(status: number): string {
  if (status === 413) return "request_too_large";
  if (status === 503) return "overloaded_error";
  return openaiType(status);
}

/** The chunk that ends a running stream in its dialect when it cannot be finished: the caller must not take it for whole. */
export function streamEnding(dialect: Dialect, isEventStream: boolean, refusal: Refusal, requestId: string): string {
  return errorChunk(dialect, isEventStream, refusalBody(dialect, refusal, requestId));
}

/** An error of a stream, as its dialect writes it. */
export function errorChunk(dialect: Dialect, isEventStream: boolean, error: object): string {
  const body = JSON.stringify(error);
  if (!isEventStream) return `${body}\n`;
  return dialect === "anthropic" ? `event: error\ndata: ${body}\n\n` : `data: ${body}\n\n`;
}
