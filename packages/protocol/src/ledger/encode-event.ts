/**
 * One event as JSON text, written by hand because it runs twice per request: fixed order, no white space, one line.
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
export function encodeEvent(event: EncodableEvent): string {
  let fields = "";
  for (const name of Object.keys(event.fields)) {
    fields += `${fields === "" ? "" : ","}${quoteText(name)}:${encodeValue(event.fields[name])}`;
  }
  const { type, at, environment, actor } = event;
  return `{"type":${quoteText(type)},"at":${at},"environment":${quoteText(environment)},"actor":${quoteText(actor)},"fields":{${fields}}}`;
}

/** Field names: lower case, digits and `_`, a letter first; at most 64 characters. Never reordered by a JSON reader. */
export function isFieldName(name: string): boolean {
  return /^[a-z][a-z0-9_]{0,63}$/.test(name);
}

const NEEDS_ESCAPE = /["\\\u0000-\u001f\u007f-\u009f\u2028\u2029\ud800-\udfff]/;
const BEYOND_JSON = /[\u007f-\u009f\u2028\u2029]/g;

/**
 * A JSON string. Besides what JSON demands, line separators and C1 controls are escaped, so that a record is one line
 * to every reader and moves no terminal's cursor; lone surrogates are escaped, so that the text is always UTF-8.
 */
export function quoteText(text: string): string {
  if (!NEEDS_ESCAPE.test(text)) return `"${text}"`;
  return JSON.stringify(text).replace(BEYOND_JSON, (mark) => `\\u${mark.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

function encodeValue(value: EventValue | undefined): string {
  switch (typeof value) {
    case "string":
      return quoteText(value);
    case "number":
      return Number.isFinite(value) ? String(value) : "null";
    case "boolean":
      return value ? "true" : "false";
    case "object":
      return value === null ? "null" : `[${value.map(quoteText).join(",")}]`;
    default:
      return "null";
  }
}
