/** What a model server says about when to come back (RFC 9110, 10.2.3): parsed, bounded and rewritten, never copied. */
const RETRY_AFTER_MAX_SECONDS = 3_600;

/** Null where it says nothing that can be understood. */
export function readRetryAfter(header: string | string[] | undefined, nowMs: number): number | null {
  if (typeof header !== "string" || header.length > 64) return null;
  const text = header.trim();
  const seconds = /^\d{1,9}$/.test(text) ? Number(text) : secondsUntil(text, nowMs);
  if (seconds === null) return null;
  return Math.min(Math.max(1, seconds), RETRY_AFTER_MAX_SECONDS);
}

/** Only the one form of HTTP-date that is still sent: `Sun, 06 Nov 1994 08:49:37 GMT`. */
function secondsUntil(text: string, nowMs: number): number | null {
  if (!/^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/.test(text)) return null;
  const atMs = Date.parse(text);
  return Number.isNaN(atMs) ? null : Math.ceil((atMs - nowMs) / 1_000);
}
