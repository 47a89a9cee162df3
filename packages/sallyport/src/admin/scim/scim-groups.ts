/** Groups, as a provisioning client makes and fills them. Joining a group is being given what policy assigns to its name (R6). */
import { isUnbounded } from "../../access/holding.ts";
import type { DirectoryGroup, Principal } from "../../access/policy.ts";
import type { EventType, LedgerEvent } from "../../audit/event.ts";
import { GROUPS_MAX } from "../../identity/group-change.ts";
import { readFilter } from "../../identity/scim-filter.ts";
import type { Equality } from "../../identity/scim-filter.ts";
import { readGroup, readGroupPatch, showGroup } from "../../identity/scim-group.ts";
import type { GroupEdit } from "../../identity/scim-group.ts";
import { ScimRefused } from "../../identity/scim-refused.ts";
import type { Members } from "../../identity/scim-values.ts";
import type { GroupChange, Statement } from "../../identity/statement.ts";
import { randomBase62 } from "../../kernel/ids.ts";
import { LongWork } from "../../kernel/long-work.ts";
import { eventOf, refuseExcess } from "../call.ts";
import { callersVoucher, excessGroups, excessReach, groupReach, withinOf } from "../caller-scope.ts";
import {
  areApart,
  byClient,
  demandMatch,
  excessOfWriter,
  isProvisioned,
  pageOf,
  provisioned,
  SCIM_BASE,
  withVersion,
} from "./scim-call.ts";
import type { ScimAnswer, ScimCall } from "./scim-call.ts";

const FILTERED = ["displayname", "externalid", "id", "members", "members.value"];
const NONE: ReadonlySet<string> = new Set();

export async function answerGroups(call: ScimCall): Promise<ScimAnswer> {
  const { method, id } = call;
  if (id === null) {
    if (method === "GET") return listGroups(call);
    return createGroup(call, await call.body());
  }
  if (method === "GET") return { status: 200, body: await show(call, find(call, id)) };
  if (method === "DELETE") return endGroup(call, id);
  const body = await call.body();
  return call.ports.changes.inTurn(async () => {
    const present = find(call, id);
    demandMatch(call, await show(call, present));
    await save(call, present, method === "PUT" ? wholeEdit(body) : readGroupPatch(body, id), "group.changed");
    return method === "PATCH" ? { status: 204, body: null } : { status: 200, body: await show(call, find(call, id)) };
  });
}

function find(call: ScimCall, id: string): DirectoryGroup {
  const found = call.ports.snapshot().groups.get(id);
  if (!found) throw new ScimRefused(null, `there is no group ${id.slice(0, 64)}`, 404);
  return found;
}

interface Member {
  readonly id: string;
  readonly display: string;
}

/** The members of these groups, by the groups' names: all people are looked at one time, in slices. */
async function membersOfAll(
  call: ScimCall,
  groups: readonly Pick<DirectoryGroup, "name">[],
  work = new LongWork(),
): Promise<ReadonlyMap<string, readonly Member[]>> {
  const members = new Map<string, Member[]>(groups.map(({ name }) => [name, []]));
  await work.each(call.ports.snapshot().principals.values(), (person) => {
    if (!isProvisioned(person)) return;
    for (const name of new Set(person.external?.groups))
      if (members.has(name) && countsHere(call, person, name))
        members.get(name)?.push({ id: person.id, display: person.name });
  });
  return members;
}

async function membersOf(call: ScimCall, name: string): Promise<readonly Member[]> {
  return (await membersOfAll(call, [{ name }])).get(name) ?? [];
}

/** The membership counts in some environment the client administers. */
function countsHere(call: ScimCall, { bounds }: Principal, name: string): boolean {
  const within = withinOf(call);
  const vouchers = bounds?.memberships?.filter(({ group }) => group === name).map(({ voucher }) => voucher) ?? [];
  if (within === undefined || vouchers.length === 0) return true;
  return vouchers.some(({ environments }) => environments === "*" || environments.some((one) => within.includes(one)));
}

