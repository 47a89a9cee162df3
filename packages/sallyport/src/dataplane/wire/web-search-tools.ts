/**
 * Tools that the model server runs itself, through its account: searches of the web. Coding agents offer one by default
 * whether or not anybody wants it, so an offer is taken out where it is not granted; a demand for one is judged like any other.
 */
import type { FieldMap } from "./meaning.ts";
import { SEARCH_TOOL } from "./request-cursor.ts";
import type { OfferedTools } from "./request-cursor.ts";

/** Leaves the caller's own tools. Without any, a choice among tools means nothing and goes as well. */
export function withoutWebSearch(sent: FieldMap, { local }: OfferedTools, adjusted: string[]): void {
  if (local.length > 0) sent.set("tools", `[${local.join(",")}]`);
  else {
    sent.delete("tools");
    sent.delete("tool_choice");
  }
  adjusted.push("tools.web_search");
}

/** The caller's `tool_choice` makes the model search: it names such a tool, or demands a tool where there is no other. */
export function demandsWebSearch(choiceLexeme: string | undefined, { local, webSearch }: OfferedTools): boolean {
  if (choiceLexeme === undefined) return false;
  const choice = valueOf(choiceLexeme);
  if (typeof choice === "string") return choice === "required" && local.length === 0;
  if (typeof choice !== "object" || choice === null) return false;
  const { type, name, mode } = choice as Record<string, unknown>;
  if (typeof type === "string" && SEARCH_TOOL.test(type)) return true;
  if (type === "any" || mode === "required") return local.length === 0;
  return typeof name === "string" && webSearch.some((tool) => nameOf(tool) === name);
}

function nameOf(tool: string): unknown {
  const read = valueOf(tool);
  return typeof read === "object" && read !== null ? (read as Record<string, unknown>)["name"] : undefined;
}

/** Both were validated by the strict reader and are latin1 text of UTF-8 bytes. */
function valueOf(lexeme: string): unknown {
  return JSON.parse(Buffer.from(lexeme, "latin1").toString("utf8"));
}
