/**
 * Users, as a provisioning client creates, changes and ends them (RFC 7644, 3). DELETE only deactivates the user,
 * because audit records still refer to it.
 */
import { isDisabledIn } from "../../access/holding.ts";
import { newPrincipal } from "../../access/new-principal.ts";
import type { DirectoryGroup, External, Principal, Voucher } from "../../access/policy.ts";
import type { LedgerEvent } from "../../audit/event.ts";
import { emptyExternal } from "../../identity/apply-statement.ts";
import { readFilter } from "../../identity/scim-filter.ts";
import type { Equality } from "../../identity/scim-filter.ts";
import { ScimRefused } from "../../identity/scim-refused.ts";
import { patchUser, readUser, showUser } from "../../identity/scim-user.ts";
import type { UserWish } from "../../identity/scim-user.ts";
import type { Members } from "../../identity/scim-values.ts";
import type { Said } from "../../identity/statement.ts";
import { LongWork } from "../../kernel/long-work.ts";
import { eventOf, refuseExcess } from "../call.ts";
import { callersVoucher, excessHoldings, isWhollyYours, reachOf, withinOf } from "../caller-scope.ts";
import {
  areApart,
  byClient,
  demandIdentifier,
  demandMatch,
  demandReach,
  excessOfIdentifier,
  excessOfWriter,
  findProvisioned,
  isProvisioned,
  pageOf,
  SCIM_BASE,
  withVersion,
} from "./scim-call.ts";
import type { ScimAnswer, ScimCall } from "./scim-call.ts";

const FILTERED = [
  "username",
  "externalid",
  "id",
  "displayname",
  "emails",
  "emails.value",
  'emails[type eq "work"].value',
];

export async function answerUsers(call: ScimCall): Promise<ScimAnswer> {
  const { method, id } = call;
  if (id === null) {
    if (method === "GET") return listUsers(call);
    return createUser(call, readUser(await call.body()));
  }
  if (method === "GET") return { status: 200, body: show(call, findProvisioned(call, id)) };
  if (method === "DELETE") return endUser(call, id);
  const body = await call.body();
  return call.ports.changes.inTurn(async () => {
    const present = findProvisioned(call, id);
    demandMatch(call, show(call, present));
    const wish = method === "PUT" ? readUser(body) : await patchUser(present, body, SCIM_BASE);
    await save(call, present, wish);
    return { status: 200, body: show(call, findProvisioned(call, id)) };
  });
}

function show(call: ScimCall, person: Principal): Members {
  return showWith(call, person, [...call.ports.snapshot().groups.values()]);
}

/** `all`: every group, or at least those the person is in. */
function showWith(call: ScimCall, person: Principal, all: readonly DirectoryGroup[]): Members {
  const names = new Set(person.external?.groups);
  const groups = all.filter(({ name }) => names.has(name));
  const within = withinOf(call);
  // For a client of some environments, a user is active who may act in one of them.
  const isActive = !person.isDisabled && !(within?.every((name) => isDisabledIn(person, name)) ?? false);
  return withVersion(showUser({ ...person, isDisabled: !isActive }, groups, SCIM_BASE));
}

async function listUsers(call: ScimCall): Promise<ScimAnswer> {
  const filter = call.query.get("filter");
  const equalities = filter === null ? [] : readFilter(filter, FILTERED);
  const work = new LongWork();
  const { principals, groups } = call.ports.snapshot();
  const found = await work.filter(
    principals.values(),
    (person) => isProvisioned(person) && equalities.every((one) => isEqual(person, one)),
  );
  const all = [...groups.values()];
  return pageOf(found, call, (person) => showWith(call, person, all), work);
}

/** `userName` and addresses in any case (RFC 7643, 4.1); ids exactly. */
function isEqual({ id, external }: Principal, { attribute, value }: Equality): boolean {
  const scim = external?.scim;
  if (attribute === "id") return id === value;
  if (attribute === "externalid") return scim?.externalId === value;
  if (attribute === "username") return same(scim?.userName, value);
  if (attribute === "displayname") return same(scim?.displayName, value);
  return (
    scim?.emails.some((one) => same(one.value, value) && (!attribute.includes("[") || one.type === "work")) === true
  );
}

function same(a: string | null | undefined, b: string): boolean {
  return a?.toLowerCase() === b.toLowerCase();
}

function createUser(call: ScimCall, wish: UserWish): Promise<ScimAnswer> {
  return call.ports.changes.inTurn(async () => {
    const { ports } = call;
    refuseTaken(call, wish, null);
    // The same immutable id is the same user returning: the record continues, revoked keys stay revoked.
    const same = wish.externalId === null ? [] : ports.snapshot().principals.called("external_id", wish.externalId);
    const back = same.find(({ external }) => external?.scim?.isDeleted === true);
    if (back) {
      await save(call, back, { ...wish, isActive: wish.isActive ?? true });
      return { status: 201, body: show(call, findProvisioned(call, back.id)) };
    }
    const now = ports.clock.now();
    const external: External = { ...emptyExternal(now), scim: recordOf(wish) };
    const bounds = { identifier: callersVoucher(call) };
    const made = newPrincipal({ kind: "person", name: wish.userName, createdAt: now, external, bounds });
    const principal: Principal = wish.isActive === false ? { ...made, isDisabled: true, disabledBy: ["scim"] } : made;
    await ports.changes.change({
      operations: [{ op: "principal.put", principal }],
      events: [told(call, "person.provisioned", principal, { is_active: !principal.isDisabled })],
    });
    return { status: 201, body: show(call, principal) };
  });
}