/** The client could have made the group, and all its memberships count in the client's environments alone: it may rename and end it. */
async function isGroupYours(call: ScimCall, { name, writer }: DirectoryGroup): Promise<boolean> {
  const within = withinOf(call);
  if (within === undefined) return true;
  if (!writer || excessOfWriter(call, writer).length > 0) return false;
  const people = await provisioned(call, new LongWork());
  return people
    .filter(({ groups }) => groups.includes(name))
    .every(({ bounds }) => {
      const held = bounds?.memberships?.filter(({ group }) => group === name) ?? [];
      return (
        held.length > 0 &&
        held.every(
          ({ voucher }) => voucher.environments !== "*" && voucher.environments.every((one) => within.includes(one)),
        )
      );
    });
}

async function show(call: ScimCall, group: DirectoryGroup): Promise<Members> {
  return showWith(group, areMembersShown(call) ? await membersOf(call, group.name) : undefined);
}

function showWith(group: DirectoryGroup, members: readonly Member[] | undefined): Members {
  return withVersion(showGroup(group, members && [...members], SCIM_BASE));
}

function areMembersShown({ query }: ScimCall): boolean {
  const names = (parameter: string): string[] | undefined =>
    query
      .get(parameter)
      ?.split(",")
      .map((name) => name.trim().toLowerCase());
  const wanted = names("attributes");
  if (names("excludedAttributes")?.includes("members")) return false;
  return wanted === undefined || wanted.some((name) => name.startsWith("members"));
}

async function listGroups(call: ScimCall): Promise<ScimAnswer> {
  const filter = call.query.get("filter");
  const equalities = filter === null ? [] : readFilter(filter, FILTERED);
  const work = new LongWork();
  const found = await work.filter(call.ports.snapshot().groups.values(), (group) =>
    equalities.every((one) => isEqual(call, group, one)),
  );
  const members = areMembersShown(call) ? await membersOfAll(call, found, work) : undefined;
  return pageOf(found, call, (group) => showWith(group, members?.get(group.name)), work);
}

function isEqual(call: ScimCall, { id, name, externalId }: DirectoryGroup, { attribute, value }: Equality): boolean {
  if (attribute === "id") return id === value;
  if (attribute === "externalid") return externalId === value;
  if (attribute === "displayname") return name.toLowerCase() === value.toLowerCase();
  const person = call.ports.snapshot().principals.get(value);
  return person !== undefined && isProvisioned(person) && person.external?.groups.includes(name) === true;
}

function wholeEdit(body: unknown): GroupEdit {
  const { displayName, externalId, members } = readGroup(body);
  return { displayName, externalId, set: new Set(members), add: NONE, remove: NONE };
}

function createGroup(call: ScimCall, body: unknown): Promise<ScimAnswer> {
  const edit = wholeEdit(body);
  return call.ports.changes.inTurn(async () => {
    const now = call.ports.clock.now();
    const group = {
      id: `g_${randomBase62(12)}`,
      name: edit.displayName ?? "",
      externalId: null,
      createdAt: now,
      changedAt: now,
      writer: callersVoucher(call),
    };
    await save(call, group, edit, "group.provisioned");
    return { status: 201, body: await show(call, find(call, group.id)) };
  });
}

