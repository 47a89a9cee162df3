/**
 * What an audit record adds to the counters. Counting as requests are settled and rebuilding from the audit log both
 * read the same lines here, so the two agree.
 */
import { dayOf } from "./usage-row.ts";
import type { UsageRow } from "./usage-row.ts";

export interface UsageIncrement extends UsageRow {
  /** The model server knew the model, so that its name is worth a row. */
  readonly isModelKnown: boolean;
}

/** It follows the number and the hash, so it is found near the beginning of a line. */
const TYPE = '"type":"';
const OUTCOMES = ["request.outcome", "model.outcome"] as const;
const DENIALS = ["request.refused", "request.refused_coalesced"] as const;
const COUNTED: ReadonlySet<string> = new Set([...OUTCOMES, ...DENIALS]);
const KEY_ACTOR = "key:";
/** No name is longer; what is longer is cut. */
const TEXT_MAX = 512;
const CONTROL = /\p{C}/gu;

/** True for lines that `readUsage()` has to look at. */
export function mayCount(line: string): boolean {
  const start = line.indexOf(TYPE) + TYPE.length;
  return COUNTED.has(line.slice(start, line.indexOf('"', start)));
}

/** `line`: a record of the audit log without what stands beside it. Undefined if it counts nothing. */
export function readUsage(line: string): UsageIncrement | undefined {
  if (!mayCount(line)) return undefined;
  const record = parse(line);
  if (!record) return undefined;
  const { type, at, environment, actor, fields } = record;
  if (typeof at !== "number" || !Number.isSafeInteger(at) || typeof environment !== "string") return undefined;
  if (typeof fields !== "object" || fields === null) return undefined;
  const said = fields as Readonly<Record<string, unknown>>;
  const isDenial = type === "request.refused" || type === "request.refused_coalesced";
  const denied = type === "request.refused_coalesced" ? count(said["count"]) : Number(isDenial);
  if (isDenial && denied === 0) return undefined;
  return {
    day: dayOf(at),
    environment,
    key: typeof actor === "string" && actor.startsWith(KEY_ACTOR) ? text(actor.slice(KEY_ACTOR.length)) : "",
    principal: text(said["principal"]),
    team: text(said["team"]),
    model: text(said["model"]),
    code: isDenial ? text(said["code"]) : "",
    isModelKnown: !isDenial && said["outcome"] !== "upstream_error",
    requests: isDenial ? 0 : 1,
    denied,
    inputTokens: count(said["input_tokens"]),
    outputTokens: count(said["output_tokens"]),
    estimated: said["is_estimated"] === true ? 1 : 0,
    computeMs: count(said["compute_ms"]),
    queueMs: count(said["queue_ms"]),
    bytesIn: isDenial ? 0 : count(said["bytes_in"]),
    bytesOut: isDenial ? 0 : count(said["bytes"]),
    firstAt: at,
    lastAt: at,
  };
}

function parse(line: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const read: unknown = JSON.parse(line);
    return typeof read === "object" && read !== null ? (read as Readonly<Record<string, unknown>>) : undefined;
  } catch {
    // Damage is for `audit verify` to report.
    return undefined;
  }
}

function text(value: unknown): string {
  return typeof value === "string" ? value.slice(0, TEXT_MAX).replace(CONTROL, "?") : "";
}

function count(value: unknown): number {
  return typeof value === "number" && Number.isSafeInteger(value) && value > 0 ? value : 0;
}
