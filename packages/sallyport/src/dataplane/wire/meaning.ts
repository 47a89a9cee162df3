/** From the fields of a JSON body to what it means: the parts every dialect shares. */
import { parseModelName, refuse } from "@sallyport/protocol";
import type { DataPermission, ModelName, Refusal } from "@sallyport/protocol";
import type { AskedParameters, Demand } from "../../access/demand.ts";
import { JsonRefused } from "../../kernel/strict-json/cursor.ts";
import { decodeString, encodeString } from "../../kernel/strict-json/decode-string.ts";
import { writeFields } from "../../kernel/strict-json/shape.ts";
import type { StructFields } from "../../kernel/strict-json/shape.ts";
import { RequestCursor } from "./request-cursor.ts";
import type { Serialized, Terms, Understood } from "./understood.ts";

/** The listed fields of a body, as lexemes. */
export type FieldMap = Map<string, string>;

export interface ReadBody {
  readonly cursor: RequestCursor;
  readonly fields: FieldMap;
}

/** The strict parse of a body that must be one object; a denial for anything else. */
export function readFields(body: Buffer, known: StructFields<RequestCursor>): ReadBody | Refusal {
  try {
    const cursor = new RequestCursor(body);
    if (cursor.at === cursor.text.length) return refuse("body_missing");
    const fields = known.read(cursor);
    cursor.end();
    return { cursor, fields };
  } catch (cause) {
    if (cause instanceof JsonRefused) return refuse(cause.code, cause.detail.replaceAll(/[^\x20-\x7e]/g, "?"));
    throw cause;
  }
}

/**
 * A plain whole number from 1 to the cap. Servers treat 0, fractions and negatives as "no limit", so those are invalid.
 */
export function isCountUpTo(lexeme: string | undefined, cap: number): boolean {
  return lexeme !== undefined && /^[1-9][0-9]{0,14}$/.test(lexeme) && Number(lexeme) <= cap;
}

/** Longest model name that is looked at, as written: escapes take six characters for one. */
const MODEL_LEXEME_LENGTH_MAX = 8_192;

/** The model named by a field. Absent or empty is `model_missing`. */
export function readModel(fields: FieldMap, field = "model"): ModelName | Refusal {
  const lexeme = fields.get(field) ?? '""';
  const known = knownModels.get(lexeme);
  if (known) return known;
  if (lexeme.length > MODEL_LEXEME_LENGTH_MAX) return refuse("model_name_invalid");
  const text = decodeString(lexeme);
  if (text === "") return refuse("model_missing");
  const model = parseModelName(text);
  if (!model) return refuse("model_name_invalid");
  if (knownModels.size >= KNOWN_MODELS_MAX) knownModels.clear();
  // A copy: the lexeme is a slice of the whole body, and would keep it.
  knownModels.set(Buffer.from(lexeme, "latin1").toString("latin1"), model);
  return model;
}

/** Names that were parsed, by how they were written: a gateway sees few models, and many requests for each. */
const knownModels = new Map<string, ModelName>();
const KNOWN_MODELS_MAX = 256;

/** `model`, or `name` where that is absent or empty (Ollama's own fallback, which its CLI uses). Only `model` is sent on. */
export function readModelOrName(fields: FieldMap): ModelName | Refusal {
  const named = isEmptyText(fields.get("model")) ? readModel(fields, "name") : readModel(fields);
  fields.delete("name");
  return named;
}

export function isEmptyText(lexeme: string | undefined): boolean {
  return lexeme === undefined || lexeme === '""';
}

export function isEmptyList(lexeme: string | undefined): boolean {
  return lexeme === undefined || lexeme === "[]";
}

export function isTrue(lexeme: string | undefined): boolean {
  return lexeme === "true";
}

/** The demand itself and, for a cloud name, the right to go there. */
export function demandOn(permission: DataPermission, model: ModelName, field = "model"): Demand[] {
  const demands: Demand[] = [{ permission, model, field }];
  if (model.source === "cloud" && permission.startsWith("infer:"))
    demands.push({ permission: "cloud:infer", model, field });
  return demands;
}

