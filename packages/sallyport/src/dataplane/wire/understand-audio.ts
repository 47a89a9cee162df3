/**
 * Transcription: the one multipart request. The form is parsed strictly and rebuilt from the known parts; the query,
 * which Ollama prefers over the form, is never sent.
 */
import { isUtf8 } from "node:buffer";
import { isRefusal, parseModelName, refuse } from "@sallyport/protocol";
import type { Refusal } from "@sallyport/protocol";
import { randomBase62 } from "../../kernel/ids.ts";
import { foldKey } from "../../kernel/strict-json/fold.ts";
import { demandOn } from "./meaning.ts";
import { printable, readMultipartForm, writeForm } from "./multipart-form.ts";
import type { FormPart } from "./multipart-form.ts";
import type { Serialized, Understood } from "./understood.ts";

const TEXT_FIELDS: readonly string[] = ["model", "response_format", "language", "prompt"];
const FOLDED = new Set([...TEXT_FIELDS, "file"].map(foldKey));
const TEXT_BYTES_MAX = 16 * 1024;

export function understandTranscription(
  body: Buffer,
  _parameter: string | null,
  contentType: string,
): Understood | Refusal {
  if (body.length === 0) return refuse("body_missing");
  const form = readMultipartForm(contentType, body);
  if (isRefusal(form)) return form;
  const known: FormPart[] = [];
  let droppedFields = 0;
  for (const part of form) {
    const isText = TEXT_FIELDS.includes(part.name);
    if (!isText && part.name !== "file") {
      if (FOLDED.has(foldKey(part.name))) return refuse("json_key_folds", printable(part.name));
      droppedFields++;
      continue;
    }
    if (isText !== (part.filename === null)) return refuse("multipart_malformed", `${part.name} is of the wrong kind`);
    if (isText && (part.bytes.length > TEXT_BYTES_MAX || !isUtf8(part.bytes)))
      return refuse("field_invalid", part.name);
    known.push(part);
  }
  const written = known.find((part) => part.name === "model")?.bytes.toString("utf8") ?? "";
  if (written === "") return refuse("model_missing");
  const model = parseModelName(written);
  if (!model) return refuse("model_name_invalid");
  if (!known.some((part) => part.name === "file")) return refuse("field_invalid", "file is missing");
  return {
    demands: demandOn("infer:audio", model),
    model,
    registries: [],
    asked: { images: 0 },
    offers: [],
    isStream: false,
    hidesUsage: false,
    droppedFields,
    inputCharacters: 0,
    unsent: known.map(({ filename }) => filename ?? "").join("\n"),
    serialize: (_terms, spelling) => serialize(known, spelling ?? model.spelling),
  };
}

function serialize(known: readonly FormPart[], spelling: string): Serialized {
  const boundary = `sallyport-${randomBase62(24)}`;
  const parts = known.map((part) => {
    if (part.name === "model") return { ...part, bytes: Buffer.from(spelling, "utf8") };
    return part.filename === null ? part : { ...part, filename: safeFilename(part.filename) };
  });
  return { bytes: writeForm(boundary, parts), contentType: `multipart/form-data; boundary=${boundary}`, adjusted: [] };
}

/** Only the extension means anything to a decoder. */
function safeFilename(filename: string): string {
  const extension = /\.([A-Za-z0-9]{1,8})$/.exec(filename)?.[1];
  return extension === undefined ? "audio" : `audio.${extension.toLowerCase()}`;
}
