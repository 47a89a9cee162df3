/** Inference in the dialects of OpenAI and Anthropic. Not streaming unless `stream` is true; no keep_alive and no options there. */
import { isRefusal } from "@sallyport/protocol";
import type { DataPermission, ModelName, Refusal } from "@sallyport/protocol";
import type { Demand } from "../../access/demand.ts";
import type { StructFields } from "../../kernel/strict-json/shape.ts";
import { messagesFields } from "./anthropic-fields.ts";
import {
  JsonRequest,
  capField,
  capLogprobs,
  demandOn,
  isEmptyList,
  isEmptyText,
  isTrue,
  readFields,
  readModel,
  sendModel,
} from "./meaning.ts";
import type { FieldMap, Noted } from "./meaning.ts";
import { clampThinking } from "./think-fields.ts";
import type { ThinkFields } from "./think-fields.ts";
import { demandsWebSearch, withoutWebSearch } from "./web-search-tools.ts";
import { chatCompletionFields, completionFields, openaiEmbeddingFields, responsesFields } from "./openai-fields.ts";
import type { RequestCursor } from "./request-cursor.ts";
import type { Terms, Understood } from "./understood.ts";

interface Kind {
  readonly permission: DataPermission;
  readonly fields: StructFields<RequestCursor>;
  readonly streams: boolean;
  /** The field that bounds the output; null without one. */
  readonly outputField: string | null;
  /** Where it says how much the model thinks, and of how many alternatives it wants probabilities; null = nowhere. */
  readonly thinkFields: ThinkFields | null;
  readonly logprobsField: string | null;
  /** Usage of a stream comes only when `stream_options.include_usage` asks for it. */
  readonly usageIsAsked: boolean;
  /** The field whose emptiness makes the request a load, where the dialect has such a form. */
  readonly loadsWithout: string | null;
}

const kinds = {
  "chat.completions": {
    permission: "infer:chat", fields: chatCompletionFields, streams: true, outputField: "max_tokens", usageIsAsked: true, loadsWithout: null,
    thinkFields: "reasoning_effort", logprobsField: "top_logprobs",
  },
  completions: {
    permission: "infer:generate", fields: completionFields, streams: true, outputField: "max_tokens", usageIsAsked: true, loadsWithout: "prompt", thinkFields: null, logprobsField: "logprobs",
  },
  embeddings: {
    permission: "infer:embed", fields: openaiEmbeddingFields, streams: false, outputField: null, usageIsAsked: false, loadsWithout: "input", thinkFields: null, logprobsField: null,
  },
  responses: {
    permission: "infer:chat", fields: responsesFields, streams: true, outputField: "max_output_tokens", usageIsAsked: false, loadsWithout: null,
    thinkFields: "reasoning", logprobsField: null,
  },
  messages: {
    permission: "infer:chat", fields: messagesFields, streams: true, outputField: "max_tokens", usageIsAsked: false, loadsWithout: null,
    thinkFields: "thinking", logprobsField: null,
  },
} as const satisfies Record<string, Kind>; // prettier-ignore

export function understandCompat(name: keyof typeof kinds): (body: Buffer) => Understood | Refusal {
  const kind: Kind = kinds[name];
  return (body) => {
    const read = readFields(body, kind.fields);
    if (isRefusal(read)) return read;
    const { cursor, fields } = read;
    const model = readModel(fields);
    if (isRefusal(model)) return model;
    const isStream = kind.streams && isTrue(fields.get("stream"));
    const hidesUsage = isStream && kind.usageIsAsked && fields.get("stream_options") !== '{"include_usage":true}';

    function edit(sent: FieldMap, terms: Terms, { adjusted }: Noted, spelling?: string): void {
      sendModel(sent, { spelling: spelling ?? (model as ModelName).spelling });
      if (kind.streams) sent.set("stream", String(isStream));
      if (isStream && kind.usageIsAsked) sent.set("stream_options", '{"include_usage":true}');
      else sent.delete("stream_options");
      if (sent.get("_debug_render_only") === "false") sent.delete("_debug_render_only");
      renameOutputField(sent);
      if (kind.thinkFields !== null) clampThinking(kind.thinkFields, sent, terms, adjusted);
      if (kind.logprobsField !== null) capLogprobs(sent, kind.logprobsField, terms, adjusted);
      if (kind.outputField !== null) capField(sent, kind.outputField, terms, adjusted);
      if (cursor.webSearch !== null && !terms.hasOffers) withoutWebSearch(sent, cursor.tools!, adjusted);
      // Ollama reads no such field in this dialect: it was looked at for what it demands.
      if (name === "responses") sent.delete("tool_choice");
    }
    const search: Demand = { permission: "cloud:websearch", model: null, field: cursor.webSearch ?? "tools" };
    const isDemanded = cursor.webSearch !== null && demandsWebSearch(fields.get("tool_choice"), cursor.tools!);
    return new JsonRequest({
      read,
      demands: isDemanded ? [...demandsOf(kind, fields, model), search] : demandsOf(kind, fields, model),
      offers: cursor.webSearch !== null && !isDemanded ? [search] : [],
      model,
      isStream,
      hidesUsage,
      edit,
    });
  };
}

/** OpenAI's newer name for the same; servers know the old one. */
function renameOutputField(sent: FieldMap): void {
  const newer = sent.get("max_completion_tokens");
  if (newer === undefined) return;
  sent.delete("max_completion_tokens");
  sent.set("max_tokens", newer);
}

function demandsOf(kind: Kind, fields: FieldMap, model: ModelName): Demand[] {
  const demands: Demand[] = [];
  const { loadsWithout } = kind;
  const isLoad =
    loadsWithout !== null && (isEmptyText(fields.get(loadsWithout)) || isEmptyList(fields.get(loadsWithout)));
  if (isLoad) demands.push({ permission: "runtime:load", model, field: "an empty request" });
  if (!isLoad || !isEmptyText(fields.get("suffix"))) demands.push(...demandOn(kind.permission, model));
  else if (model.source === "cloud") demands.push({ permission: "cloud:infer", model, field: "model" });
  if (isTrue(fields.get("_debug_render_only")))
    demands.push({ permission: "debug:render", model, field: "_debug_render_only" });
  return demands;
}
