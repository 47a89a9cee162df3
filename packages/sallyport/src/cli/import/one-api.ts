/** one-api's list of tokens as JSON: the list itself, or the answer of its `/api/token/`, which has it in `data`. */
import { JsonCursor, JsonRefused, once } from "../../kernel/strict-json/cursor.ts";
import { readJson } from "../../kernel/strict-json/read-json.ts";
import { parseNetwork } from "../../kernel/network-list.ts";
import { shorten, SourceFindings } from "./source-read.ts";
import type { SourceRead } from "./source-read.ts";

const ENABLED = 1;
const STATUS: Readonly<Record<number, string>> = { 2: "disabled", 3: "expired", 4: "out of quota" };
const NEVER = -1;
/** What the list may be wrapped in. */
const WRAPPERS = new Set(["data", "items"]);
/** Read, or of no meaning outside one-api. */
const READ = new Set(
  "id user_id key name status models subnet expired_time created_time accessed_time remain_quota used_quota unlimited_quota".split(
    " ",
  ),
);

type Token = Readonly<Record<string, unknown>>;

export function readOneApi(text: string, now: number): SourceRead {
  const findings = new SourceFindings();
  const lines = new LineCounter();
  try {
    const cursor = new JsonCursor(Buffer.from(text, "utf8"));
    readTokens(cursor, (token, at) => readToken(token, lines.at(cursor.text, at), now, findings));
    cursor.end();
  } catch (cause) {
    if (!(cause instanceof JsonRefused)) throw cause;
    findings.reject(lines.last, `after this line: not the JSON of a token list (${cause.code})`);
  }
  return findings.result();
}

/** Calls `take` with each element of the list and its place. */
function readTokens(cursor: JsonCursor, take: (token: unknown, at: number) => void): void {
  if (cursor.kind() === "object") {
    const seen = new Set<string>();
    if (!cursor.open("{")) return;
    do {
      const name = cursor.key();
      once(seen, name);
      if (WRAPPERS.has(name)) readTokens(cursor, take);
      else cursor.value();
    } while (cursor.more("}"));
    return;
  }
  if (!cursor.open("[")) return;
  do {
    const { at } = cursor;
    const read = readJson(Buffer.from(cursor.value(), "latin1"));
    if (!read.ok) throw new JsonRefused(read.code, read.detail);
    take(read.value, at);
  } while (cursor.more("]"));
}

function readToken(token: unknown, line: number, now: number, findings: SourceFindings): void {
  if (typeof token !== "object" || token === null || Array.isArray(token))
    return findings.reject(line, "a token is not an object");
  const { name, status, models, subnet, expired_time: expiry } = token as Token;
  if (typeof name !== "string") return findings.reject(line, "a token has no name");
  if (typeof status !== "number") return findings.reject(line, "a token has no status");
  if (typeof expiry !== "number" || !Number.isSafeInteger(expiry))
    return findings.reject(line, "a token has no expired_time");
  if (!isTextOrNothing(models) || !isTextOrNothing(subnet))
    return findings.reject(line, "models and subnet must be texts or null");
  const shown = shorten(name);
  if (status !== ENABLED) return findings.leaveOut(line, shown, `the token is ${STATUS[status] ?? "not enabled"}`);
  if (expiry !== NEVER && expiry * 1_000 <= now) return findings.leaveOut(line, shown, "the token has expired");
  const networks = listIn(subnet);
  // Without its networks the key would work from more places than the token did.
  if (networks.some((network) => parseNetwork(network) === undefined))
    return findings.leaveOut(line, shown, "its subnet is not a list of networks such as 10.0.0.0/8");
  reportRest(token as Token, line, shown, findings);
  findings.addKey(line, name, {
    models: models ? listIn(models) : null,
    expiresAtMs: expiry === NEVER ? null : expiry * 1_000,
    networks: networks.length > 0 ? networks : null,
  });
}

function reportRest(token: Token, line: number, shown: string, findings: SourceFindings): void {
  if (token["unlimited_quota"] === false)
    findings.leaveOut(
      line,
      `${shown}: quota`,
      "Sallyport has no quota in money: limit requests with `keys create --requests`",
    );
  const unknown = Object.keys(token).filter((member) => !READ.has(member));
  if (unknown.length > 0)
    findings.leaveOut(
      line,
      `${shown}: ${unknown.slice(0, 8).map(shorten).join(", ")}`,
      "the import does not read these members",
    );
}

function isTextOrNothing(value: unknown): value is string | null | undefined {
  return value === null || value === undefined || typeof value === "string";
}

function listIn(text: string | null | undefined): string[] {
  return [...new Set((text ?? "").split(",").map((part) => part.trim()))].filter((part) => part !== "");
}

/** Lines of places that only go forward, so that a long file is walked once. */
class LineCounter {
  last = 1;
  #at = 0;

  at(text: string, place: number): number {
    for (; this.#at < place; this.#at++) if (text.charCodeAt(this.#at) === 0x0a) this.last++;
    return this.last;
  }
}
