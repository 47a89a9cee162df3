/** Inference in Ollama's own dialect: generate, chat, embed, embeddings. The field rights of section 5 of the reference. */
import { isRefusal } from "@sallyport/protocol";
import type { DataPermission, ModelName, Refusal } from "@sallyport/protocol";
import type { Demand } from "../../access/demand.ts";
import type { StructFields } from "../../kernel/strict-json/shape.ts";
import { readKeepAlive, writeKeepAlive } from "./keep-alive.ts";
import {
  JsonRequest,
  capField,
  capLogprobs,
  demandOn,
  isCountUpTo,
  isEmptyList,
  isEmptyText,
  isTrue,
  readFields,
  readModel,
  sendModel,
} from "./meaning.ts";
import type { FieldMap, Noted } from "./meaning.ts";
import { chatFields, embedFields, embeddingsFields, generateFields } from "./native-fields.ts";
import { clampThinking } from "./think-fields.ts";
import { isLoadOption, writeOptions } from "./request-cursor.ts";
import type { RequestCursor } from "./request-cursor.ts";
import type { Terms, Understood } from "./understood.ts";

interface Kind {
  readonly permission: DataPermission;
  readonly fields: StructFields<RequestCursor>;
  readonly streams: boolean;
  /** Nothing to infer from: Ollama only loads the model (or unloads it, with keep_alive 0). */
  readonly isEmpty: (fields: FieldMap) => boolean;
}

const kinds = {
  generate: {
    permission: "infer:generate",
    fields: generateFields,
    streams: true,
    isEmpty: (fields) => isEmptyText(fields.get("prompt")),
  },
  chat: {
    permission: "infer:chat",
    fields: chatFields,
    streams: true,
    isEmpty: (fields) => isEmptyList(fields.get("messages")),
  },
  embed: {
    permission: "infer:embed",
    fields: embedFields,
    streams: false,
    isEmpty: (fields) => isEmptyText(fields.get("input")) || isEmptyList(fields.get("input")),
  },
  embeddings: {
    permission: "infer:embed",
    fields: embeddingsFields,
    streams: false,
    isEmpty: (fields) => isEmptyText(fields.get("prompt")),
  },
} as const satisfies Record<string, Kind>;

export function understandNative(name: keyof typeof kinds): (body: Buffer) => Understood | Refusal {
  const kind: Kind = kinds[name];
  return (body) => {
    const read = readFields(body, kind.fields);
    if (isRefusal(read)) return read;
    const { cursor, fields } = read;
    const model = readModel(fields);
    if (isRefusal(model)) return model;
    const keepAliveSeconds = readKeepAlive(fields.get("keep_alive"));
    if (typeof keepAliveSeconds === "object" && keepAliveSeconds !== null) return keepAliveSeconds;
    // Only an empty request asks to unload by itself; beside a prompt, `keep_alive` is a wish that is held to its range.
    const isUnload = keepAliveSeconds === 0 && kind.isEmpty(fields);
    const demands = demandsOf(kind, fields, model, isUnload);
    const isStream = kind.streams && fields.get("stream") !== "false";
    const { options } = cursor;

    function edit(sent: FieldMap, terms: Terms, { adjusted, relied }: Noted): void {
      sendModel(sent, model as ModelName);
      // Absent means streaming here and not streaming in the other dialects: it is always said.
      if (kind.streams) sent.set("stream", String(isStream));
      editKeepAlive(sent, keepAliveSeconds as number | null, isUnload, terms, { adjusted, relied });
      if (sent.has("shift")) {
        if (terms.mayOverride) relied.add("infer:override");
        else {
          sent.delete("shift");
          adjusted.push("shift");
        }
      }
      dropWithoutMeaning(sent);
      if (kind.streams && !kind.isEmpty(fields)) clampThinking("think", sent, terms, adjusted);
      capLogprobs(sent, "top_logprobs", terms, adjusted);
      if (options && terms.mayOverride && hasLoadOptions(options, terms)) relied.add("infer:override");
      editOptions(sent, options, kind.streams ? terms : { ...terms, outputTokens: undefined }, adjusted);
    }
    return new JsonRequest({ read, demands, model, isStream, edit });
  };
}

