/**
 * From a person who has logged in to his session: a key of his that lives for hours, with the widest ceiling, so that what
 * it may do is exactly what he may now. Made in the turn in which he is looked up: nobody's session begins in the moment he
 * is sent away.
 */
import { dataPermissions, refuse } from "@sallyport/protocol";
import type { Refusal } from "@sallyport/protocol";
import type { Environment, Principal, RightSpec } from "../../access/policy.ts";
import type { Snapshot } from "../../access/snapshot.ts";
import type { Operation } from "../../audit/change.ts";
import type { LedgerEvent } from "../../audit/event.ts";
import type { Clock } from "../../kernel/clock.ts";
import { randomBase62 } from "../../kernel/ids.ts";
import type { Secret } from "../../kernel/secret.ts";
import { issueKey } from "../../keys/issue.ts";
import type { PepperRing } from "../../keys/pepper.ts";
import { findPerson } from "../../identity/find-person.ts";
import { LOCAL_ISSUER } from "../../identity/local/proof.ts";
import type { LoggedIn } from "../../identity/oidc-client.ts";
import type { Reconciler } from "../../identity/reconciler.ts";

export interface SessionDeskPorts {
  readonly clock: Clock;
  readonly snapshot: () => Snapshot;
  readonly peppers: PepperRing;
  readonly reconciler: Reconciler;
  readonly inTurn: <T>(work: () => Promise<T>) => Promise<T>;
}

export interface OpenedSession {
  readonly person: Principal;
  readonly text: Secret;
}

export const SESSION_MS = 12 * 3_600_000;
const CEILING: RightSpec = {
  roles: [],
  // A session ends; it does not renew itself.
  allow: dataPermissions.filter((permission) => permission !== "self:rotate"),
  models: ["*", "cloud:*"],
};

export class SessionDesk {
  readonly #ports: SessionDeskPorts;

  constructor(ports: SessionDeskPorts) {
    this.#ports = ports;
  }

  /** `owner_disabled`, or `permission_denied` for who has no right there: he would have a session that opens nothing. */
  open(
    who: LoggedIn,
    environment: string,
    address: string,
    isStill: () => boolean = () => true,
  ): Promise<OpenedSession | Refusal> {
    const { clock, snapshot, reconciler, inTurn } = this.#ports;
    return inTurn(async () => {
      const now = clock.now();
      const present = snapshot();
      const policy = present.environments.get(environment);
      if (!policy) return refuse("environment_not_here");
      const { issuer, subject } = who;
      const isLocal = issuer === LOCAL_ISSUER;
      const known = findPerson(
        isLocal ? { principal: subject } : { issuer, subject, externalIds: true },
        present.principals,
      );
      // What he proved may have ended since: an invitation takes everything of the old away.
      if ((isLocal && !known) || !isStill()) return refuse("login_expired");
      const before = known ?? newPerson(who, now);
      const groups = who.groups === null ? {} : { groups: { set: who.groups } };
      const statement = {
        source: "login", by: who.issuer, actor: `principal:${before.id}`, event: `login ${randomBase62(12)}`, isOnce: false,
        at: null, subject: { principal: before.id }, says: groups,
      } as const; // prettier-ignore
      const principals = new Map(present.principals).set(before.id, before);
      const found = reconciler.judge([statement], principals);
      const person = personAfter(found.operations, before);
      const refusal = refuseSession(present, person, environment);
      if (refusal) {
        // What the provider said of him counts, whether or not he gets in: a lost group is lost everywhere.
        await reconciler.write(found);
        return refusal;
      }
      const isPut = found.operations.some((one) => one.op === "principal.put");
      const more = this.#session(person, { isNew: !known && !isPut, who, policy, address, now });
      await reconciler.write(found, more);
      return { person, text: more.text };
    });
  }

  #session(
    person: Principal,
    {
      isNew,
      who,
      policy,
      address,
      now,
    }: { isNew: boolean; who: LoggedIn; policy: Environment; address: string; now: number },
  ): { operations: Operation[]; events: LedgerEvent[]; text: Secret } {
    const environment = policy.name;
    const expiresAt = now + Math.min(SESSION_MS, policy.keyMaxAgeMs);
    const { issuer, subject, sid, authenticatedAt } = who;
    const issued = issueKey(
      {
        environment,
        name: `log-in of ${person.name}`.slice(0, 100),
        owner: person.id,
        ceiling: CEILING,
        limits: {},
        createdAt: now,
        createdBy: `principal:${person.id}`,
        expiresAt,
        session: { issuer, subject, sid, authenticatedAt },
      },
      this.#ports.peppers,
    );
    const method = issuer === LOCAL_ISSUER ? "password+otp" : "oidc";
    const fields = { key: issued.record.id, principal: person.id, issuer, method, address, expires_at: expiresAt };
    return {
      operations: [
        ...(isNew ? [{ op: "principal.put", principal: person } as const] : []),
        { op: "key.insert", key: issued.record },
      ],
      events: [{ type: "person.logged_in", at: now, environment, actor: `principal:${person.id}`, fields }],
      text: issued.text,
    };
  }
}

function newPerson(who: LoggedIn, now: number): Principal {
  return {
    id: `p_${randomBase62(12)}`,
    kind: "person",
    name: who.name,
    team: null,
    groups: [],
    isDisabled: false,
    disabledBy: [],
    revocations: 0,
    external: {
      identities: [{ issuer: who.issuer, subject: who.subject }],
      scim: null,
      groups: [],
      heard: { events: [], times: [] },
      changedAt: now,
    },
    createdAt: now,
  };
}

function personAfter(operations: readonly Operation[], before: Principal): Principal {
  const put = operations.find((one) => one.op === "principal.put" && one.principal.id === before.id);
  return put?.op === "principal.put" ? put.principal : before;
}

function refuseSession(present: Snapshot, person: Principal, environment: string): Refusal | undefined {
  if (person.isDisabled) return refuse("owner_disabled");
  return hasAnyRight(present, person, environment)
    ? undefined
    : refuse("permission_denied", `no role in ${environment}`);
}

function hasAnyRight({ assignments }: Snapshot, person: Principal, environment: string): boolean {
  return assignments.some(
    ({ subject, environment: where }) =>
      where === environment &&
      ("group" in subject ? person.groups.includes(subject.group) : subject.principal === person.id),
  );
}
