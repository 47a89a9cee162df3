/**
 * Every permission, one row each. A permission is a verb on a noun; a name outside this table grants nothing and is
 * rejected wherever it is written. The rows of the data plane follow what one call of Ollama can do; the rows of
 * administration say what an admin key or an operator may do, and are never usable on the data plane.
 */
export interface PermissionRow {
  readonly plane: "data" | "admin";
  /** True where a grant must also name the model (by selector) before the permission means anything. */
  readonly needsModel: boolean;
  readonly says: string;
}

export const permissions = {
  "server:health": { plane: "data", needsModel: false, says: "read liveness and version" },
  "server:status": { plane: "data", needsModel: false, says: "read whether the upstream's cloud is disabled" },
  "server:recommendations": {
    plane: "data",
    needsModel: false,
    says: "read recommended models (refreshes from the cloud)",
  },
  "models:list": { plane: "data", needsModel: false, says: "list models, filtered to those the caller may see" },
  "models:show": { plane: "data", needsModel: true, says: "read one model's description, redacted" },
  "models:show-private": {
    plane: "data",
    needsModel: true,
    says: "read modelfile, system prompt, template and messages too",
  },
  "models:pull": { plane: "data", needsModel: true, says: "download a model from an allowed registry" },
  "models:pull-insecure": { plane: "data", needsModel: true, says: "pull or push without verified TLS" },
  "models:push": { plane: "data", needsModel: true, says: "upload a model to an allowed registry" },
  "models:create": { plane: "data", needsModel: true, says: "create or overwrite a model" },
  "models:copy": { plane: "data", needsModel: true, says: "give a model another name" },
  "models:delete": { plane: "data", needsModel: true, says: "delete a model" },
  "blobs:write": { plane: "data", needsModel: false, says: "upload a blob" },
  "blobs:probe": { plane: "data", needsModel: false, says: "ask whether a blob exists" },
  "infer:chat": { plane: "data", needsModel: true, says: "chat" },
  "infer:generate": { plane: "data", needsModel: true, says: "complete a prompt" },
  "infer:embed": { plane: "data", needsModel: true, says: "embed text" },
  "infer:audio": { plane: "data", needsModel: true, says: "transcribe audio" },
  "infer:override": {
    plane: "data",
    needsModel: true,
    says: "replace the model's own prompt or load options: raw, template, context, num_ctx and its like",
  },
  "runtime:ps": { plane: "data", needsModel: false, says: "list running models, filtered to those the caller may see" },
  "runtime:load": { plane: "data", needsModel: true, says: "load a model without using it" },
  "runtime:unload": { plane: "data", needsModel: true, says: "unload a model for everyone" },
  "runtime:pin": { plane: "data", needsModel: true, says: "keep a model loaded beyond the cap" },
  "debug:render": { plane: "data", needsModel: true, says: "see the rendered prompt, hidden parts included" },
  "cloud:infer": { plane: "data", needsModel: true, says: "send prompts to a cloud model" },
  "cloud:show": { plane: "data", needsModel: true, says: "describe a cloud model (leaves the machine)" },
  "cloud:websearch": {
    plane: "data",
    needsModel: false,
    says: "search or fetch the web through the upstream's account",
  },
  "account:read": { plane: "data", needsModel: false, says: "read the upstream owner's cloud account" },
  "account:manage": { plane: "data", needsModel: false, says: "sign the upstream out of its cloud account" },
  "self:rotate": { plane: "data", needsModel: false, says: "make the key's own next secret, from where it is used" },
  "tokens:introspect": { plane: "data", needsModel: false, says: "ask what tokens of the environment are worth" },
  "usage:read": { plane: "data", needsModel: false, says: "read one's own usage" },

  "keys:read": { plane: "admin", needsModel: false, says: "list and show keys" },
  "keys:issue": { plane: "admin", needsModel: false, says: "create keys within what the issuer may grant" },
  "keys:manage": { plane: "admin", needsModel: false, says: "suspend, resume and revoke keys" },
  "principals:read": { plane: "admin", needsModel: false, says: "list people, services and assignments" },
  "principals:manage": { plane: "admin", needsModel: false, says: "create, disable and assign people and services" },
  "policy:read": {
    plane: "admin",
    needsModel: false,
    says: "read environments, roles and assignments; explain decisions",
  },
  "policy:write": { plane: "admin", needsModel: false, says: "change environments, roles and upstreams" },
  "audit:read": { plane: "admin", needsModel: false, says: "search, tail and verify the audit log" },
  "status:read": { plane: "admin", needsModel: false, says: "read the gateway's status and metrics" },
  "reviews:read": { plane: "admin", needsModel: false, says: "read access reviews" },
  "reviews:decide": {
    plane: "admin",
    needsModel: false,
    says: "decide on lines of access reviews, and delegate one's own",
  },
  "reviews:manage": {
    plane: "admin",
    needsModel: false,
    says: "start and close access reviews, and delegate any line",
  },
  "admin:manage": { plane: "admin", needsModel: false, says: "issue and end admin keys" },
} as const satisfies Record<string, PermissionRow>;

export type Permission = keyof typeof permissions;
export type DataPermission = {
  [P in Permission]: (typeof permissions)[P]["plane"] extends "data" ? P : never;
}[Permission];
export type AdminPermission = Exclude<Permission, DataPermission>;

/** Every permission of the data plane, in the table's order. */
export const dataPermissions: readonly DataPermission[] = Object.keys(permissions).filter(isDataPermission);

/** True when the text is the name of a permission; own names only, so `constructor` is not one. */
export function isPermission(text: string): text is Permission {
  return Object.hasOwn(permissions, text);
}

export function isDataPermission(text: string): text is DataPermission {
  return isPermission(text) && permissions[text].plane === "data";
}

export function isAdminPermission(text: string): text is AdminPermission {
  return isPermission(text) && permissions[text].plane === "admin";
}

export function needsModel(permission: Permission): boolean {
  return permissions[permission].needsModel;
}
