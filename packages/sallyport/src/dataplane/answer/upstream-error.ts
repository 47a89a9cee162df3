/**
 * Errors of a model server on their way to the caller. Its messages help (a missing model, a wrong option), so its JSON
 * errors keep them, without internal data: addresses inside the network, paths on the server's disk, the link that
 * attaches the server to an account. Anything else, such as a proxy's page, is not shown.
 */
import { refuse } from "@sallyport/protocol";
import type { Refusal } from "@sallyport/protocol";
import { parseObject } from "./framed-answer.ts";

const WORDS_MAX = 2_000;
const DETAIL_MAX = 300;

/** What stands in the errors of the dialects, at their top and inside `error`. */
const MEMBERS: ReadonlySet<string> = new Set([
  "error", "message", "type", "param", "code", "detail", "request_id", "object", "status",
]); // prettier-ignore

const URL_WORD = /\bhttps?:\/\/[^\s"'<>)\]}]+(?:\][^\s"'<>)}]*)?/g;
const IPV6_WORD = /\[[0-9A-Fa-f:.]{2,45}(?:%\w{1,16})?\](?::\d{1,5})?/g;
/** Whatever could be a host: judged by its ending, so that one pass over the words is enough. */
const HOST_WORD = /[A-Za-z0-9_.-]{5,253}(?::\d{1,5})?/g;
const IPV4 = /^\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}$/;
const INNER_ENDINGS = [
  ".internal", ".local", ".localdomain", ".localhost", ".lan", ".corp", ".home", ".intranet", ".svc", ".arpa",
]; // prettier-ignore
const LOOKUP = /\blookup \S+/g;
const PATH_WORD =
  /(?<![\w.])(?:\/(?:usr|home|root|var|opt|tmp|mnt|srv|data|etc|Users|private|models|app|workspace)\/|[A-Za-z]:\\)[^\s"',:;)]*/g;
const PUBLIC_URL = /^https?:\/\/((?:[a-z0-9-]{1,63}\.){1,9}[a-z]{2,24})(?:[/?#]|$)/i;

/** The words without addresses inside the network and without paths. */
export function cleanWords(words: string): string {
  return words
    .slice(0, WORDS_MAX)
    .replaceAll(URL_WORD, (url) => {
      const host = PUBLIC_URL.exec(url)?.[1];
      return host !== undefined && !isInnerHost(host) ? url : "(address)";
    })
    .replaceAll(IPV6_WORD, "(address)")
    .replaceAll(HOST_WORD, cleanHost)
    .replaceAll(LOOKUP, "lookup (address)")
    .replaceAll(PATH_WORD, "(path)");
}

function cleanHost(word: string): string {
  const colon = word.indexOf(":");
  const name = colon < 0 ? word : word.slice(0, colon);
  // A sentence may end after it.
  const host = name.endsWith(".") ? name.slice(0, -1) : name;
  return isInnerHost(host) ? `(address)${word.slice(colon < 0 ? host.length : word.length)}` : word;
}

function isInnerHost(host: string): boolean {
  const name = host.toLowerCase();
  return name === "localhost" || IPV4.test(name) || INNER_ENDINGS.some((ending) => name.endsWith(ending));
}

/** Cleans the words of an error inside a stream, in place; true when something was changed. */
export function cleanErrorWords(error: Record<string, unknown>): boolean {
  let isChanged = false;
  for (const member of ["error", "message", "detail"]) {
    const value = error[member];
    if (typeof value === "string") {
      const clean = cleanWords(value);
      if (clean === value) continue;
      error[member] = clean;
      isChanged = true;
    } else if (typeof value === "object" && value !== null && !Array.isArray(value)) {
      isChanged = cleanErrorWords(value as Record<string, unknown>) || isChanged;
    }
  }
  return isChanged;
}

/** An upstream's JSON error with the members its dialect has and clean words; undefined for anything else. */
function readJsonError(text: string): Record<string, unknown> | undefined {
  const body = parseObject(text);
  if (!body || wordsOf(body) === undefined) return undefined;
  const shown = onlyMembers(body);
  cleanErrorWords(shown);
  return shown;
}

function onlyMembers(from: Record<string, unknown>): Record<string, unknown> {
  const shown: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(from)) {
    if (!MEMBERS.has(name)) continue;
    if (value === null || typeof value === "number") shown[name] = value;
    else if (typeof value === "string") shown[name] = value.slice(0, WORDS_MAX);
    else if (name === "error" && typeof value === "object" && !Array.isArray(value))
      shown[name] = onlyMembers(value as Record<string, unknown>);
  }
  return shown;
}

/** The sentence an error consists of. */
function wordsOf(error: Record<string, unknown>): string | undefined {
  for (const member of ["error", "message", "detail"]) {
    const value = error[member];
    if (typeof value === "string" && value !== "") return value;
    if (typeof value === "object" && value !== null && !Array.isArray(value)) {
      const inner = wordsOf(value as Record<string, unknown>);
      if (inner !== undefined) return inner;
    }
  }
  return undefined;
}

/** Passed as it is (with its status), or replaced by one of our denials. */
export type UpstreamError = { readonly body: Record<string, unknown> } | Refusal;

/** The rewrite of an answer whose status is an error: clean JSON, or nothing. */
export function rewriteError(text: string): string | undefined {
  const error = text.length > 64 * 1024 ? undefined : readJsonError(text);
  return error && JSON.stringify(error);
}

/** What becomes of an error by its status and what `rewriteError` left of it. */
export function readUpstreamError(
  status: number,
  rewritten: Buffer | null,
  retryAfterSeconds: number | null,
): UpstreamError {
  const body = rewritten === null ? undefined : parseObject(rewritten.toString("utf8"));
  // The caller's credential was good: what the server denies, it denies the gateway.
  if (status === 401 || status === 403 || status === 407)
    return refuse("upstream_denied", body && detailOf(wordsOf(body)));
  if (body) return { body };
  if (status === 429 || status === 503)
    return retryAfterSeconds === null ? refuse("upstream_busy") : refuse("upstream_busy").with({ retryAfterSeconds });
  return refuse(status === 504 ? "upstream_timeout" : "upstream_error", `status ${status}`);
}

function detailOf(words: string | undefined): string | undefined {
  return words?.replaceAll(/[^\x20-\x7e]/g, "?").slice(0, DETAIL_MAX);
}
