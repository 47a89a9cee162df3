/**
 * Users as SCIM has them (RFC 7643, 4.1), over `scimmy`: its schema, its coercion and its PATCH. Vendor-specific forms
 * are normalized before they get there, and what is not understood completely is rejected.
 */
import SCIMMY from "scimmy";
import type { Principal, ScimEmail, ScimRecord } from "../access/policy.ts";
import { ScimRefused } from "./scim-refused.ts";
import { membersOf, readActive, readName, readPatch, readText, refusePrototypes, valueOf } from "./scim-values.ts";
import type { Members, PatchStep } from "./scim-values.ts";

export const USER_SCHEMA = "urn:ietf:params:scim:schemas:core:2.0:User";
const ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
const PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

/** What is kept of a user; `isActive` undefined: nothing was said. */
export interface UserWish extends Omit<ScimRecord, "isDeleted"> {
  readonly isActive: boolean | undefined;
}

/**
 * What is stored in addition to `id`; every other attribute of the schema is accepted and dropped, as RFC 7644 (3.3)
 * allows.
 */
const KEPT = ["username", "externalid", "displayname", "name", "active", "emails"];
const READ_ONLY = ["schemas", "meta", "groups"];
const EMAILS_MAX = 16;

/** The body of a POST or a PUT. */
export function readUser(body: unknown): UserWish {
  refusePrototypes(body);
  const user = membersOf(body, "the user");
  const schemas = valueOf(user, "schemas");
  if (!Array.isArray(schemas) || !schemas.includes(USER_SCHEMA))
    throw new ScimRefused("invalidSyntax", `schemas does not name ${USER_SCHEMA}`);
  const kept: Record<string, unknown> = { schemas: [USER_SCHEMA] };
  for (const name of Object.keys(user)) {
    const value = valueOf(user, name);
    const lower = name.toLowerCase();
    if (!KEPT.includes(lower) || value === undefined) continue;
    kept[name] = lower === "active" ? readActive(value) : value;
  }
  return wishOf(coerced(kept));
}

/** What the user would be after the PATCH. */
export async function patchUser(present: Principal, body: unknown, base: string): Promise<UserWish> {
  const types = new Set(present.external?.scim?.emails.map(({ type }) => type));
  const steps = readPatch(body, USER_SCHEMA).flatMap((step) => spelled(step, present, types));
  if (steps.length === 0) return wishOf(coerced(showUser(present, [], base)));
  const source = coerced(showUser(present, [], base));
  const Operations = steps.map(({ op, path, value }) => ({
    op,
    ...(path === null ? {} : { path }),
    ...(value === undefined ? {} : { value }),
  }));
  const patched = await ofScimmy(() => new SCIMMY.Messages.PatchOp({ schemas: [PATCH], Operations }).apply(source));
  return wishOf((patched ?? source) as unknown as Members);
}

export function showUser(
  { id, isDisabled, createdAt, external }: Principal,
  groups: readonly { readonly id: string; readonly name: string }[],
  base: string,
): Members {
  const scim = external?.scim;
  return {
    schemas: [USER_SCHEMA],
    id,
    ...(scim?.externalId ? { externalId: scim.externalId } : {}),
    userName: scim?.userName ?? "",
    ...(scim?.displayName ? { displayName: scim.displayName } : {}),
    active: !isDisabled,
    emails: (scim?.emails ?? []).map(({ value, type, isPrimary }) => ({
      value,
      ...(type === null ? {} : { type }),
      ...(isPrimary ? { primary: true } : {}),
    })),
    groups: groups.map((group) => ({
      value: group.id,
      display: group.name,
      $ref: `${base}/Groups/${group.id}`,
      type: "direct",
    })),
    meta: {
      resourceType: "User",
      created: new Date(createdAt).toISOString(),
      lastModified: new Date(external?.changedAt ?? createdAt).toISOString(),
      location: `${base}/Users/${id}`,
    },
  };
}