async function save(
  call: ScimCall,
  present: DirectoryGroup,
  edit: GroupEdit,
  type: "group.provisioned" | "group.changed",
): Promise<void> {
  const { ports } = call;
  const isNew = type === "group.provisioned";
  const name = edit.displayName ?? present.name;
  const externalId = edit.externalId === undefined ? present.externalId : edit.externalId;
  const taken = [...ports.snapshot().groups.values()].some(
    (one) => one.id !== present.id && one.name === name && !areApart(withinOf(call), one.writer),
  );
  if (taken) throw new ScimRefused("uniqueness", "there is a group of that displayName", 409);
  const held = new Set(isNew ? [] : (await membersOf(call, present.name)).map(({ id }) => id));
  const wanted = wantedMembers(call, held, edit);
  const isRenamed = name !== present.name;
  const left = [...held].filter((id) => !wanted.has(id));
  const named = new Set([...(edit.set ?? []), ...edit.add]);
  const come = [...wanted].filter(
    (id) => isRenamed || !held.has(id) || (named.has(id) && isVouchedByOthers(call, id, name)),
  );
  if (come.length > 0) refuseExcess(excessGroups(call, [name]));
  if (left.length > 0 || isRenamed) refuseExcess(excessReach(call, groupReach(call, present.name)));
  if (isRenamed && !isNew && !(await isGroupYours(call, present)))
    refuseExcess([`the group ${present.name} has members of environments that are not the client's`]);
  const statements = [
    ...left.map((id) => said(call, present, id, { remove: [present.name] })),
    ...come.map((id) =>
      said(call, present, id, { add: [name], ...(isRenamed && !isNew ? { remove: [present.name] } : {}) }),
    ),
  ];
  const isChanged = isNew || isRenamed || externalId !== present.externalId;
  const group: DirectoryGroup = { ...present, name, externalId, changedAt: ports.clock.now() };
  const isAnything = isChanged || statements.length > 0;
  const fields = { members: wanted.size, ...(isRenamed ? { was: present.name } : {}) };
  await ports.reconciler.write(await ports.reconciler.judgeMany(statements), {
    operations: isAnything ? [{ op: "group.put", group }] : [],
    events: isAnything ? [told(call, type, group, fields)] : [],
  });
}

/** The membership counts by another writer's statement: naming the member again adds the client's. */
function isVouchedByOthers(call: ScimCall, id: string, name: string): boolean {
  const vouchers = call.ports.snapshot().principals.get(id)?.bounds?.memberships ?? [];
  const held = vouchers.filter(({ group }) => group === name).map(({ voucher }) => JSON.stringify(voucher));
  return held.length > 0 && !held.includes(JSON.stringify(callersVoucher(call)));
}

/** The members afterwards. An unknown member cannot be added; removing a missing one changes nothing. */
function wantedMembers(
  call: ScimCall,
  held: ReadonlySet<string>,
  { set, add, remove }: GroupEdit,
): ReadonlySet<string> {
  const wanted = new Set([...(set ?? held), ...add].filter((id) => !remove.has(id)));
  const { principals } = call.ports.snapshot();
  for (const id of wanted) {
    const person = principals.get(id);
    if (!person || !isProvisioned(person)) throw new ScimRefused("invalidValue", "a member is no user here");
    if (person.groups.length >= GROUPS_MAX)
      throw new ScimRefused("tooMany", `a user is in ${GROUPS_MAX} groups already`);
  }
  return wanted;
}

function endGroup(call: ScimCall, id: string): Promise<ScimAnswer> {
  return call.ports.changes.inTurn(async () => {
    const { ports } = call;
    const group = find(call, id);
    demandMatch(call, await show(call, group));
    refuseExcess(excessReach(call, groupReach(call, group.name)));
    const isYours = await isGroupYours(call, group);
    const statements = (await membersOf(call, group.name)).map((member) =>
      said(call, group, member.id, { remove: [group.name] }),
    );
    await ports.reconciler.write(await ports.reconciler.judgeMany(statements), {
      operations: isYours ? [{ op: "group.remove", id }] : [],
      events: [told(call, "group.removed", group, { members: statements.length })],
    });
    return { status: 204, body: null };
  });
}

function said(call: ScimCall, group: DirectoryGroup, principal: string, groups: GroupChange): Statement {
  const within = withinOf(call);
  const voucher = callersVoucher(call);
  return {
    ...byClient(call, `Groups/${group.id}`),
    subject: { principal },
    says: { groups },
    ...(within === undefined ? {} : { within }),
    ...(isUnbounded(voucher) ? {} : { voucher }),
  };
}

function told(call: ScimCall, type: EventType, group: DirectoryGroup, fields: LedgerEvent["fields"]): LedgerEvent {
  const { source, event } = byClient(call, `Groups/${group.id}`);
  return eventOf(call, type, "system", { group: group.id, name: group.name, ...fields, source, source_event: event });
}