/** What is said of the person goes through the reconciler; what it is called is only written down. */
async function save(call: ScimCall, present: Principal, wish: UserWish): Promise<void> {
  const { ports } = call;
  demandReach(call, present);
  refuseTaken(call, wish, present.id);
  const now = ports.clock.now();
  const record = recordOf(wish);
  const held = present.external ?? emptyExternal(now);
  const writer = writerOf(call, present, record);
  const isSame =
    JSON.stringify(held.scim) === JSON.stringify(record) &&
    JSON.stringify(present.bounds?.identifier) === JSON.stringify(writer);
  if (isRewritten(held.scim, record)) demandIdentifier(call, present);
  const person: Principal = isSame
    ? present
    : {
        ...present,
        name: wish.userName,
        external: { ...held, scim: record, changedAt: now },
        bounds: { ...present.bounds, identifier: writer },
      };
  const says: Said = wish.isActive === undefined ? {} : { isActive: wish.isActive };
  const principals = ports.snapshot().principals.with([[person.id, person]]);
  const statement = {
    ...byClient(call, `Users/${present.id}`),
    ...activityScope(call, present, wish.isActive),
    subject: { principal: present.id },
    says,
  };
  await ports.reconciler.write(ports.reconciler.judge([statement], principals), {
    operations: isSame ? [] : [{ op: "principal.put", principal: person }],
    events: isSame ? [] : [told(call, "person.changed", person, {})],
  });
}

/** Another id, name or address by which the person is found or logs in. */
function isRewritten(held: External["scim"], { externalId, userName, emails }: NonNullable<External["scim"]>): boolean {
  if (held === null) return true;
  const addresses = (list: typeof emails): string => JSON.stringify(list.map(({ value }) => value).toSorted());
  return (
    held.isDeleted ||
    held.externalId !== externalId ||
    held.userName !== userName ||
    addresses(held.emails) !== addresses(emails)
  );
}

/** The writer of the ids vouches for them until another one writes others, or the same with a scope as wide. */
function writerOf(call: ScimCall, { external, bounds }: Principal, next: NonNullable<External["scim"]>): Voucher {
  const held = external?.scim;
  const isKept =
    held && bounds?.identifier && !isRewritten(held, next) && excessOfWriter(call, bounds.identifier).length > 0;
  return (isKept ? bounds?.identifier : undefined) ?? callersVoucher(call);
}

/** A client that administers some environments stops the person there, and takes back only what was said for these. */
function activityScope(call: ScimCall, present: Principal, isActive: boolean | undefined) {
  const within = withinOf(call);
  const isBack = isActive === true && (present.disabledBy.includes("scim") || present.bounds?.disabledIn !== undefined);
  if (isBack && callersVoucher(call).agentOf === undefined) refuseExcess(excessHoldings(call, present, within));
  return within === undefined ? {} : { within };
}

function endUser(call: ScimCall, id: string): Promise<ScimAnswer> {
  return call.ports.changes.inTurn(async () => {
    const { ports } = call;
    const present = findProvisioned(call, id);
    demandMatch(call, show(call, present));
    demandReach(call, present);
    const held = present.external ?? emptyExternal(ports.clock.now());
    // What other clients wrote and gave is theirs to take: then the record stays, and is inactive here.
    const isWhole = isWhollyYours(call, reachOf(call, present)) && excessOfIdentifier(call, present).length === 0;
    const scim = held.scim && { ...held.scim, isDeleted: isWhole };
    const gone: Principal = { ...present, external: { ...held, scim, changedAt: ports.clock.now() } };
    const says: Said = { isActive: false, groups: { remove: held.groups } };
    const statement = {
      ...byClient(call, `Users/${id}`),
      ...activityScope(call, present, false),
      subject: { principal: id },
      says,
    };
    const principals = ports.snapshot().principals.with([[id, gone]]);
    await ports.reconciler.write(ports.reconciler.judge([statement], principals), {
      operations: [{ op: "principal.put", principal: gone }],
      events: [told(call, "person.changed", gone, { is_deleted: isWhole })],
    });
    return { status: 204, body: null };
  });
}

/**
 * `userName` and `externalId` belong to one user. A name that was created here is taken, too: no user is taken over by
 * name. Two clients that speak for different environments do not affect each other.
 */
function refuseTaken(call: ScimCall, { userName, externalId }: UserWish, own: string | null): void {
  const within = withinOf(call);
  const { principals } = call.ports.snapshot();
  const alike = [
    ...principals.called("name", userName),
    ...principals.called("user_name", userName),
    ...(externalId === null ? [] : principals.called("external_id", externalId)),
  ];
  for (const { id, kind, name, external, bounds } of alike) {
    if (id === own || kind !== "person" || external?.scim?.isDeleted) continue;
    // A log-in by name has to be of one person: who has one is not renamed to a name that is taken, by whomever.
    const isLocal = own !== null && call.ports.localLogins.of(own) !== undefined;
    if (!isLocal && areApart(within, bounds?.identifier)) continue;
    if (same(name, userName) || same(external?.scim?.userName, userName))
      throw new ScimRefused("uniqueness", "there is a person of that userName", 409);
    if (externalId !== null && external?.scim?.externalId === externalId)
      throw new ScimRefused("uniqueness", "there is a person of that externalId", 409);
  }
}

function recordOf({ userName, externalId, displayName, emails }: UserWish): NonNullable<External["scim"]> {
  return { userName, externalId, displayName, emails, isDeleted: false };
}

function told(
  call: ScimCall,
  type: "person.provisioned" | "person.changed",
  { id, name, external }: Principal,
  fields: LedgerEvent["fields"],
): LedgerEvent {
  const { source, event } = byClient(call, `Users/${id}`);
  const externalId = external?.scim?.externalId ?? null;
  return eventOf(call, type, "system", {
    principal: id,
    name,
    external_id: externalId,
    ...fields,
    source,
    source_event: event,
  });
}
