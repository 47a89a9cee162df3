/** The strict reader with what a request's shapes notice on the way: counts for guards and estimates, tools that leave the machine. */
import { JsonCursor, JsonRefused } from "../../kernel/strict-json/cursor.ts";
import { encodeString } from "../../kernel/strict-json/decode-string.ts";
import { foldKey } from "../../kernel/strict-json/fold.ts";
import { listOf, text, wrongType } from "../../kernel/strict-json/shape.ts";
import type { Shape } from "../../kernel/strict-json/shape.ts";

export class RequestCursor extends JsonCursor {
  droppedFields = 0;
  /** Images and recordings anywhere in the request. */
  images = 0;
  messages = 0;
  /** Tools anywhere in the request. */
  toolCount = 0;
  /** The largest schema of a tool or of the answer's format, in bytes. */
  schemaBytes = 0;
  /** Characters of prompts and contents, for estimates. */
  characters = 0;
  /** Where a tool was offered that searches the web through the upstream's account. */
  webSearch: string | null = null;
  /** The tools of the request, those apart that search the web; null where the request has no list of tools. */
  tools: OfferedTools | null = null;
  /** Members of a native `options` map: name to lexeme, names that fold onto a bounded option dropped. */
  options: Map<string, string> | null = null;
}

export type RequestShape = Shape<RequestCursor>;

/** Text that a model reads. */
export const prose: RequestShape = (cursor) => {
  const lexeme = text(cursor);
  cursor.characters += lexeme.length - 2;
  return lexeme;
};

/** One image, as base64 text. */
export const image: RequestShape = (cursor) => {
  cursor.images++;
  return text(cursor);
};

/** One message, whatever it has in it. */
export function message(shape: RequestShape): RequestShape {
  return (cursor) => {
    cursor.messages++;
    return shape(cursor);
  };
}

/** One tool, also inside another. */
export function tool(shape: RequestShape): RequestShape {
  return (cursor) => {
    cursor.toolCount++;
    return shape(cursor);
  };
}

/** A JSON schema: anything, as far as it is not too large. */
export const schema: RequestShape = (cursor) => {
  const lexeme = cursor.value();
  cursor.schemaBytes = Math.max(cursor.schemaBytes, lexeme.length);
  return lexeme;
};

/** The tools of one request, as written. */
export interface OfferedTools {
  /** Run by the caller: the model may always be offered them. */
  readonly local: readonly string[];
  /** Run by the model server, through its account. */
  readonly webSearch: readonly string[];
}

/** A list of tools. Those that search the web are kept apart, so that they can be taken out of what is sent. */
export function offeredTools(offered: RequestShape): RequestShape {
  return (cursor) => {
    const local: string[] = [];
    const webSearch: string[] = [];
    const first = cursor.webSearch;
    const all = listOf<RequestCursor>((inner) => {
      inner.webSearch = null;
      const lexeme = offered(inner);
      (inner.webSearch === null ? local : webSearch).push(lexeme);
      return lexeme;
    })(cursor);
    cursor.webSearch = first ?? (webSearch.length > 0 ? cursor.path.join(".") : null);
    cursor.tools = { local, webSearch };
    return all;
  };
}

/** Any shape that stands for one image or one recording. */
export function countedImage(shape: RequestShape): RequestShape {
  return (cursor) => {
    cursor.images++;
    return shape(cursor);
  };
}

/** Every type that begins like a tool which the model server runs itself counts as one. */
export const SEARCH_TOOL = /^web_?(?:search|fetch)/i;

/** A tool's `type`. One that is written with escapes counts as a search tool, whatever it says. */
export const toolType: RequestShape = (cursor) => {
  const lexeme = text(cursor);
  if (SEARCH_TOOL.test(lexeme.slice(1)) || lexeme.includes("\\")) cursor.webSearch ??= cursor.path.join(".");
  return lexeme;
};

/** Options that are set when a model is loaded: another value reloads the runner under everyone (reference, section 5). */
const LOAD_OPTIONS = [
  "num_ctx", "num_batch", "num_gpu", "main_gpu", "use_mmap", "num_thread", "draft_num_predict",
  "numa", "low_vram", "f16_kv", "logits_all", "vocab_only", "use_mlock", "embedding_only", "rope_frequency_base", "rope_frequency_scale",
]; // prettier-ignore
const LOAD_OPTION_NAMES: ReadonlySet<string> = new Set(LOAD_OPTIONS);
const BOUNDED_FOLDED: ReadonlySet<string> = new Set([...LOAD_OPTIONS, "num_predict"].map(foldKey));

export function isLoadOption(name: string): boolean {
  return LOAD_OPTION_NAMES.has(name);
}

/** Native `options`: a map place, read member by member because some members are bounded. */
export const nativeOptions: RequestShape = (cursor) => {
  if (cursor.kind() !== "object") throw wrongType(cursor, "an object");
  const options = new Map<string, string>();
  cursor.options = options;
  if (!cursor.open("{")) return "{}";
  do {
    const name = cursor.key();
    if (options.has(name)) throw new JsonRefused("json_duplicate_key", name.slice(0, 80));
    if (options.size >= 256) throw new JsonRefused("field_invalid", "options has too many members");
    const lexeme = cursor.value();
    const isOtherSpelling = name !== "num_predict" && !isLoadOption(name) && BOUNDED_FOLDED.has(foldKey(name));
    // Ollama ignores other spellings today; they are not sent, so that it stays so.
    if (isOtherSpelling) cursor.droppedFields++;
    else options.set(name, lexeme);
  } while (cursor.more("}"));
  return "{}";
};

export function writeOptions(options: ReadonlyMap<string, string>): string {
  let out = "";
  for (const [name, lexeme] of options) out += `${out === "" ? "" : ","}${encodeString(name)}:${lexeme}`;
  return `{${out}}`;
}
