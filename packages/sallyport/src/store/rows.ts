/**
 * Rows of the database and the values they stand for, both ways. Reading is strict: a damaged row throws `fault` with
 * its place. Nobody gets a right, or loses a limit, because a byte on the disk turned over.
 */
import { isAdminPermission, isDataPermission, Problem } from "@sallyport/protocol";
import type { Assignment, Environment, Principal, Role } from "../access/policy.ts";
import type { KeyRecord } from "../keys/key.ts";
import {
  flag,
  json,
  listOf,
  Misshapen,
  number,
  object,
  oneOf,
  orNull,
  orText,
  text,
  textThat,
  wholeNumber,
} from "./json-shape.ts";
import type { Shape } from "./json-shape.ts";
import type { SqlRow, SqlValue } from "./sqlite.ts";

const dataPermission = textThat(isDataPermission, "a permission of the data plane");
const adminPermission = textThat(isAdminPermission, "a permission of administration");

const limits = object({}, { requests: object({ count: number, windowMs: number }), concurrency: number });
const guard = object({}, { outputTokens: number, images: number });
const right = object({ roles: listOf(text), allow: listOf(dataPermission), models: orNull(listOf(text)) });
const grant = object({ permissions: listOf(dataPermission), models: orNull(listOf(text)) });
const upstream = object({ id: text, url: text }, { concurrency: number, timeoutMs: number });
const mayGrant = object({ allow: listOf(dataPermission), models: listOf(text) });
const adminRight = object({
  permissions: listOf(adminPermission),
  environments: orText("*", listOf(text)),
  mayGrant: orText("*", orNull(mayGrant)),
});
const toPrincipal = object({ principal: text });
const toGroup = object({ group: text });
const subject: Shape<Assignment["subject"]> = (value, where) =>
  typeof value === "object" && value !== null && "group" in value ? toGroup(value, where) : toPrincipal(value, where);
const keyHash: Shape<Uint8Array> = (value, where) => {
  if (!(value instanceof Uint8Array) || value.length !== 32) throw new Misshapen(where, "32 bytes");
  return value;
};

export function readEnvironment(row: SqlRow): Environment {
  return read("environment", row["name"], () => ({
    name: text(row["name"], "name"),
    upstreams: json(listOf(upstream))(row["upstreams"], "upstreams"),
    keyMaxAgeMs: wholeNumber(row["key_max_age_ms"], "key_max_age_ms"),
    cloud: oneOf("deny", "allow")(row["cloud"], "cloud"),
    registries: json(listOf(text))(row["registries"], "registries"),
    keepAliveMaxSeconds: number(row["keep_alive_max_seconds"], "keep_alive_max_seconds"),
    limits: json(limits)(row["limits"], "limits"),
    guard: json(guard)(row["guard"], "guard"),
  }));
}

export function environmentRow(value: Environment): SqlValue[] {
  const { name, upstreams, keyMaxAgeMs, cloud, registries, keepAliveMaxSeconds } = value;
  return [
    name,
    toJson(upstreams),
    keyMaxAgeMs,
    cloud,
    toJson(registries),
    keepAliveMaxSeconds,
    toJson(value.limits),
    toJson(value.guard),
  ];
}

export function readRole(row: SqlRow): Role {
  return read("role", row["name"], () => ({
    name: text(row["name"], "name"),
    grants: json(listOf(grant))(row["grants"], "grants"),
    limits: json(limits)(row["limits"], "limits"),
    guard: json(guard)(row["guard"], "guard"),
  }));
}

export function roleRow(value: Role): SqlValue[] {
  return [value.name, toJson(value.grants), toJson(value.limits), toJson(value.guard)];
}

export function readPrincipal(row: SqlRow): Principal {
  return read("principal", row["id"], () => ({
    id: text(row["id"], "id"),
    kind: oneOf("person", "service")(row["kind"], "kind"),
    name: text(row["name"], "name"),
    team: orNull(text)(row["team"], "team"),
    groups: json(listOf(text))(row["groups"], "groups"),
    isDisabled: flag(row["is_disabled"], "is_disabled"),
    createdAt: wholeNumber(row["created_at"], "created_at"),
  }));
}

export function principalRow(value: Principal): SqlValue[] {
  const { id, kind, name, team, groups, isDisabled, createdAt } = value;
  return [id, kind, name, team, toJson(groups), isDisabled ? 1 : 0, createdAt];
}

export function readAssignment(row: SqlRow): Assignment {
  return read("assignment", row["id"], () => ({
    id: text(row["id"], "id"),
    subject: json(subject)(row["subject"], "subject"),
    environment: text(row["environment"], "environment"),
    right: json(right)(row["right"], "right"),
    source: oneOf("policy", "admin")(row["source"], "source"),
  }));
}

export function assignmentRow(value: Assignment): SqlValue[] {
  return [value.id, toJson(value.subject), value.environment, toJson(value.right), value.source];
}

export function readKey(row: SqlRow): KeyRecord {
  return read("key", `${String(row["environment"])}/${String(row["id"])}`, () => ({
    environment: text(row["environment"], "environment"),
    id: text(row["id"], "id"),
    name: text(row["name"], "name"),
    owner: orNull(text)(row["owner"], "owner"),
    state: oneOf("active", "suspended", "revoked")(row["state"], "state"),
    hash: keyHash(row["hash"], "hash"),
    pepperVersion: wholeNumber(row["pepper_version"], "pepper_version"),
    ceiling: json(right)(row["ceiling"], "ceiling"),
    limits: json(limits)(row["limits"], "limits"),
    admin: row["admin"] === null ? null : json(adminRight)(row["admin"], "admin"),
    createdAt: wholeNumber(row["created_at"], "created_at"),
    expiresAt: orNull(wholeNumber)(row["expires_at"], "expires_at"),
    createdBy: text(row["created_by"], "created_by"),
  }));
}

export function keyRow(value: KeyRecord): SqlValue[] {
  const { environment, id, name, owner, state, hash, pepperVersion, ceiling, admin, createdAt, expiresAt, createdBy } =
    value;
  const admins = admin === null ? null : toJson(admin);
  return [
    environment,
    id,
    name,
    owner,
    state,
    hash,
    pepperVersion,
    toJson(ceiling),
    toJson(value.limits),
    admins,
    createdAt,
    expiresAt,
    createdBy,
  ];
}

function toJson(value: unknown): string {
  return JSON.stringify(value);
}

function read<T>(table: string, name: unknown, build: () => T): T {
  try {
    return build();
  } catch (error) {
    if (error instanceof Misshapen)
      throw new Problem("fault", `the database is damaged: ${table} ${String(name)}, ${error.message}`);
    throw error;
  }
}
