/**
 * Rows of the database and the values they stand for, both ways. Reading is strict: a damaged row throws
 * `record_damaged` with its place. No permission appears, and no limit disappears, because a byte on the disk changed.
 */
import { isAdminPermission, isFactor } from "@sallyport/protocol";
import type { Assignment, Environment, Fate, Role } from "../../access/policy.ts";
import type { KeyFactors, KeyRecord, PathSecret } from "../../keys/key.ts";
import type { KeyLifeState } from "../../keys/operations.ts";
import type { TicketRecord } from "../../keys/ticket.ts";
import type { KeyUse } from "../../keys/use-record.ts";
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
  yesNo,
} from "../disk/json-shape.ts";
import type { Shape } from "../disk/json-shape.ts";
import { readRow as read } from "../disk/damaged-record.ts";
import { dataPermission, guard, limits, mayGrant, voucher } from "./principal-rows.ts";
import { readWatchfulness, watchfulnessOf } from "./restriction-rows.ts";
import type { SqlRow, SqlValue } from "../disk/sqlite.ts";
import { readTraffic, trafficOf, upstream } from "./traffic-rows.ts";

const adminPermission = textThat(isAdminPermission, "a permission of administration");

const right = object({ roles: listOf(text), allow: listOf(dataPermission), models: orNull(listOf(text)) });
const grant = object({ permissions: listOf(dataPermission), models: orNull(listOf(text)) });
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
  if (typeof value !== "string" || !/^[0-9a-f]{64}$/.test(value)) throw new Misshapen(where, "32 bytes in hex");
  return Buffer.from(value, "hex");
};
const bytes32: Shape<Uint8Array> = (value, where) => {
  if (!(value instanceof Uint8Array) || value.length !== 32) throw new Misshapen(where, "32 bytes");
  return value;
};
const secret = object({
  generation: wholeNumber,
  state: oneOf<KeyRecord["secrets"][number]["state"]>({
    pending: true,
    active: true,
    overlapping: true,
    destroyed: true,
  }),
  hash: keyHash,
  pepperVersion: wholeNumber,
  createdAt: wholeNumber,
  expiresAt: orNull(wholeNumber),
  endsAt: orNull(wholeNumber),
});
const secrets: Shape<KeyRecord["secrets"]> = (value, where) => {
  const read = listOf(secret)(value, where);
  if (read.length === 0) throw new Misshapen(where, "a secret");
  return read;
};
const rotation = object({
  by: text,
  startedAt: wholeNumber,
  graceMs: wholeNumber,
  capAt: wholeNumber,
  firstUsedAt: orNull(wholeNumber),
  sealed: orNull(object({ text, until: wholeNumber })),
});
const keyLife = object({
  overlapMs: wholeNumber,
  overlapMaxMs: wholeNumber,
  quietMs: wholeNumber,
  rotateWithinMs: wholeNumber,
  noticesMs: listOf(wholeNumber),
  brownoutMs: wholeNumber,
  neverUsedMs: wholeNumber,
  unusedNoticeMs: wholeNumber,
  idleMs: wholeNumber,
  destroyMs: wholeNumber,
  orphanMs: wholeNumber,
});

const keyFate = object({
  onLeave: oneOf<Exclude<Fate, "signature">>({ revoke: true, suspend: true, keep: true }),
  onRoleLost: oneOf<Exclude<Fate, "signature">>({ revoke: true, suspend: true, keep: true }),
  onSignOut: oneOf<Exclude<Fate, "signature">>({ revoke: true, suspend: true, keep: true }),
  onRisk: oneOf<Fate>({ revoke: true, suspend: true, signature: true, keep: true }),
});
const demanded = listOf(textThat(isFactor, "a factor"));
const networks: Shape<readonly string[] | null> = (value, where) =>
  value === null ? null : json(listOf(text))(value, where);
const permissionDoor = object({ permissions: listOf(dataPermission), require: demanded });
const tokenPolicy = object({ ttlMs: wholeNumber, isOnly: yesNo });
const signer = object({
  id: text,
  use: oneOf<KeyRecord["signers"][number]["use"]>({ request: true, ollama: true }),
  algorithm: oneOf<KeyRecord["signers"][number]["algorithm"]>({
    ed25519: true,
    "ecdsa-p256-sha256": true,
    "hmac-sha256": true,
  }),
  material: text,
  createdAt: wholeNumber,
  createdBy: text,
});
const claims: Shape<Readonly<Record<string, string>>> = (value, where) => {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new Misshapen(where, "claims");
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, text(one, `${where}.${name}`)]));
};
const workload = object({
  id: text,
  issuer: text,
  audience: text,
  claims,
  jwks: orNull(text),
  createdAt: wholeNumber,
  createdBy: text,
});
const session = object({ issuer: text, subject: text, sid: orNull(text), authenticatedAt: wholeNumber }, { voucher });
const pathSecret = object({ hash: keyHash, pepperVersion: wholeNumber, createdAt: wholeNumber });

