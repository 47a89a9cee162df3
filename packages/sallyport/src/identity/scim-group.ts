/**
 * Groups as SCIM has them (RFC 7643, 4.2). A change of members is read as a change, not as a list to compare: a group may
 * have thousands of members, and a list that was read too early would take back what came in between.
 */
import type { DirectoryGroup } from "../access/policy.ts";
import { ScimRefused } from "./scim-refused.ts";
import { membersOf, readName, readPatch, readText, refusePrototypes, valueOf } from "./scim-values.ts";
import type { Members, PatchStep } from "./scim-values.ts";

export const GROUP_SCHEMA = "urn:ietf:params:scim:schemas:core:2.0:Group";

export interface GroupEdit {
  readonly displayName?: string;
  readonly externalId?: string | null;
  /** All members from now on; then `add` and `remove`, which have no member in common. */
  readonly set: ReadonlySet<string> | null;
  readonly add: ReadonlySet<string>;
  readonly remove: ReadonlySet<string>;
}

const MEMBERS_MAX = 10_000;
const ID = /^[0-9A-Za-z_-]{1,64}$/;
const ONE_MEMBER = /^members\[\s*value\s+eq\s+"([0-9A-Za-z_-]{1,64})"\s*\]$/i;

/** The body of a POST or a PUT. Omitted members mean an empty group. */
export function readGroup(body: unknown): {
  displayName: string;
  externalId: string | null;
  members: readonly string[];
} {
  refusePrototypes(body);
  const group = membersOf(body, "the group");
  const schemas = valueOf(group, "schemas");
  if (!Array.isArray(schemas) || !schemas.includes(GROUP_SCHEMA))
    throw new ScimRefused("invalidSyntax", `schemas does not name ${GROUP_SCHEMA}`);
  const externalId = valueOf(group, "externalId");
  const members = valueOf(group, "members");
  return {
    displayName: readName(valueOf(group, "displayName"), "displayName"),
    externalId: externalId === undefined ? null : readText(externalId, "externalId"),
    members: members === undefined ? [] : readMembers(members),
  };
}

/** `id`: of the group that is patched; Okta sends it along. */
export function readGroupPatch(body: unknown, id: string): GroupEdit {
  const draft = new Draft();
  for (const step of readPatch(body, GROUP_SCHEMA)) {
    if (step.path === null) for (const [name, value] of entries(step)) edit(draft, { ...step, path: name, value }, id);
    else edit(draft, step, id);
  }
  return draft;
}

function entries({ value }: PatchStep): [string, unknown][] {
  const members = membersOf(value, "a value without a path");
  // Two spellings of one name are two orders.
  for (const name of Object.keys(members)) valueOf(members, name);
  return Object.entries(members);
}

class Draft implements GroupEdit {
  displayName?: string;
  externalId?: string | null;
  set: Set<string> | null = null;
  readonly add = new Set<string>();
  readonly remove = new Set<string>();

  join(ids: readonly string[]): void {
    for (const id of ids) {
      this.remove.delete(id);
      this.add.add(id);
    }
  }

  leave(ids: readonly string[]): void {
    for (const id of ids) {
      this.add.delete(id);
      this.remove.add(id);
    }
  }

  begin(ids: readonly string[]): void {
    this.set = new Set(ids);
    this.add.clear();
    this.remove.clear();
  }
}

function edit(draft: Draft, { op, path, value }: PatchStep, id: string): void {
  const one = ONE_MEMBER.exec(path ?? "");
  if (one) {
    if (op !== "remove") throw new ScimRefused("invalidPath", "a member that is named by a filter can only be removed");
    draft.leave([one[1] ?? ""]);
    return;
  }
  switch (path?.toLowerCase()) {
    case "members":
      if (op === "add") draft.join(readMembers(value));
      else if (op === "replace") draft.begin(readMembers(value));
      // Entra ID lists whom it removes beside the path; without a list all are meant (RFC 7644, 3.5.2.2).
      else if (value === undefined) draft.begin([]);
      else draft.leave(readMembers(value));
      return;
    case "displayname":
      if (op === "remove") throw new ScimRefused("mutability", "displayName cannot be removed");
      draft.displayName = readName(value, "displayName");
      return;
    case "externalid":
      draft.externalId = op === "remove" ? null : readText(value, "externalId");
      return;
    case "id":
      if (value !== id) throw new ScimRefused("mutability", "id cannot be changed");
      return;
    case "schemas":
    case "meta":
      return;
    default:
      throw new ScimRefused(
        "invalidPath",
        "the path must be one of displayName, externalId, members and members[value eq …]",
      );
  }
}

function readMembers(value: unknown): readonly string[] {
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  if (list.length > MEMBERS_MAX) throw new ScimRefused("tooMany", `more than ${MEMBERS_MAX} members`);
  return list.map((member) => {
    const id = valueOf(membersOf(member, "a member"), "value");
    if (typeof id !== "string" || !ID.test(id)) throw new ScimRefused("invalidValue", "a member's value is not an id");
    const type = valueOf(member as Members, "type");
    if (type !== undefined && type !== "User")
      throw new ScimRefused("invalidValue", "a member is a User; groups in groups are not kept");
    return id;
  });
}

export interface GroupMember {
  readonly id: string;
  readonly display: string;
}

/** `members` undefined: they were not asked for. */
export function showGroup(group: DirectoryGroup, members: readonly GroupMember[] | undefined, base: string): Members {
  return {
    schemas: [GROUP_SCHEMA],
    id: group.id,
    ...(group.externalId === null ? {} : { externalId: group.externalId }),
    displayName: group.name,
    ...(members === undefined
      ? {}
      : {
          members: members.map(({ id, display }) => ({
            value: id,
            display,
            type: "User",
            $ref: `${base}/Users/${id}`,
          })),
        }),
    meta: {
      resourceType: "Group",
      created: new Date(group.createdAt).toISOString(),
      lastModified: new Date(group.changedAt).toISOString(),
      location: `${base}/Groups/${group.id}`,
    },
  };
}