const PATH =
  /^([A-Za-z][A-Za-z0-9]*)(?:\[\s*(type|primary|value)\s+eq\s+(?:"([^"\\]{1,256})"|(true))\s*\])?(?:\.([A-Za-z]+))?$/;

/** One operation as the library is to have it: none for what is not kept. `types`: of the addresses there are by then. */
function spelled(step: PatchStep, present: Principal, types: Set<string | null>): readonly PatchStep[] {
  if (step.path === null) {
    const members = membersOf(step.value, "a value without a path");
    return Object.keys(members).flatMap((path) => {
      const value = valueOf(members, path);
      if (path === "id") {
        if (value !== present.id) throw new ScimRefused("mutability", "id cannot be changed");
        return [];
      }
      return value === undefined ? [] : spelled({ op: step.op, path, value }, present, types);
    });
  }
  if (step.path.startsWith(ENTERPRISE)) return [];
  const parts = PATH.exec(step.path);
  const attribute = parts?.[1]?.toLowerCase() ?? "";
  if (!parts || !isKnown(attribute)) throw new ScimRefused("invalidPath", "the path is no attribute of a user");
  if (READ_ONLY.includes(attribute)) {
    if (attribute === "groups") throw new ScimRefused("mutability", "groups are changed at the group");
    return [];
  }
  if (attribute === "id") throw new ScimRefused("mutability", "id cannot be changed");
  if (!KEPT.includes(attribute)) return [];
  const [, , filtered, text, , sub] = parts;
  if (attribute === "active") {
    if (sub !== undefined || filtered !== undefined) throw new ScimRefused("invalidPath", "active has no parts");
    if (step.op === "remove") throw new ScimRefused("invalidValue", "active cannot be removed");
    return [{ ...step, path: "active", value: readActive(step.value) }];
  }
  if (attribute !== "emails") {
    if (filtered !== undefined) throw new ScimRefused("invalidPath", `${attribute} is one value and has no filter`);
    return [step];
  }
  // Entra ID sets the address of a type whether or not there is one of it.
  const isSet = step.op !== "remove" && filtered?.toLowerCase() === "type" && sub?.toLowerCase() === "value";
  if (isSet && text !== undefined && !types.has(text)) {
    types.add(text);
    return [{ op: "add", path: "emails", value: [{ type: text, value: step.value }] }];
  }
  if (step.op === "remove" && filtered === undefined && sub === undefined && step.value !== undefined)
    throw new ScimRefused("invalidPath", "addresses are removed by a filter, or all of them");
  return [step];
}

function isKnown(attribute: string): boolean {
  return SCIMMY.Schemas.User.definition.attributes.some(({ name }) => name.toLowerCase() === attribute);
}

function coerced(user: Members): InstanceType<typeof SCIMMY.Schemas.User> {
  try {
    return new SCIMMY.Schemas.User(structuredClone(user));
  } catch (cause) {
    throw refusedBy(cause);
  }
}

async function ofScimmy<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    throw refusedBy(cause);
  }
}

const TYPES = ["invalidSyntax", "invalidPath", "noTarget", "invalidValue", "mutability"] as const;

/** The library's errors keep their code; other exceptions concern the value it was given. */
function refusedBy(cause: unknown): ScimRefused {
  const { scimType } = cause as { scimType?: unknown };
  const type = TYPES.find((one) => one === scimType) ?? "invalidValue";
  return new ScimRefused(
    type,
    type === "noTarget" ? "the filter matches nothing" : "a value is not what the schema says",
  );
}

function wishOf(user: object): UserWish {
  const members = user as Members;
  const name = valueOf(members, "name");
  const externalId = valueOf(members, "externalId");
  const active = valueOf(members, "active");
  const displayName = valueOf(members, "displayName") ?? (name === undefined ? undefined : fullName(name as Members));
  return {
    userName: readName(valueOf(members, "userName"), "userName"),
    externalId: externalId === undefined ? null : readText(externalId, "externalId"),
    displayName: displayName === undefined ? null : readText(displayName, "displayName"),
    emails: emailsOf(valueOf(members, "emails") ?? []),
    isActive: active === undefined ? undefined : readActive(active),
  };
}

function fullName(name: Members): string | undefined {
  const parts = ["givenName", "familyName"]
    .map((part) => valueOf(name, part))
    .filter((part) => typeof part === "string");
  const formatted = valueOf(name, "formatted");
  return typeof formatted === "string" ? formatted : parts.join(" ") || undefined;
}

function emailsOf(value: unknown): readonly ScimEmail[] {
  const list: readonly unknown[] = Array.isArray(value) ? value : [];
  if (list.length > EMAILS_MAX) throw new ScimRefused("tooMany", `more than ${EMAILS_MAX} addresses`);
  return list
    .map((one) => membersOf(one, "an address"))
    .filter((one) => valueOf(one, "value") !== undefined)
    .map((one) => ({
      value: readText(valueOf(one, "value"), "emails.value"),
      type: valueOf(one, "type") === undefined ? null : readText(valueOf(one, "type"), "emails.type"),
      isPrimary: valueOf(one, "primary") === true,
    }));
}
