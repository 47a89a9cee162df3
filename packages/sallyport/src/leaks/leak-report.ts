/**
 * Leak reports as their senders write them, read strictly: GitHub's partner message, and the same list from any other
 * scanner. Neither is believed before its signature was verified.
 */
import { withoutKeys } from "@sallyport/protocol";
import { readJson } from "../kernel/strict-json/read-json.ts";
import { Secret } from "../kernel/secret.ts";

/** One place where a key was found. */
export interface LeakReport {
  /** What was found there: the whole text of a key, or other text. */
  readonly token: Secret;
  /** Where: an address or a path, without keys and control characters, at most 500 characters; null = not said. */
  readonly url: string | null;
  /** What kind of place it is, in lower case: `content`, `commit`, `issue_body`…; null = not said. */
  readonly source: string | null;
}

export const LEAK_REPORTS_MAX = 100;
export const LEAK_MESSAGE_BYTES_MAX = 256 * 1024;
const TOKEN_MAX = 4_096;
const URL_MAX = 500;
const SOURCE_MAX = 64;
/** Control and format characters, and those that turn or break lines. */
const UNSEEN = /[\p{C}\p{Zl}\p{Zp}]+/gu;

/**
 * The reports of a message: a JSON array of `{token, type, url, source}`, of which only `token` is required. GitHub may add
 * members, so others are ignored. A returned text says why it is rejected.
 */
export function readLeakMessage(bytes: Uint8Array): readonly LeakReport[] | string {
  const read = readJson(bytes);
  if (!read.ok) return read.detail;
  const { value } = read;
  if (!Array.isArray(value)) return "the message is no JSON array";
  if (value.length === 0 || value.length > LEAK_REPORTS_MAX)
    return `the message has ${value.length} reports: 1 to ${LEAK_REPORTS_MAX} are accepted`;
  const reports: LeakReport[] = [];
  for (const [at, entry] of value.entries()) {
    const report = readReport(entry);
    if (typeof report === "string") return `report ${at}: ${report}`;
    reports.push(report);
  }
  return reports;
}

function readReport(entry: unknown): LeakReport | string {
  if (typeof entry !== "object" || entry === null || Array.isArray(entry)) return "is no object";
  const { token, url, source } = entry as Record<string, unknown>;
  if (typeof token !== "string" || token.length === 0 || token.length > TOKEN_MAX) return "token is no text";
  if (url !== undefined && url !== null && typeof url !== "string") return "url is no text";
  if (source !== undefined && source !== null && typeof source !== "string") return "source is no text";
  return {
    token: new Secret(token),
    url: typeof url === "string" ? leakPlace(url) : null,
    source:
      typeof source === "string" ? withoutKeys(source.slice(0, SOURCE_MAX).replace(UNSEEN, " ")).toLowerCase() : null,
  };
}

/** Where a key was found, as it is recorded: the address may contain the key itself. */
export function leakPlace(url: string): string {
  return withoutKeys(url.slice(0, TOKEN_MAX).replace(UNSEEN, " ")).slice(0, URL_MAX);
}
