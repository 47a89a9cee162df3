// A data directory as a large company's: keys that each have a service and an assignment of their own, people whom a
// directory provisioned, roles, and the records of all that. Written straight into the database, then bound as the gateway
// binds its rows: a hundred thousand keys made by calls would take longer than everything that is measured.
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { encodeEvent } from "../packages/ledger/dist/index.js";
import { environmentDefaults } from "../packages/sallyport/dist/access/default-environment.js";
import { systemClock } from "../packages/sallyport/dist/kernel/clock.js";
import { newKey } from "../packages/sallyport/dist/keys/key.js";
import { bindDatabase } from "../packages/sallyport/dist/store/state/bind-database.js";
import { initDataDirectory } from "../packages/sallyport/dist/store/directory/data-directory.js";
import { dataPaths } from "../packages/sallyport/dist/store/disk/data-paths.js";
import { openSealer } from "../packages/sallyport/dist/store/secrets/open-sealer.js";
import { openStore } from "../packages/sallyport/dist/store/directory/open-store.js";
import { makeApplyOperation } from "../packages/sallyport/dist/store/state/operations.js";
import { openSigningKey } from "../packages/sallyport/dist/store/secrets/signing-key.js";
import { openDatabase } from "../packages/sallyport/dist/store/disk/sqlite.js";

const DAY_MS = 86_400_000;
const RECORDS_AT_ONCE = 1_000;
const LEDGER = {
  retentionDays: 365,
  retentionBytes: 10 * 2 ** 30,
  requestDays: 90,
  reserveBytes: 16 * 2 ** 20,
  personalDays: 90,
  securityPersonalDays: 365,
};

const idOf = (prefix, n, length = 14) => prefix + n.toString(36).padStart(length - prefix.length, "0");
export const personName = (n) => `u${n}`;
export const roleName = (n) => `r${n}`;
export const groupName = (n) => `team-${n}`;
export const keyId = (n) => idOf("", n, 12);
export const personId = (n) => idOf("p_1", n);

/** Each person in one of so many groups. */
export const GROUPS = 100;

function environment(name, url) {
  return { ...environmentDefaults, name, upstreams: [{ id: "u1", url }] };
}

function role(n) {
  return {
    name: roleName(n),
    grants: [{ permissions: ["infer:chat", "infer:embed"], models: [`model-${n}`] }],
    limits: {},
    guard: {},
    networks: null,
    require: [],
  };
}

function principal(id, kind, name, now) {
  const own = { id, kind, name, team: null, groups: [], isDisabled: false, disabledBy: [], revocations: 0 };
  return { ...own, external: null, createdAt: now };
}

function person(n, now) {
  const name = personName(n);
  const group = groupName(n % GROUPS);
  const scim = {
    userName: name,
    externalId: `ext-${n}`,
    displayName: `Person ${n}`,
    emails: [{ value: `${name}@example.org`, type: "work", isPrimary: true }],
    isDeleted: false,
  };
  const external = { identities: [], scim, groups: [group], heard: { events: [], times: [] }, changedAt: now };
  return { ...principal(personId(n), "person", name, now), groups: [group], external };
}

/** A key without an owner, as `keys create` makes it: the key, its service and the service's assignment. */
function* keyOperations(n, isExpired, now) {
  const owner = idOf("p_2", n);
  const right = { roles: [roleName(0)], allow: [], models: ["model-0"] };
  const createdAt = isExpired ? now - 120 * DAY_MS : now;
  yield { op: "principal.put", principal: principal(owner, "service", `app ${n}`, createdAt) };
  const assignment = { id: idOf("a_2", n), subject: { principal: owner }, environment: "dev", right };
  yield { op: "assignment.put", assignment: { ...assignment, source: "admin" } };
  const what = { id: keyId(n), environment: "dev", name: `app ${n}`, owner, ceiling: right, limits: {}, admin: null };
  const secret = { hash: randomBytes(32), pepperVersion: 1, expiresAt: createdAt + 80 * DAY_MS };
  yield { op: "key.insert", key: newKey({ ...what, createdAt, createdBy: "os:bench" }, secret) };
}

/** The operations of everything; `expired` of the keys are long over and wait for the sweep. */
function* operations({ url, keys, people, roles, expired }, now) {
  for (const name of ["dev", "prod"]) yield { op: "environment.put", environment: environment(name, url) };
  for (let n = 0; n < roles; n++) yield { op: "role.put", role: role(n) };
  for (let n = 0; n < GROUPS; n++) {
    const group = { id: idOf("g_", n), name: groupName(n), externalId: null };
    yield { op: "group.put", group: { ...group, createdAt: now, changedAt: now } };
  }
  for (let n = 0; n < people; n++) {
    yield { op: "principal.put", principal: person(n, now) };
    const right = { roles: [roleName(n % roles)], allow: [], models: null };
    const assignment = { id: idOf("a_1", n), subject: { principal: personId(n) }, environment: "dev" };
    yield { op: "assignment.put", assignment: { ...assignment, right, source: "policy" } };
  }
  for (let n = 0; n < keys; n++) yield* keyOperations(n, n < expired, now);
}

/** The policy file of these roles and people; `moved` of the people have another role than the database gives them. */
export function policyText({ url, people, roles, moved = 0 }) {
  const lines = ["environments:"];
  for (const name of ["dev", "prod"]) lines.push(`  ${name}: {upstreams: [{url: "${url}"}]}`);
  lines.push("roles:");
  for (let n = 0; n < roles; n++)
    lines.push(`  ${roleName(n)}: {allow: [{do: [infer:chat, infer:embed], on: [model-${n}]}]}`);
  lines.push("assign:");
  for (let n = 0; n < people; n++)
    lines.push(`- {principal: ${personName(n)}, role: ${roleName((n + (n < moved ? 1 : 0)) % roles)}, in: [dev]}`);
  return `${lines.join("\n")}\n`;
}

/** Makes the data directory. `records` more records are appended to its audit log. */
export async function seed(directory, what) {
  const now = Date.now();
  initDataDirectory(directory);
  const paths = dataPaths(directory);
  const database = openDatabase(join(directory, "sallyport.db"), { isReadOnly: false });
  const apply = makeApplyOperation(database);
  database.exec("BEGIN IMMEDIATE");
  for (const operation of operations(what, now)) apply(operation);
  bindDatabase(database, openSigningKey(paths, openSealer(directory)));
  database.exec("COMMIT");
  database.close();
  if (what.records > 0) await appendRecords(directory, what, now);
}

async function appendRecords(directory, { records, keys }, now) {
  const store = await openStore({ directory, clock: systemClock, ledger: LEDGER });
  for (let n = 0; n < records; n++) {
    const fields = { key: keyId(n % Math.max(1, keys)), name: `app ${n}`, owner: null, reason: "bench" };
    const ticket = store.append(
      encodeEvent({ type: "key.notice", at: now, environment: "dev", actor: "gateway", fields }),
    );
    if (n % RECORDS_AT_ONCE === 0) await new Promise((resolve) => store.whenDurable(ticket, resolve));
  }
  await store.close();
}
