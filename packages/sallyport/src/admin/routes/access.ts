/** Who may do what: principals by their assignments, and admin keys. A page is some principals with all of their rows. */
import { matchesModel, parseModelName, parseSelector, SYSTEM_REALM } from "@sallyport/protocol";
import type { AccessView } from "@sallyport/contract";
import { administers } from "../../access/attenuation.ts";
import { grantedBy } from "../../access/granted-access.ts";
import { holdingsOf, isDisabledIn } from "../../access/holding.ts";
import type { Principal } from "../../access/policy.ts";
import { LongWork } from "../../kernel/long-work.ts";
import { expiryOf } from "../../keys/key.ts";
import { dayOf, OTHER_MODELS, USAGE_DAYS } from "../../usage/usage-row.ts";
import type { AnyCall, Handlers } from "../call.ts";
import { everyKey } from "../each-key.ts";
import { demandKnownEnvironment } from "../known-filter.ts";
import type { AdminPorts } from "../ports.ts";
import { isoTime } from "../views.ts";

const LIMIT_DEFAULT = 100;
/** Before the admin keys, which come after all principals. */
const ADMIN_KEYS = "admin-keys";
const PRINCIPAL = "principal:";

type IsShown = (environment: string) => boolean;

export const accessHandlers: Handlers<"access.list"> = {
  "access.list": async (call) => {
    const { environment, after = PRINCIPAL, limit = LIMIT_DEFAULT } = call.query;
    if (environment !== undefined) demandKnownEnvironment(call, environment);
    const isShown: IsShown = (name) =>
      (environment === undefined || name === environment) && administers(call.caller.issuer.right, name);
    if (after === ADMIN_KEYS) return { access: await adminKeyRows(call, environment, isShown), next: null };
    const { principals } = call.ports.snapshot();
    const page: Principal[] = [];
    for (const [, principal] of principals.after(after.slice(PRINCIPAL.length))) {
      page.push(principal);
      if (page.length === limit) break;
    }
    const grants = await grantRecords(call.ports);
    const access: AccessView[] = [];
    for (const principal of page) access.push(...(await principalRows(call.ports, principal, grants, isShown)));
    const last = page.at(-1);
    return { access, next: last && page.length === limit ? PRINCIPAL + last.id : ADMIN_KEYS };
  },
};

interface GrantRecord {
  readonly actor: string;
  readonly at: number;
}

const RECORDS = 1_000;
/** Older assignments have an unknown author. */
const READS_MAX = 20;

/** Who created each assignment, as far as the audit log says. */
async function grantRecords({ audit }: Pick<AdminPorts, "audit">): Promise<ReadonlyMap<string, GrantRecord>> {
  const found = new Map<string, GrantRecord>();
  let before: number | undefined;
  for (let reads = 0; reads < READS_MAX; reads++) {
    const filter = { type: "assignment.created", limit: RECORDS, order: "newest" } as const;
    const records = await audit.search(before === undefined ? filter : { ...filter, before });
    for (const { actor, at, fields } of records) {
      const id = fields["assignment"] ?? fields["name"];
      if (typeof id === "string" && !found.has(id)) found.set(id, { actor, at });
    }
    const last = records.at(-1);
    if (!last || records.length < RECORDS) break;
    before = last.seq;
  }
  return found;
}

async function principalRows(
  ports: AdminPorts,
  principal: Principal,
  grants: ReadonlyMap<string, GrantRecord>,
  isShown: IsShown,
): Promise<AccessView[]> {
  const snapshot = ports.snapshot();
  const held = holdingsOf(principal, snapshot).filter(
    ({ environment }) => isShown(environment) && !isDisabledIn(principal, environment),
  );
  if (held.length === 0) return [];
  const lastUse = await lastUses(ports, principal.id);
  return new LongWork().flatMap(held, (assignment) => {
    const record = grants.get(assignment.id);
    return grantedBy(assignment, snapshot.roles).map(({ permission, model, by }): AccessView => {
      const lastUsed = lastUse(assignment.environment, model);
      return {
        subject: PRINCIPAL + principal.id,
        name: principal.name,
        environment: assignment.environment,
        permission,
        model,
        by,
        grantedBy: record?.actor ?? null,
        since: record ? isoTime(record.at) : null,
        lastUsed: lastUsed === null ? null : isoTime(lastUsed),
      };
    });
  });
}

const USAGE_PAGE = 1_000;

/** When the principal's last admitted request for a model that the selector matches was counted. */
async function lastUses(
  { usage, clock }: Pick<AdminPorts, "usage" | "clock">,
  principal: string,
): Promise<(environment: string, selector: string | null) => number | null> {
  const to = dayOf(clock.now());
  const rows: { readonly environment: string; readonly model: string; readonly lastAt: number }[] = [];
  for (let after: string | undefined; ;) {
    const scope = { from: to - USAGE_DAYS + 1, to, principal, limit: USAGE_PAGE };
    const by = ["environment", "model"] as const;
    const page = await usage.report(after === undefined ? { ...scope, by } : { ...scope, by, after });
    for (const { environment = "", model = "", requests, lastAt } of page.rows)
      if (requests > 0) rows.push({ environment, model, lastAt });
    if (page.next === null) break;
    after = page.next;
  }
  return (environment, selector) => {
    const times = rows
      .filter((row) => row.environment === environment && isMatch(selector, row.model))
      .map(({ lastAt }) => lastAt);
    return times.length === 0 ? null : Math.max(...times);
  };
}

function isMatch(selectorText: string | null, model: string): boolean {
  if (selectorText === null) return model === "";
  const selector = parseSelector(selectorText);
  if (!selector) return false;
  // Models without a separate row can be any.
  if (model === OTHER_MODELS) return selector.model === null;
  const isCloud = model.startsWith("cloud:");
  const name = parseModelName(isCloud ? model.slice("cloud:".length) : model);
  return name !== undefined && matchesModel(selector, { ...name, source: isCloud ? "cloud" : "none" });
}

async function adminKeyRows(call: AnyCall, environment: string | undefined, isShown: IsShown): Promise<AccessView[]> {
  const { ports, caller } = call;
  // An administrator who may not list admin keys does not see them here.
  if (!caller.issuer.right.permissions.includes("admin:manage")) return [];
  const isAll = caller.issuer.right.environments === "*";
  const rows: AccessView[] = [];
  for await (const key of everyKey(ports, { environment: SYSTEM_REALM }, new LongWork())) {
    const expiresAt = expiryOf(key);
    if (!key.admin || key.state !== "active" || (expiresAt !== null && expiresAt <= ports.clock.now())) continue;
    const { environments, permissions } = key.admin;
    const shown = environments === "*" ? (isAll ? [environment ?? "*"] : []) : environments.filter(isShown);
    const last = Math.max(0, ...ports.uses.lastUses(SYSTEM_REALM, key.id).values());
    for (const name of shown)
      for (const permission of permissions)
        rows.push({
          subject: `key:${key.id}`,
          name: key.name,
          environment: name,
          permission,
          model: null,
          by: "admin key",
          grantedBy: key.createdBy,
          since: isoTime(key.createdAt),
          lastUsed: last === 0 ? null : isoTime(last),
        });
  }
  return rows;
}
