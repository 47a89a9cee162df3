/**
 * What an audit record says that a key demanded: the intent of a request that was admitted, or the denial of one that was
 * not. Counting permissions and replaying decisions both read the same lines here.
 */
import { isDataPermission, needsModel } from "@sallyport/protocol";
import { OTHER_MODELS } from "./usage-row.ts";
import { isOfType, parseRecord } from "./record-line.ts";

/** One permission, and the model it was demanded on. */
export interface PermissionOnModel {
  readonly permission: string;
  /** A model's key; empty where the permission needs none, `OTHER_MODELS` where the record does not say. */
  readonly model: string;
}

export interface RecordedDemand {
  /** Epoch ms. */
  readonly at: number;
  readonly environment: string;
  readonly key: string;
  /** Of the request. */
  readonly request: string;
  readonly isDenied: boolean;
  /** The `demands` as recorded, one text for all requests that demanded the same. */
  readonly demanded: string;
}

const READ = ["request.intent", "model.intent", "request.refused"] as const;
const KEY_ACTOR = "key:";
const TEXT_MAX = 512;
const DEMANDS_MAX = 64;

/** An intent as `dataplane/stages/record.ts` writes it, without escapes, up to its model. A line of another form is parsed. */
// Written out in full, so that `tools/check-patterns.js` can prove that it never backtracks.
// prettier-ignore
const PLAIN_INTENT =
  /^\{"seq":\d{1,15},"prev":"[0-9a-f]{64}","type":"(?:request|model)\.intent","at":(\d{1,15}),"environment":"([a-z0-9]{1,16})","actor":"key:([0-9A-Za-z]{1,16})","fields":\{"request":"([^"\\]*)","principal":(?:null|"[^"\\]*"),(?:"token":"[^"\\]*",)?"endpoint":"[^"\\]*","permissions":\[([^\]\\]*)\],(?:"demands":\[([^\]\\]*)\],)?"model":(null|"[^"\\]*"),/;

/** True for lines that `readDemand()` has to look at. */
export function mayDemand(line: string): boolean {
  return isOfType(line, READ);
}

/** `line`: a record of the audit log without what stands beside it. Undefined if no key demanded anything by it. */
export function readDemand(line: string): RecordedDemand | undefined {
  return readPlainIntent(line) ?? (mayDemand(line) ? parseDemand(line) : undefined);
}

/** Undefined for every other form. */
export function readPlainIntent(line: string): RecordedDemand | undefined {
  const found = PLAIN_INTENT.exec(line);
  if (!found) return undefined;
  const demanded = found[6] === undefined ? `${found[5]!}|${found[7]!}` : found[6];
  if (demanded.length > TEXT_MAX * DEMANDS_MAX) return undefined;
  return {
    at: Number(found[1]),
    environment: found[2]!,
    key: found[3]!,
    request: found[4]!,
    isDenied: false,
    demanded,
  };
}

/** Reads any form of line. */
export function parseDemand(line: string): RecordedDemand | undefined {
  const { type, at, environment, actor, fields } = parseRecord(line) ?? {};
  if (typeof at !== "number" || !Number.isSafeInteger(at) || typeof environment !== "string") return undefined;
  if (typeof actor !== "string" || !actor.startsWith(KEY_ACTOR)) return undefined;
  if (typeof fields !== "object" || fields === null) return undefined;
  const { request, permissions, demands, model } = fields;
  const texts = textsOf(demands ?? permissions);
  if (texts.length === 0) return undefined;
  const list = texts.map((text) => JSON.stringify(text)).join(",");
  const isOwn = demands === undefined;
  return {
    at,
    environment,
    key: actor.slice(KEY_ACTOR.length),
    request: typeof request === "string" ? request : "",
    isDenied: type === "request.refused",
    demanded: isOwn ? `${list}|${typeof model === "string" ? JSON.stringify(model) : "null"}` : list,
  };
}

/** Permissions on the request's own model (`"infer:chat"|"a/b/c:d"`), or each with its own (`"models:copy a/b/c:d"`). */
export function demandsOf(demanded: string): readonly PermissionOnModel[] {
  const bar = demanded.lastIndexOf("|");
  if (bar < 0) return uniqueOf(textsIn(demanded).map(splitDemand));
  const own = demanded.slice(bar + 1);
  const model = own === "null" ? "" : (textsIn(own)[0] ?? "");
  const permissions = textsIn(demanded.slice(0, bar));
  return uniqueOf(permissions.map((permission) => ({ permission, model: modelFor(permission, model, permissions) })));
}

/** Each demand by itself, of which a request may have made two that are the same. */
function uniqueOf(demands: readonly PermissionOnModel[]): readonly PermissionOnModel[] {
  const seen = new Set<string>();
  return demands.filter(({ permission, model }) => {
    const name = `${permission} ${model}`;
    return !seen.has(name) && seen.add(name);
  });
}

function splitDemand(text: string): PermissionOnModel {
  const space = text.indexOf(" ");
  return space < 0
    ? { permission: text, model: text !== "" && isModelDemand(text) ? OTHER_MODELS : "" }
    : { permission: text.slice(0, space), model: text.slice(space + 1) };
}

/** Requests that name more than one model. Versions that did not write `demands` recorded the first of them alone. */
export const OF_SEVERAL_MODELS: ReadonlySet<string> = new Set(["models:copy", "models:create"]);

/**
 * A version that did not write `demands` recorded the local name of a model that its server runs in the cloud: what was
 * demanded of it was demanded of the cloud model.
 */
function modelFor(permission: string, model: string, all: readonly string[]): string {
  if (!isModelDemand(permission)) return "";
  if (model === "" || all.some((one) => OF_SEVERAL_MODELS.has(one))) return OTHER_MODELS;
  const isRemote = all.includes("cloud:infer") && !model.startsWith("cloud:");
  return isRemote ? `cloud:${model}` : model;
}

function isModelDemand(permission: string): boolean {
  return isDataPermission(permission) && needsModel(permission);
}

/** The texts of a list of JSON texts without escapes, or of any other. */
function textsIn(list: string): readonly string[] {
  try {
    return textsOf(JSON.parse(`[${list}]`));
  } catch {
    return [];
  }
}

function textsOf(value: unknown): readonly string[] {
  if (!Array.isArray(value)) return [];
  return value.slice(0, DEMANDS_MAX).filter((one) => typeof one === "string" && one.length <= TEXT_MAX) as string[];
}
