/**
 * How much a request makes the model think, in each dialect, lowered to the guard. Without a wish the model server decides:
 * only a guard of `none` writes one, because a model that cannot think rejects any other.
 */
import { thinkLevels } from "@sallyport/protocol";
import type { ThinkLevel } from "@sallyport/protocol";
import { decodeString } from "../../kernel/strict-json/decode-string.ts";
import type { FieldMap } from "./meaning.ts";
import type { Terms } from "./understood.ts";

/** Where a dialect says it: `think`, `reasoning_effort`, `reasoning.effort`, or `thinking` with `output_config.effort`. */
export type ThinkFields = "think" | "reasoning_effort" | "reasoning" | "thinking";

/** Spellings of levels that have another name. */
const OTHER_NAMES: Readonly<Record<string, ThinkLevel>> = { minimal: "low", off: "none" };
/** What servers do where only thinking itself is asked for. */
const USUAL: ThinkLevel = "medium";
/** A longer text is no level. */
const LEVEL_LENGTH_MAX = 64;

export function clampThinking(where: ThinkFields, fields: FieldMap, { think }: Terms, adjusted: string[]): void {
  if (think === undefined) return;
  switch (where) {
    case "think":
      return clampNative(fields, think, adjusted);
    case "reasoning_effort":
      return clampEffort(fields, think, adjusted);
    case "reasoning":
      return clampReasoning(fields, think, adjusted, true);
    case "thinking":
      return clampAnthropic(fields, think, adjusted);
  }
}

function clampNative(fields: FieldMap, most: ThinkLevel, adjusted: string[]): void {
  const asked = fields.get("think");
  if (asked === undefined ? most !== "none" : isWithin(asked, most)) return;
  fields.set("think", most === "none" ? "false" : JSON.stringify(most));
  adjusted.push(`think=${most === "none" ? "false" : most}`);
}

function clampEffort(fields: FieldMap, most: ThinkLevel, adjusted: string[]): void {
  const asked = fields.get("reasoning_effort");
  clampReasoning(fields, most, adjusted, false);
  if (asked === undefined ? most !== "none" || fields.has("reasoning") : isWithin(asked, most)) return;
  fields.set("reasoning_effort", JSON.stringify(most));
  adjusted.push(`reasoning_effort=${most}`);
}

function clampReasoning(fields: FieldMap, most: ThinkLevel, adjusted: string[], isWritten: boolean): void {
  const asked = fields.get("reasoning");
  if (asked === undefined && !(isWritten && most === "none")) return;
  const effort = memberOf(asked, "effort");
  if (effort === undefined ? most !== "none" : isWithin(effort, most)) return;
  // The other members only choose how thoughts are summarized.
  fields.set("reasoning", `{"effort":${JSON.stringify(most)}}`);
  adjusted.push(`reasoning.effort=${most}`);
}

function clampAnthropic(fields: FieldMap, most: ThinkLevel, adjusted: string[]): void {
  const type = memberOf(fields.get("thinking"), "type");
  const isThinking = type !== undefined && type !== '"disabled"';
  if (most === "none") {
    if (fields.get("output_config") !== undefined) {
      fields.delete("output_config");
      adjusted.push("output_config");
    }
    if (type === '"disabled"') return;
    fields.set("thinking", '{"type":"disabled"}');
    adjusted.push("thinking=disabled");
    return;
  }
  const effort = memberOf(fields.get("output_config"), "effort");
  if (effort === undefined ? !isThinking || isWithin("true", most) : isWithin(effort, most)) return;
  fields.set("output_config", `{"effort":${JSON.stringify(most)}}`);
  adjusted.push(`output_config.effort=${most}`);
}

/** A level that is not known is more than all others. */
function isWithin(lexeme: string, most: ThinkLevel): boolean {
  const level = levelOf(lexeme);
  return level !== undefined && thinkLevels.indexOf(level) <= thinkLevels.indexOf(most);
}

function levelOf(lexeme: string): ThinkLevel | undefined {
  if (lexeme === "true") return USUAL;
  if (lexeme === "false") return "none";
  if (!lexeme.startsWith('"') || lexeme.length > LEVEL_LENGTH_MAX) return undefined;
  const text = decodeString(lexeme).toLowerCase();
  return (
    thinkLevels.find((level) => level === text) ?? (Object.hasOwn(OTHER_NAMES, text) ? OTHER_NAMES[text] : undefined)
  );
}

/** A member of a small object that was read strictly, as a lexeme. */
function memberOf(lexeme: string | undefined, name: string): string | undefined {
  if (lexeme === undefined) return undefined;
  const value = (JSON.parse(lexeme) as Record<string, unknown> | null)?.[name];
  return value === undefined || value === null ? undefined : JSON.stringify(value);
}