export function readEnvironment(row: SqlRow): Environment {
  return read("environment", row["name"], () => ({
    name: text(row["name"], "name"),
    upstreams: json(listOf(upstream))(row["upstreams"], "upstreams"),
    keyMaxAgeMs: wholeNumber(row["key_max_age_ms"], "key_max_age_ms"),
    cloud: oneOf<Environment["cloud"]>({ deny: true, allow: true })(row["cloud"], "cloud"),
    registries: json(listOf(text))(row["registries"], "registries"),
    keepAliveMaxSeconds: number(row["keep_alive_max_seconds"], "keep_alive_max_seconds"),
    ...readTraffic(row["limits"]),
    guard: json(guard)(row["guard"], "guard"),
    keyLife: json(keyLife)(row["key_life"], "key_life"),
    networks: networks(row["networks"], "networks"),
    require: json(demanded)(row["require"], "require"),
    requireFor: json(listOf(permissionDoor))(row["require_for"], "require_for"),
    pathSecrets: oneOf<Environment["pathSecrets"]>({ deny: true, allow: true })(row["path_secrets"], "path_secrets"),
    tokens: json(tokenPolicy)(row["tokens"], "tokens"),
    keyFate: json(keyFate)(row["key_fate"], "key_fate"),
    ...readWatchfulness(row["anomalies"]),
    inferenceRecording: oneOf<Environment["inferenceRecording"]>({
      fail_closed: true,
      fail_open_with_gap_record: true,
    })(row["inference_recording"], "inference_recording"),
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
    toJson(trafficOf(value)),
    toJson(value.guard),
    toJson(value.keyLife),
    value.networks && toJson(value.networks),
    toJson(value.require),
    toJson(value.requireFor),
    value.pathSecrets,
    toJson(value.tokens),
    toJson(value.keyFate),
    toJson(watchfulnessOf(value)),
    value.inferenceRecording,
  ];
}

export function readRole(row: SqlRow): Role {
  return read("role", row["name"], () => ({
    name: text(row["name"], "name"),
    grants: json(listOf(grant))(row["grants"], "grants"),
    limits: json(limits)(row["limits"], "limits"),
    guard: json(guard)(row["guard"], "guard"),
    networks: networks(row["networks"], "networks"),
    require: json(demanded)(row["require"], "require"),
  }));
}

export function roleRow({ name, grants, limits: limited, guard: guarded, networks: from, require }: Role): SqlValue[] {
  return [name, toJson(grants), toJson(limited), toJson(guarded), from && toJson(from), toJson(require)];
}

export function readAssignment(row: SqlRow): Assignment {
  return read("assignment", row["id"], () => ({
    id: text(row["id"], "id"),
    subject: json(subject)(row["subject"], "subject"),
    environment: text(row["environment"], "environment"),
    right: json(right)(row["right"], "right"),
    source: oneOf<Assignment["source"]>({ policy: true, admin: true })(row["source"], "source"),
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
    state: oneOf<KeyRecord["state"]>({ active: true, suspended: true, revoked: true })(row["state"], "state"),
    reason: orNull(text)(row["reason"], "reason"),
    secrets: json(secrets)(row["secrets"], "secrets"),
    rotation: row["rotation"] === null ? null : json(rotation)(row["rotation"], "rotation"),
    rotatedAt: orNull(wholeNumber)(row["rotated_at"], "rotated_at"),
    frozenAt: orNull(wholeNumber)(row["frozen_at"], "frozen_at"),
    lifetimeMs: orNull(wholeNumber)(row["lifetime_ms"], "lifetime_ms"),
    told: json(listOf(text))(row["told"], "told"),
    idleSince: wholeNumber(row["idle_since"], "idle_since"),
    ceiling: json(right)(row["ceiling"], "ceiling"),
    limits: json(limits)(row["limits"], "limits"),
    admin: row["admin"] === null ? null : json(adminRight)(row["admin"], "admin"),
    createdAt: wholeNumber(row["created_at"], "created_at"),
    createdBy: text(row["created_by"], "created_by"),
    networks: networks(row["networks"], "networks"),
    binding: orNull(oneOf<NonNullable<KeyRecord["binding"]>>({ first_use: true }))(row["binding"], "binding"),
    require: json(demanded)(row["require"], "require"),
    signers: json(listOf(signer))(row["signers"], "signers"),
    pathSecret: row["path_secret"] === null ? null : json(pathSecret)(row["path_secret"], "path_secret"),
    workloads: json(listOf(workload))(row["workloads"], "workloads"),
    session: row["session"] === null ? null : json(session)(row["session"], "session"),
    isDecoy: flag(row["decoy"], "decoy"),
  }));
}

/** The columns of a key's access conditions, in the table's order. */
export function keyFactorsRow(value: KeyFactors): SqlValue[] {
  const { networks: from, binding, require, signers, pathSecret: path, workloads } = value;
  const texts = [toJson(require), toJson(signers), path && pathSecretText(path), toJson(workloads)];
  return [from && toJson(from), binding, ...texts];
}

function pathSecretText({ hash, pepperVersion, createdAt }: PathSecret): string {
  return toJson({ hash: Buffer.from(hash).toString("hex"), pepperVersion, createdAt });
}

export function keyRow(value: KeyRecord): SqlValue[] {
  const { environment, id, name, owner, state, reason, ceiling, limits: limited, admin, createdAt, createdBy } = value;
  const life = keyLifeRow(value);
  const admins = admin === null ? null : toJson(admin);
  return [
    environment,
    id,
    name,
    owner,
    state,
    reason,
    ...life,
    toJson(ceiling),
    toJson(limited),
    admins,
    createdAt,
    createdBy,
    ...keyFactorsRow(value),
    value.session && toJson(value.session),
    value.isDecoy ? 1 : 0,
  ];
}

/** The columns that rotation, notices and inactivity change, in the table's order. */
export function keyLifeRow(value: KeyLifeState): SqlValue[] {
  const { rotation: under, rotatedAt, frozenAt, lifetimeMs, idleSince } = value;
  const held = value.secrets.map((one) => ({ ...one, hash: Buffer.from(one.hash).toString("hex") }));
  return [toJson(held), under && toJson(under), rotatedAt, frozenAt, lifetimeMs, toJson(value.told), idleSince];
}

export function readTicket(row: SqlRow): TicketRecord {
  return read("ticket", `${String(row["environment"])}/${String(row["id"])}`, () => ({
    environment: text(row["environment"], "environment"),
    id: text(row["id"], "id"),
    keyId: text(row["key_id"], "key_id"),
    keyName: text(row["key_name"], "key_name"),
    purpose: oneOf<TicketRecord["purpose"]>({ create: true, rotate: true })(row["purpose"], "purpose"),
    sealed: orNull(text)(row["sealed"], "sealed"),
    recipient: orNull(text)(row["recipient"], "recipient"),
    proofHash: bytes32(row["proof_hash"], "proof_hash"),
    pepperVersion: wholeNumber(row["pepper_version"], "pepper_version"),
    networks: row["networks"] === null ? null : json(listOf(text))(row["networks"], "networks"),
    createdAt: wholeNumber(row["created_at"], "created_at"),
    createdBy: text(row["created_by"], "created_by"),
    expiresAt: wholeNumber(row["expires_at"], "expires_at"),
    openedAt: orNull(wholeNumber)(row["opened_at"], "opened_at"),
    openedBy: orNull(text)(row["opened_by"], "opened_by"),
  }));
}

export function ticketRow(value: TicketRecord): SqlValue[] {
  const { environment, id, keyId, keyName, purpose, sealed, recipient, proofHash, pepperVersion, networks } = value;
  const { createdAt, createdBy, expiresAt, openedAt, openedBy } = value;
  const places = networks && toJson(networks);
  const what = [environment, id, keyId, keyName, purpose, sealed, recipient, proofHash, pepperVersion, places];
  return [...what, createdAt, createdBy, expiresAt, openedAt, openedBy];
}

export function readKeyUse(row: SqlRow): KeyUse {
  return read("key_use", `${String(row["environment"])}/${String(row["id"])}`, () => ({
    environment: text(row["environment"], "environment"),
    id: text(row["id"], "id"),
    generation: wholeNumber(row["generation"], "generation"),
    address: text(row["address"], "address"),
    agent: text(row["agent"], "agent"),
    usedAt: wholeNumber(row["used_at"], "used_at"),
  }));
}

function toJson(value: unknown): string {
  return JSON.stringify(value);
}
