/**
 * The form of a request's header lines, as they were sent. Node's `headers` joins, drops or truncates repeated or
 * excessive lines, and two parsers would then see two requests: so nothing that decides is read there.
 */
import { refuse } from "@sallyport/protocol";
import type { Refusal } from "@sallyport/protocol";

export const HEADER_LINES_MAX = 100;

/** Two readers of a repeated one would pick different lines. */
const ONCE: ReadonlySet<string> = new Set([
  "host", "origin", "content-type", "content-encoding", "content-length", "transfer-encoding", "expect",
  "if-match", "last-event-id", "sec-fetch-site",
]); // prettier-ignore

/** More lines than are read: too large, whatever they are. */
export function tooManyHeaders(rawHeaders: readonly string[]): Refusal | undefined {
  return rawHeaders.length > 2 * HEADER_LINES_MAX
    ? refuse("headers_too_large", `more than ${HEADER_LINES_MAX} header lines`)
    : undefined;
}

/** For a listener that does not read the lines one by one itself. */
export function headerRefusal(rawHeaders: readonly string[]): Refusal | undefined {
  const tooMany = tooManyHeaders(rawHeaders);
  if (tooMany) return tooMany;
  const seen = new Set<string>();
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]!.toLowerCase();
    if (!ONCE.has(name)) continue;
    if (seen.has(name)) return refuse("header_malformed", `${name} is repeated`);
    seen.add(name);
  }
  return undefined;
}

/** All lines of that name, in their order; `name` in lower case. */
export function headerLines(rawHeaders: readonly string[], name: string): string[] {
  const lines: string[] = [];
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const sent = rawHeaders[i]!;
    if (sent.length === name.length && sent.toLowerCase() === name) lines.push(rawHeaders[i + 1]!);
  }
  return lines;
}
