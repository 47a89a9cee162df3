/**
 * What an audit record adds to the counters. Counting as requests are settled and rebuilding from the audit log both
 * read the same lines here, so the two agree.
 */
import { dayOf } from "./usage-row.ts";
import type { UsageRow } from "./usage-row.ts";
import { isOfType, parseRecord } from "./record-line.ts";

export interface UsageIncrement extends UsageRow {
  /** The model server knew the model, so that its name is worth a row. */
  readonly isModelKnown: boolean;
}

const COUNTED = ["request.outcome", "request.refused", "request.refused_coalesced", "model.outcome"] as const;
const KEY_ACTOR = "key:";
/** No name is longer; what is longer is truncated. */
const TEXT_MAX = 512;

/**
 * An outcome as `dataplane/settle.ts` writes it, without escapes. The writer reads one for every request: parsing takes
 * twice as long and leaves more to collect. A line of another form is parsed.
 */
// Written out in full, so that `tools/check-patterns.js` can prove that it never backtracks.
// prettier-ignore
const PLAIN_OUTCOME =
  /^\{"seq":\d{1,15},"prev":"[0-9a-f]{64}","type":"(?:request|model)\.outcome","at":(\d{1,15}),"environment":"([a-z0-9]{1,16})","actor":"key:([0-9A-Za-z]{1,16})","fields":\{"request":"[^"\\]*","principal":(null|"[^"\\]*"),"outcome":"([a-z_]*)","upstream":(?:null|"[^"\\]*"),"code":(?:null|"[^"\\]*"),"upstream_status":(?:null|\d{1,15}),"model":(null|"[^"\\]*"),"team":(null|"[^"\\]*"),"input_tokens":(null|\d{1,15}),"output_tokens":(null|\d{1,15}),"is_estimated":(true|false),"compute_ms":(\d{1,15}),"queue_ms":(\d{1,15}),"first_byte_ms":(?:null|\d{1,15}),"total_ms":\d{1,15},"bytes_in":(\d{1,15}),"bytes":(\d{1,15})\}\}$/;

/** True for lines that `readUsage()` has to look at. */
export function mayCount(line: string): boolean {
  return isOfType(line, COUNTED);
}

/** `line`: a record of the audit log without what stands beside it. Undefined if it counts nothing. */
export function readUsage(line: string): UsageIncrement | undefined {
  return readPlainOutcome(line) ?? (mayCount(line) ? parseUsage(line) : undefined);
}

/** Undefined for every other form. */
export function readPlainOutcome(line: string): UsageIncrement | undefined {
  const found = PLAIN_OUTCOME.exec(line);
  if (!found) return undefined;
  const at = Number(found[1]);
  return {
    day: dayOf(at),
    environment: found[2]!,
    key: found[3]!,
    principal: unquoted(found[4]!),
    team: unquoted(found[7]!),
    model: unquoted(found[6]!),
    code: "",
    isModelKnown: found[5] !== UNKNOWN_MODEL,
    requests: 1,
    denied: 0,
    inputTokens: found[8] === "null" ? 0 : Number(found[8]),
    outputTokens: found[9] === "null" ? 0 : Number(found[9]),
    estimated: found[10] === "true" ? 1 : 0,
    computeMs: Number(found[11]),
    queueMs: Number(found[12]),
    bytesIn: Number(found[13]),
    bytesOut: Number(found[14]),
    firstAt: at,
    lastAt: at,
  };
}

/** The model server answered with an error, perhaps because it has no such model. */
const UNKNOWN_MODEL = "upstream_error";

/** `null`, or a text in quotes. */
function unquoted(value: string): string {
  return value === "null" ? "" : value.slice(1, Math.min(value.length - 1, TEXT_MAX + 1));
}

/** Reads any form of line. */
export function parseUsage(line: string): UsageIncrement | undefined {
  const { type, at, environment, actor, fields } = parseRecord(line) ?? {};
  if (typeof at !== "number" || !Number.isSafeInteger(at) || typeof environment !== "string") return undefined;
  if (typeof fields !== "object" || fields === null) return undefined;
  const isDenial = type === "request.refused" || type === "request.refused_coalesced";
  const denied = type === "request.refused_coalesced" ? count(fields["count"]) : Number(isDenial);
  if (isDenial && denied === 0) return undefined;
  return {
    day: dayOf(at),
    environment,
    key: typeof actor === "string" && actor.startsWith(KEY_ACTOR) ? text(actor.slice(KEY_ACTOR.length)) : "",
    principal: text(fields["principal"]),
    team: text(fields["team"]),
    model: text(fields["model"]),
    code: isDenial ? text(fields["code"]) : "",
    isModelKnown: !isDenial && fields["outcome"] !== UNKNOWN_MODEL,
    requests: isDenial ? 0 : 1,
    denied,
    inputTokens: count(fields["input_tokens"]),
    outputTokens: count(fields["output_tokens"]),
    estimated: fields["is_estimated"] === true ? 1 : 0,
    computeMs: count(fields["compute_ms"]),
    queueMs: count(fields["queue_ms"]),
    bytesIn: isDenial ? 0 : count(fields["bytes_in"]),
    bytesOut: isDenial ? 0 : count(fields["bytes"]),
    firstAt: at,
    lastAt: at,
  };
}

function text(value: unknown): string {
  return typeof value === "string" ? value.slice(0, TEXT_MAX) : "";
}

function count(value: unknown): number {
  return typeof value === "number" && Number.isSafeInteger(value) && value > 0 ? value : 0;
}
