/** Rows of people and services, and the values they stand for, both ways. */
import { budgetNames, isDataPermission, priorities, thinkLevels } from "@sallyport/protocol";
import type { DirectoryGroup, Guard, Principal, Source } from "../../access/policy.ts";
import { readRow as read } from "../disk/damaged-record.ts";
import {
  amongst,
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
import type { SqlRow, SqlValue } from "../disk/sqlite.ts";

export const dataPermission = textThat(isDataPermission, "a permission of the data plane");
const budget = object({ amount: number, windowMs: number });
/** Members of stored limits; each is optional. */
export const limitMembers = {
  requests: object({ count: number, windowMs: number }),
  concurrency: number,
  tokens: budget,
  inputTokens: budget,
  outputTokens: budget,
  compute: budget,
  images: budget,
  bytes: budget,
  soft: listOf(amongst(budgetNames)),
  weight: number,
  maxServiceMs: number,
  priority: amongst(priorities),
};
export const limits = object({}, limitMembers);
/** A member for each guard: one that is missing does not compile. */
const guardMembers: { readonly [Name in keyof Required<Guard>]: Shape<NonNullable<Guard[Name]>> } = {
  outputTokens: number,
  images: number,
  contextTokens: number,
  messages: number,
  tools: number,
  schemaBytes: number,
  think: amongst(thinkLevels),
  topLogprobs: number,
};
export const guard: Shape<Guard> = object({}, guardMembers);
export const mayGrant = object({ allow: listOf(dataPermission), models: listOf(text) }, { limits, guard });

const source = oneOf<Source>({ admin: true, scim: true, caep: true, logout: true, directory: true, login: true });
const voucherMembers = { by: text, environments: orText("*", listOf(text)), mayGrant: orText("*", orNull(mayGrant)) };
export const voucher = object(voucherMembers, { agentOf: text });
const bounds = object(
  {},
  {
    disabledIn: listOf(object({ source, environments: listOf(text) })),
    memberships: listOf(object({ group: text, voucher })),
    identifier: voucher,
    localLogin: object({ ...voucherMembers, suspendedAt: orNull(wholeNumber) }, { agentOf: text }),
  },
);
const external = object({
  identities: listOf(object({ issuer: text, subject: text })),
  scim: orNull(
    object({
      userName: text,
      externalId: orNull(text),
      displayName: orNull(text),
      emails: listOf(object({ value: text, type: orNull(text), isPrimary: yesNo })),
      isDeleted: yesNo,
    }),
  ),
  groups: listOf(text),
  heard: object({
    events: listOf(text),
    times: listOf(object({ by: text, active: wholeNumber, groups: wholeNumber })),
  }),
  changedAt: wholeNumber,
});

/** The column `external`: how directories know the principal, and with it what holds in some environments only. */
const outside: Shape<Pick<Principal, "external" | "bounds">> = (value, where) => {
  if (typeof value !== "object" || value === null) throw new Misshapen(where, "an object");
  const { bounds: held, ...rest } = value as { readonly bounds?: unknown };
  return {
    external: Object.keys(rest).length === 0 ? null : external(rest, where),
    ...(held === undefined ? {} : { bounds: bounds(held, `${where}.bounds`) }),
  };
};

export function readPrincipal(row: SqlRow): Principal {
  return read("principal", row["id"], () => ({
    id: text(row["id"], "id"),
    kind: oneOf<Principal["kind"]>({ person: true, service: true })(row["kind"], "kind"),
    name: text(row["name"], "name"),
    team: orNull(text)(row["team"], "team"),
    groups: json(listOf(text))(row["groups"], "groups"),
    isDisabled: flag(row["is_disabled"], "is_disabled"),
    createdAt: wholeNumber(row["created_at"], "created_at"),
    disabledBy: json(listOf(source))(row["disabled_by"], "disabled_by"),
    revocations: wholeNumber(row["revocations"], "revocations"),
    ...(row["external"] === null ? { external: null } : json(outside)(row["external"], "external")),
  }));
}

export function principalRow(value: Principal): SqlValue[] {
  const {
    id,
    kind,
    name,
    team,
    groups,
    isDisabled,
    createdAt,
    disabledBy,
    revocations,
    external: known,
    bounds: held,
  } = value;
  const own = [id, kind, name, team, JSON.stringify(groups), isDisabled ? 1 : 0, createdAt];
  const beyond =
    known === null && held === undefined ? null : JSON.stringify({ ...known, ...(held && { bounds: held }) });
  return [...own, JSON.stringify(disabledBy), revocations, beyond];
}

/** The column `external_id` of a group: its id as text if its writer is unknown, otherwise with the writer. */
const groupOrigin = object({ externalId: orNull(text), writer: voucher });

function originOf(column: unknown): Pick<DirectoryGroup, "externalId" | "writer"> {
  if (typeof column !== "string" || !column.startsWith(ORIGIN))
    return { externalId: orNull(text)(column, "external_id") };
  return json(groupOrigin)(column, "external_id");
}

const ORIGIN = '{"externalId":';

export function readDirectoryGroup(row: SqlRow): DirectoryGroup {
  return read("directory_group", row["id"], () => ({
    id: text(row["id"], "id"),
    name: text(row["name"], "name"),
    ...originOf(row["external_id"]),
    createdAt: wholeNumber(row["created_at"], "created_at"),
    changedAt: wholeNumber(row["changed_at"], "changed_at"),
  }));
}

export function directoryGroupRow({ id, name, externalId, createdAt, changedAt, writer }: DirectoryGroup): SqlValue[] {
  return [id, name, writer ? JSON.stringify({ externalId, writer }) : externalId, createdAt, changedAt];
}