/** What an edit notes: what it changed, and the permissions without which it would have changed more. */
export interface Noted {
  readonly adjusted: string[];
  readonly relied: Set<DataPermission>;
}

/** Changes the fields by the terms of the grant and notes what was changed. Works on a copy. */
export type Edit = (fields: FieldMap, terms: Terms, noted: Noted, spelling?: string) => void;

export interface Meaning {
  readonly read: ReadBody;
  readonly demands: readonly Demand[];
  readonly model: ModelName | null;
  readonly registries?: readonly string[];
  readonly outputTokens?: number;
  readonly offers?: readonly Demand[];
  readonly isStream?: boolean;
  readonly hidesUsage?: boolean;
  readonly edit?: Edit;
}

/** A JSON request, understood. */
export class JsonRequest implements Understood {
  readonly demands: readonly Demand[];
  readonly model: ModelName | null;
  readonly registries: readonly string[];
  readonly asked: AskedParameters;
  readonly offers: readonly Demand[];
  readonly isStream: boolean;
  readonly hidesUsage: boolean;
  readonly droppedFields: number;
  readonly inputCharacters: number;
  readonly #fields: FieldMap;
  readonly #edit: Edit | undefined;

  constructor(meaning: Meaning) {
    const { cursor, fields } = meaning.read;
    this.demands = meaning.demands;
    this.model = meaning.model;
    this.registries = meaning.registries ?? [];
    const { images, messages, toolCount: tools, schemaBytes } = cursor;
    const asked = { images, messages, tools, schemaBytes };
    this.asked = meaning.outputTokens === undefined ? asked : { ...asked, outputTokens: meaning.outputTokens };
    this.offers = meaning.offers ?? [];
    this.isStream = meaning.isStream ?? false;
    this.hidesUsage = meaning.hidesUsage ?? false;
    this.droppedFields = cursor.droppedFields;
    this.inputCharacters = cursor.characters;
    this.#fields = fields;
    this.#edit = meaning.edit;
  }

  serialize(terms: Terms, spelling?: string): Serialized {
    const noted: Noted = { adjusted: [], relied: new Set() };
    const fields = this.#edit ? new Map(this.#fields) : this.#fields;
    this.#edit?.(fields, terms, noted, spelling);
    const { adjusted, relied } = noted;
    const written = { bytes: Buffer.from(writeFields(fields), "latin1"), contentType: "application/json", adjusted };
    return relied.size === 0 ? written : { ...written, relied: [...relied] };
  }
}

/** Puts the one spelling of the name we decided on in the place of the caller's. */
export function sendModel(fields: FieldMap, model: Pick<ModelName, "spelling">, field = "model"): void {
  fields.set(field, encodeString(model.spelling));
}

/** The largest size of an answer that means one. */
const OUTPUT_MAX = 1e9;

/**
 * Lowers a field to the cap, or inserts it where the caller set none (or one without meaning). Without a cap, what means
 * "no limit" to some servers and nothing to others is not sent.
 */
export function capField(fields: FieldMap, field: string, terms: Terms, adjusted: string[]): void {
  const cap = terms.outputTokens;
  if (cap === undefined) {
    const asked = fields.get(field);
    if (asked === undefined || isCountUpTo(asked, OUTPUT_MAX)) return;
    fields.delete(field);
    if (asked !== "null") adjusted.push(field);
    return;
  }
  if (isCountUpTo(fields.get(field), cap)) return;
  fields.set(field, String(cap));
  adjusted.push(`${field}=${cap}`);
}

/** Lowers the number of alternatives of which probabilities are returned. */
export function capLogprobs(fields: FieldMap, field: string, { topLogprobs }: Terms, adjusted: string[]): void {
  const asked = fields.get(field);
  if (topLogprobs === undefined || asked === undefined || asked === "0" || isCountUpTo(asked, topLogprobs)) return;
  fields.set(field, String(topLogprobs));
  adjusted.push(`${field}=${topLogprobs}`);
}
