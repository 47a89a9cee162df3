/**
 * One event as JSON text, written twice per request: fixed order, no white space, one line.
 * The text is canonical: reading it and encoding what was read gives the same bytes again, which `parseRecordLine()`
 * demands. So no two readers can see different things in one record.
 */
export type EventValue = string | number | boolean | null | readonly string[];

/** What an event has to have to be written; the gateway's own vocabulary is narrower. */
export interface EncodableEvent {
  readonly type: string;
  /** Epoch ms, a whole number. */
  readonly at: number;
  readonly environment: string;
  readonly actor: string;
  /** snake_case names, see `isFieldName()`. Numbers that are not finite are written as null. */
  readonly fields: Readonly<Record<string, EventValue>>;
}

/** `{"type":…,"at":…,"environment":…,"actor":…,"fields":{…}}`, without a newline. */
export function encodeEvent({ type, at, environment, actor, fields }: EncodableEvent): string {
  // One flat text at once: put together piece by piece it costs three times as much, and is a tree of eighty strings.
  return canonical({ type, at, environment, actor, fields });
}

/** One text as it stands in a record. */
export function quoteText(text: string): string {
  return canonical(text);
}

/** Field names: lower case, digits and `_`, a letter first; at most 64 characters. Never reordered by a JSON reader. */
export function isFieldName(name: string): boolean {
  if (knownNames.has(name)) return true;
  if (!FIELD_NAME.test(name)) return false;
  // A ledger has some fifty names and a million records.
  if (knownNames.size < KNOWN_NAMES_MAX) knownNames.add(name);
  return true;
}

const FIELD_NAME = /^[a-z][a-z0-9_]{0,63}$/;
const KNOWN_NAMES_MAX = 256;
const knownNames = new Set<string>();

/**
 * In addition to what JSON requires, line separators and C1 controls are escaped, so that a record is one line to every
 * reader and moves no terminal's cursor. They occur inside strings only. Lone surrogates are escaped by JSON.stringify
 * itself.
 */
const NEEDS_MORE = /[\u007f-\u009f\u2028\u2029]/;
const BEYOND_JSON = /[\u007f-\u009f\u2028\u2029]/g;

/** The one JSON text of a value made of plain objects, lists, texts and numbers, its members in their order. */
export function canonical(value: unknown): string {
  const json = JSON.stringify(value);
  return NEEDS_MORE.test(json) ? json.replace(BEYOND_JSON, escapeMark) : json;
}

/**
 * Whether a text is the one JSON text of what was read from it. Nesting too deep to be written counts as a difference.
 */
export function isCanonical(read: unknown, text: string): boolean {
  try {
    return canonical(read) === text;
  } catch (cause) {
    if (cause instanceof RangeError) return false;
    throw cause;
  }
}

function escapeMark(mark: string): string {
  return `\\u${mark.charCodeAt(0).toString(16).padStart(4, "0")}`;
}