function demandsOf(kind: Kind, fields: FieldMap, model: ModelName, isUnload: boolean): Demand[] {
  const overrides = overridesOf(fields);
  const demands: Demand[] = [];
  if (kind.isEmpty(fields)) {
    demands.push({
      permission: isUnload ? "runtime:unload" : "runtime:load",
      model,
      field: isUnload ? "keep_alive" : "an empty request",
    });
    // Whether something else than the prompt makes it work is the server's to say: it is asked as work, too.
    if (overrides.length > 0 || hasMoreThanPrompt(fields))
      demands.push({ permission: kind.permission, model, field: "model" });
    if (model.source === "cloud") demands.push({ permission: "cloud:infer", model, field: "model" });
  } else {
    demands.push(...demandOn(kind.permission, model));
  }
  for (const field of overrides) demands.push({ permission: "infer:override", model, field });
  if (isTrue(fields.get("_debug_render_only")))
    demands.push({ permission: "debug:render", model, field: "_debug_render_only" });
  return demands;
}

function overridesOf(fields: FieldMap): string[] {
  const found: string[] = [];
  if (isTrue(fields.get("raw"))) found.push("raw");
  if (!isEmptyText(fields.get("template"))) found.push("template");
  if (!isEmptyList(fields.get("context"))) found.push("context");
  return found;
}

function hasMoreThanPrompt(fields: FieldMap): boolean {
  return !isEmptyText(fields.get("suffix")) || !isEmptyList(fields.get("images")) || !isEmptyList(fields.get("tools"));
}

/** What counts as absent is not sent: it must not matter how the server reads an empty template. */
function dropWithoutMeaning(sent: FieldMap): void {
  if (sent.get("_debug_render_only") === "false") sent.delete("_debug_render_only");
  if (sent.get("raw") === "false") sent.delete("raw");
  if (isEmptyText(sent.get("template"))) sent.delete("template");
  if (isEmptyList(sent.get("context"))) sent.delete("context");
}

function editKeepAlive(
  sent: FieldMap,
  asked: number | null,
  isUnload: boolean,
  { keepAlive: { minSeconds, maxSeconds, usual } }: Terms,
  { adjusted, relied }: Noted,
): void {
  if (asked === null) {
    sent.delete("keep_alive");
    return;
  }
  const seconds = isUnload ? 0 : Math.max(minSeconds, Math.min(asked, maxSeconds));
  const written = writeKeepAlive(seconds);
  if (seconds !== asked) adjusted.push(`keep_alive=${written}`);
  if (usual && !isUnload && seconds < usual.minSeconds) relied.add("runtime:unload");
  if (usual && seconds > usual.maxSeconds) relied.add("runtime:pin");
  sent.set("keep_alive", written);
}

/** Beyond this a number is no size of a context, and is taken out rather than lowered. */
const NUM_CTX_MAX = 1e9;

/** One that would be taken out or lowered without `infer:override`. */
function hasLoadOptions(options: ReadonlyMap<string, string>, { contextTokens }: Terms): boolean {
  for (const [name, lexeme] of options) {
    if (!isLoadOption(name)) continue;
    const isWithin = name === "num_ctx" && contextTokens !== undefined && isCountUpTo(lexeme, contextTokens);
    if (!isWithin) return true;
  }
  return false;
}

function editOptions(
  sent: FieldMap,
  asked: ReadonlyMap<string, string> | null,
  terms: Terms,
  adjusted: string[],
): void {
  const options = new Map(asked ?? []);
  if (!terms.mayOverride) {
    for (const [name, lexeme] of options) {
      if (!isLoadOption(name)) continue;
      if (name === "num_ctx" && terms.contextTokens !== undefined && isCountUpTo(lexeme, NUM_CTX_MAX)) {
        if (Number(lexeme) <= terms.contextTokens) continue;
        options.set(name, String(terms.contextTokens));
        adjusted.push(`options.${name}=${terms.contextTokens}`);
        continue;
      }
      options.delete(name);
      adjusted.push(`options.${name}`);
    }
  }
  const noted: string[] = [];
  capField(options, "num_predict", terms, noted);
  adjusted.push(...noted.map((name) => `options.${name}`));
  if (options.size > 0) sent.set("options", writeOptions(options));
  else sent.delete("options");
}
