/**
 * What the caller may see of listings and descriptions: only models that they may use, and nothing of a description
 * that belongs to the owner (prompts, templates, absolute paths) unless it is granted. A field is shown because it is
 * listed here, not because no one thought of hiding it.
 */
import { parseModelName } from "@sallyport/protocol";
import type { ModelName } from "@sallyport/protocol";
import { isRemoteEntry } from "../upstream/listed-models.ts";
import { parseObject } from "./framed-answer.ts";
import type { Rewrite } from "./collected.ts";

export type MaySee = (model: ModelName) => boolean;

/**
 * Members of one model in `/api/tags` and `/api/ps`. `details.parent_model` is omitted: it names a model that the
 * caller may not know.
 */
const LISTED = [
  "name", "model", "modified_at", "size", "digest", "capabilities", "expires_at", "size_vram", "context_length", "remote_model", "remote_host",
]; // prettier-ignore
const LISTED_DETAILS = [
  "format",
  "family",
  "families",
  "parameter_size",
  "quantization_level",
  "context_length",
  "embedding_length",
];
const LISTED_IDS = ["id", "object", "created", "owned_by"];

/** `/api/tags` and `/api/ps`: `{models:[{name, model, …}]}`. */
export function filterModels(maySee: MaySee): Rewrite {
  return (text) =>
    filterList(text, "models", (entry) => {
      if (!isVisible(entry["model"] ?? entry["name"], entry, maySee)) return undefined;
      const { details } = entry;
      const shown = picked(entry, LISTED);
      // Clients read it without asking whether it is there.
      shown["details"] =
        typeof details === "object" && details !== null
          ? picked(details as Record<string, unknown>, LISTED_DETAILS)
          : {};
      return shown;
    });
}

/** `/v1/models`: `{object:"list", data:[{id, …}]}`. `more`: names that other servers of the environment serve. */
export function filterModelIds(maySee: MaySee, more: readonly string[] = []): Rewrite {
  return (text) => {
    const seen = new Set<unknown>();
    const others = (): object[] =>
      more
        .filter((id) => !seen.has(id) && isVisible(id, {}, maySee))
        .map((id) => ({ id, object: "model", created: 0, owned_by: "library" }));
    const show = (entry: Record<string, unknown>): Record<string, unknown> | undefined => {
      seen.add(entry["id"]);
      return isVisible(entry["id"], entry, maySee) ? picked(entry, LISTED_IDS) : undefined;
    };
    return filterList(text, "data", show, others);
  };
}

function filterList(
  text: string,
  field: "models" | "data",
  show: (entry: Record<string, unknown>) => Record<string, unknown> | undefined,
  others: () => readonly object[] = () => [],
): string | undefined {
  const body = parseObject(text);
  if (!body) return undefined;
  const list = body[field] ?? [];
  if (!Array.isArray(list)) return undefined;
  const shown = list.flatMap((entry: unknown) =>
    typeof entry === "object" && entry !== null ? (show(entry as Record<string, unknown>) ?? []) : [],
  );
  return JSON.stringify(field === "data" ? { object: "list", data: [...shown, ...others()] } : { models: shown });
}

function picked(from: Record<string, unknown>, fields: readonly string[]): Record<string, unknown> {
  const shown: Record<string, unknown> = {};
  for (const field of fields) if (from[field] !== undefined) shown[field] = from[field];
  return shown;
}

/** A local name that stands for a remote model is visible to callers that may see the cloud model of that name. */
function isVisible(name: unknown, entry: Record<string, unknown>, maySee: MaySee): boolean {
  if (typeof name !== "string") return false;
  const model = parseModelName(isRemoteEntry(entry) && !/[:-]cloud$/i.test(name) ? `${name}:cloud` : name);
  return model !== undefined && maySee(model);
}

const SHOWN = [
  "license", "parameters", "details", "model_info", "projector_info", "capabilities", "modified_at", "requires",
  "remote_model", "remote_host",
]; // prettier-ignore
const SHOWN_PRIVATELY = ["modelfile", "template", "system", "messages", "renderer", "parser", "tensors"];

/** `/api/show`: the listed fields; the private ones only where `models:show-private` is held. */
export function redactShow(isPrivate: boolean): Rewrite {
  return (text) => {
    const body = parseObject(text);
    if (!body) return undefined;
    const shown = picked(body, isPrivate ? [...SHOWN, ...SHOWN_PRIVATELY] : SHOWN);
    const { details } = body;
    if (!isPrivate && typeof details === "object" && details !== null)
      shown["details"] = picked(details as Record<string, unknown>, LISTED_DETAILS);
    // Clients read these without asking whether they are there.
    if (!isPrivate) Object.assign(shown, { modelfile: "", template: "" });
    return JSON.stringify(shown);
  };
}

/** Passes one object as it is (re-serialised), or nothing. */
export const onlyAnObject: Rewrite = (text) => {
  const body = parseObject(text);
  return body && JSON.stringify(body);
};
