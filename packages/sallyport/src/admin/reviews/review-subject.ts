/** What gives a right in an environment, as a review's entry: read from present policy and keys. */
import { SYSTEM_REALM } from "@sallyport/protocol";
import { administers } from "../../access/attenuation.ts";
import { grantedBy } from "../../access/granted-access.ts";
import type { GrantedAccess } from "../../access/granted-access.ts";
import { holdingsOf, isDisabledIn } from "../../access/holding.ts";
import type { Assignment, Principal } from "../../access/policy.ts";
import { expiryOf } from "../../keys/key.ts";
import type { KeyRecord } from "../../keys/key.ts";
import { entryHashOf } from "../../reviews/population.ts";
import type { PopulationEntry, SubjectKind } from "../../reviews/review.ts";
import type { AdminPorts } from "../ports.ts";

export type FoundSubject =
  | { readonly kind: "key" | "admin_key"; readonly key: KeyRecord }
  | { readonly kind: "assignment"; readonly assignment: Assignment }
  | { readonly kind: "service"; readonly service: Principal };

type SubjectPorts = Pick<AdminPorts, "keys" | "snapshot" | "clock">;

/** `key:ID` in its parts. */
export function partsOf(subject: string): { readonly kind: SubjectKind; readonly id: string } {
  const colon = subject.indexOf(":");
  return { kind: subject.slice(0, colon) as SubjectKind, id: subject.slice(colon + 1) };
}

/** Undefined for what no longer gives a right: revoked, removed, or of another environment. */
export function findSubject(
  { keys, snapshot }: SubjectPorts,
  environment: string,
  subject: string,
): FoundSubject | undefined {
  const { kind, id } = partsOf(subject);
  switch (kind) {
    case "key": {
      const key = keys.find(environment, id);
      return key && key.state !== "revoked" ? { kind, key } : undefined;
    }
    case "admin_key": {
      const key = keys.find(SYSTEM_REALM, id);
      return key?.admin && key.state !== "revoked" && administers(key.admin, environment) ? { kind, key } : undefined;
    }
    case "assignment": {
      const assignment = snapshot().assignments.get(id);
      return assignment?.environment === environment ? { kind, assignment } : undefined;
    }
    case "service": {
      const service = snapshot().principals.get(id);
      return service?.kind === "service" ? { kind, service } : undefined;
    }
  }
}

/** `issuer`: as the audit log says it; a key says it itself. */
export function entryOf(
  { snapshot, clock }: SubjectPorts,
  environment: string,
  found: FoundSubject,
  issuer: string | null,
): PopulationEntry {
  switch (found.kind) {
    case "key":
      return keyEntry(found.key, clock.now());
    case "admin_key": {
      const admin = found.key.admin!;
      const entry = keyEntry(found.key, clock.now());
      return {
        ...entry,
        subject: `admin_key:${found.key.id}`,
        models: null,
        permissions: [...admin.permissions].sort(),
        environments: admin.environments === "*" ? ["*"] : [...admin.environments].sort(),
        allow: admin.mayGrant === null ? [] : admin.mayGrant === "*" ? ["*"] : [...admin.mayGrant.allow].sort(),
      };
    }
    case "assignment": {
      const { id, subject, right, source } = found.assignment;
      const isGroup = "group" in subject;
      const holder = isGroup ? undefined : snapshot().principals.get(subject.principal);
      return {
        ...NOTHING,
        subject: `assignment:${id}`,
        name: isGroup ? `group ${subject.group}` : (holder?.name ?? subject.principal),
        owner: isGroup ? `group:${subject.group}` : subject.principal,
        issuer,
        state: source === "policy" ? "in the policy file" : "assigned",
        roles: [...right.roles].sort(),
        allow: [...right.allow].sort(),
        models: right.models && [...right.models].sort(),
      };
    }
    case "service": {
      const { id, name, groups } = found.service;
      return {
        ...NOTHING,
        subject: `service:${id}`,
        name,
        owner: id,
        issuer,
        state: isDisabledIn(found.service, environment) ? "disabled" : "active",
        roles: [...groups].sort().map((group) => `group ${group}`),
      };
    }
  }
}

const NOTHING = {
  roles: [],
  allow: [],
  models: null,
  permissions: [],
  environments: [],
  conditions: [],
} as const satisfies Partial<PopulationEntry>;

function keyEntry(key: KeyRecord, now: number): PopulationEntry {
  const { id, name, owner, createdBy, ceiling, networks, require } = key;
  const expiresAt = expiryOf(key);
  const isExpired = expiresAt !== null && expiresAt <= now;
  return {
    subject: `key:${id}`,
    name,
    owner,
    issuer: createdBy,
    state: key.state === "active" && isExpired ? "expired" : key.state,
    roles: [...ceiling.roles].sort(),
    allow: [...ceiling.allow].sort(),
    models: ceiling.models && [...ceiling.models].sort(),
    permissions: [],
    environments: [],
    conditions: [...(networks ?? []), ...require].sort(),
  };
}

/** The hash of the subject as it is; null = it is gone. */
export function presentHash(
  ports: SubjectPorts,
  environment: string,
  { subject, issuer }: Pick<PopulationEntry, "subject" | "issuer">,
): string | null {
  const found = findSubject(ports, environment, subject);
  return found ? entryHashOf(entryOf(ports, environment, found, issuer)) : null;
}

/** What it opens in the environment. */
export function grantsOf({ snapshot }: Pick<AdminPorts, "snapshot">, environment: string, found: FoundSubject) {
  const { roles } = snapshot();
  switch (found.kind) {
    case "key":
      return rightOf(found.key.ceiling);
    case "admin_key":
      return [];
    case "assignment":
      return grantedBy(found.assignment, roles);
    case "service":
      return holdingsOf(found.service, snapshot())
        .filter((assignment) => assignment.environment === environment)
        .flatMap((assignment) => grantedBy(assignment, roles));
  }

  function rightOf(right: KeyRecord["ceiling"]): GrantedAccess[] {
    return grantedBy({ id: "", subject: { principal: "" }, environment, right, source: "admin" }, roles);
  }
}
