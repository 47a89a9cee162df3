/** Requests about models rather than to them: show, pull, push, create, copy, delete, and the account's web search. */
import { isRefusal, parseModelName, refuse } from "@sallyport/protocol";
import type { DataPermission, ModelName, Refusal } from "@sallyport/protocol";
import type { Demand } from "../../access/demand.ts";
import type { StructFields } from "../../kernel/strict-json/shape.ts";
import { decodeString } from "../../kernel/strict-json/decode-string.ts";
import { JsonRequest, isEmptyText, isTrue, readFields, readModel, readModelOrName, sendModel } from "./meaning.ts";
import type { FieldMap } from "./meaning.ts";
import { copyFields, createFields, deleteFields, showFields, transferFields } from "./native-fields.ts";
import type { RequestCursor } from "./request-cursor.ts";
import type { Understood } from "./understood.ts";

/**
 * Stands for every local model at once: only an unlimited selector (`*`) matches it. Naming data by digest (create from
 * files) can give any model's data a new name, so it needs the permission on all of them.
 */
export const EVERY_LOCAL_MODEL: ModelName = {
  key: "*", source: "none", host: "*", namespace: "*", model: "*", tag: "*", spelling: "*",
}; // prettier-ignore

export function understandShow(body: Buffer): Understood | Refusal {
  const read = readFields(body, showFields);
  if (isRefusal(read)) return read;
  const model = readModelOrName(read.fields);
  if (isRefusal(model)) return model;
  for (const field of ["system", "template", "options"]) read.fields.delete(field);
  sendModel(read.fields, model);
  return new JsonRequest({ read, demands: showDemands(model), model });
}

/** A description of a cloud name is fetched from the cloud, signed with the server's own key. */
export function showDemands(model: ModelName): Demand[] {
  const demands: Demand[] = [{ permission: "models:show", model, field: "model" }];
  if (model.source === "cloud") demands.push({ permission: "cloud:show", model, field: "model" });
  return demands;
}

export function understandTransfer(permission: "models:pull" | "models:push"): (body: Buffer) => Understood | Refusal {
  return (body) => {
    const read = readFields(body, transferFields);
    if (isRefusal(read)) return read;
    const { fields } = read;
    const model = readModelOrName(fields);
    if (isRefusal(model)) return model;
    const demands: Demand[] = [{ permission, model, field: "model" }];
    if (isTrue(fields.get("insecure"))) demands.push({ permission: "models:pull-insecure", model, field: "insecure" });
    else fields.delete("insecure");
    fields.delete("username");
    fields.delete("password");
    sendModel(fields, model);
    return new JsonRequest({ read, demands, model, registries: [model.host], isStream: sayStream(fields) });
  };
}

export function understandCreate(body: Buffer): Understood | Refusal {
  const read = readFields(body, createFields);
  if (isRefusal(read)) return read;
  const { fields } = read;
  const model = readModelOrName(fields);
  if (isRefusal(model)) return model;
  const demands: Demand[] = [{ permission: "models:create", model, field: "model" }];
  const registries: string[] = [];
  sendModel(fields, model);
  if (!isEmptyText(fields.get("from"))) {
    const from = readModel(fields, "from");
    if (isRefusal(from)) return from;
    // A missing source is pulled: both the permission to read it and the permission to fetch it are required.
    demands.push(
      { permission: "models:show", model: from, field: "from" },
      { permission: "models:pull", model: from, field: "from" },
    );
    if (from.source === "cloud") demands.push({ permission: "cloud:infer", model: from, field: "from" });
    registries.push(from.host);
    sendModel(fields, from, "from");
  }
  if (!isEmptyText(fields.get("remote_host"))) {
    const remote = parseModelName(`${decodeString(fields.get("from") ?? '""').replace(/[:-]cloud$/i, "")}:cloud`);
    if (!remote) return refuse("model_name_invalid", "from");
    demands.push({ permission: "cloud:infer", model: remote, field: "remote_host" });
  }
  for (const field of ["files", "draft_files", "adapters"]) {
    if (fields.has(field) && fields.get(field) !== "{}")
      demands.push({ permission: "models:create", model: EVERY_LOCAL_MODEL, field });
  }
  return new JsonRequest({ read, demands, model, registries, isStream: sayStream(fields) });
}

export function understandCopy(body: Buffer): Understood | Refusal {
  const read = readFields(body, copyFields);
  if (isRefusal(read)) return read;
  const source = readModel(read.fields, "source");
  if (isRefusal(source)) return source;
  const destination = readModel(read.fields, "destination");
  if (isRefusal(destination)) return destination;
  sendModel(read.fields, source, "source");
  sendModel(read.fields, destination, "destination");
  const demands: Demand[] = [
    { permission: "models:copy", model: source, field: "source" },
    { permission: "models:copy", model: destination, field: "destination" },
  ];
  return new JsonRequest({ read, demands, model: destination });
}

export function understandDelete(body: Buffer): Understood | Refusal {
  const read = readFields(body, deleteFields);
  if (isRefusal(read)) return read;
  const model = readModelOrName(read.fields);
  if (isRefusal(model)) return model;
  sendModel(read.fields, model);
  return new JsonRequest({ read, demands: [{ permission: "models:delete", model, field: "model" }], model });
}

/** A JSON body without a model. */
export function understandModelless(
  permission: DataPermission,
  known: StructFields<RequestCursor>,
): (body: Buffer) => Understood | Refusal {
  return (body) => {
    const read = readFields(body, known);
    if (isRefusal(read)) return read;
    return new JsonRequest({ read, demands: [{ permission, model: null, field: "endpoint" }], model: null });
  };
}

function sayStream(fields: FieldMap): boolean {
  const isStream = fields.get("stream") !== "false";
  fields.set("stream", String(isStream));
  return isStream;
}
