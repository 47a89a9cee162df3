/**
 * What the caller may see of listings and descriptions: only models he may do something with, and of a description
 * nothing that is the owner's own (prompts, templates, absolute paths) unless that is granted. A field is shown because
 * it is listed here, not because nobody thought of hiding it.
 */
import { parseModelName } from "@sallyport/protocol";
import type { ModelName } from "@sallyport/protocol";
import { parseObject } from "./framed-answer.ts";
import type { Rewrite } from "./collected.ts";

export type MaySee = (model: ModelName) => boolean;

/** `/api/tags` and `/api/ps`: `{models:[{name, model, …}]}`. */
export function filterModels(maySee: MaySee): Rewrite {
  return (text) => filterList(text, "models", (entry) => isVisible(entry["model"] ?? entry["name"], entry, maySee));
}

/** `/v1/models`: `{object:"list", data:[{id, …}]}`. */
export function filterModelIds(maySee: MaySee): Rewrite {
  return (text) => filterList(text, "data", (entry) => isVisible(entry["id"], entry, maySee));
}

function filterList(
  text: string,
  field: string,
  keeps: (entry: Record<string, unknown>) => boolean,
): string | undefined {
  const body = parseObject(text);
  if (!body) return undefined;
  const list = body[field] ?? [];
  if (!Array.isArray(list)) return undefined;
  body[field] = list.filter(
    (entry: unknown) => typeof entry === "object" && entry !== null && keeps(entry as Record<string, unknown>),
  );
  return JSON.stringify(body);
}

/** A local name that stands for a remote model is seen by whoever may see the cloud model of that name. */
function isVisible(name: unknown, entry: Record<string, unknown>, maySee: MaySee): boolean {
  if (typeof name !== "string") return false;
  const isRemote = typeof entry["remote_host"] === "string" && entry["remote_host"] !== "";
  const model = parseModelName(isRemote && !/[:-]cloud$/i.test(name) ? `${name}:cloud` : name);
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
    const shown: Record<string, unknown> = {};
    for (const field of isPrivate ? [...SHOWN, ...SHOWN_PRIVATELY] : SHOWN)
      if (body[field] !== undefined) shown[field] = body[field];
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
