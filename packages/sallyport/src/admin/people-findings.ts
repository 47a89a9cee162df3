/**
 * Findings about how users are identified: log-ins that await confirmation, ids that do not count, identities that
 * meet.
 */
import { excessEnvironments } from "../access/attenuation.ts";
import { holdingsOf, vouchesFor } from "../access/holding.ts";
import type { Principal } from "../access/policy.ts";
import type { Snapshot } from "../access/snapshot.ts";
import type { LongWork } from "../kernel/long-work.ts";
import type { AnyCall } from "./call.ts";

interface PersonFinding {
  readonly code: "local_login_suspended" | "identifier_not_counted" | "identity_ambiguous";
  readonly state: "wrong" | "note";
  readonly environment: string;
  readonly says: string;
  readonly remedy: string;
}

const SYSTEM = "system";

export async function peopleFindings(call: AnyCall, snapshot: Snapshot, work: LongWork): Promise<PersonFinding[]> {
  const people = await work.filter(snapshot.principals.values(), ({ kind }) => kind === "person");
  const found = await work.flatMap(people, (person) => [...suspended(person), ...notCounted(person, snapshot)]);
  const isShown = ({ environment }: PersonFinding): boolean =>
    excessEnvironments(call.caller.issuer.right, [environment]).length === 0;
  return work.filter([...found, ...(await ambiguous(people, work))], isShown);
}

function suspended({ id, name, bounds }: Principal): PersonFinding[] {
  if (!bounds?.localLogin?.suspendedAt) return [];
  return [
    {
      code: "local_login_suspended",
      state: "wrong",
      environment: SYSTEM,
      says: `the local log-in of ${name} is suspended: the person's permissions have grown beyond the scope of ${bounds.localLogin.by}`,
      remedy: `sallyport people confirm ${id}, if that is right; else sallyport people uninvite ${id}`,
    },
  ];
}

/** One finding an environment in which the person holds more than the writer of the id could hand out. */
function notCounted(person: Principal, snapshot: Snapshot): PersonFinding[] {
  const { id, external, bounds, name } = person;
  if (external?.scim?.isDeleted !== false || external.scim.externalId === null) return [];
  const voucher = bounds?.identifier;
  const beyond = holdingsOf(person, snapshot).filter(
    (assignment) => voucher === undefined || !vouchesFor(voucher, assignment, snapshot),
  );
  return [...new Set(beyond.map(({ environment }) => environment))].map((environment) => ({
    code: "identifier_not_counted",
    state: "note",
    environment,
    says: `the provisioned id of ${name} does not count in ${environment}: the person holds more there than ${voucher?.by ?? "its unknown writer"} could hand out`,
    remedy: `name the provisioning client as the provider's agent in the identity file, or sallyport people confirm ${id}`,
  }));
}

/** Several people whom one subject of a provider could mean. They are never merged: a person has to decide. */
async function ambiguous(people: readonly Principal[], work: LongWork): Promise<PersonFinding[]> {
  const bySubject = new Map<string, Set<string>>();
  await work.each(people, ({ id, name, external }) => {
    const subjects = (external?.identities ?? []).map(({ subject }) => subject);
    if (external?.scim?.isDeleted === false && external.scim.externalId !== null)
      subjects.push(external.scim.externalId);
    for (const subject of subjects)
      bySubject.set(subject, (bySubject.get(subject) ?? new Set()).add(`${name} (${id})`));
  });
  return work.flatMap(bySubject, ([subject, names]) =>
    names.size < 2
      ? []
      : [
          {
            code: "identity_ambiguous" as const,
            state: "wrong" as const,
            environment: SYSTEM,
            says: `the subject ${subject.slice(0, 64)} could be any of ${[...names].join(", ")}: what takes something away reaches all of them`,
            remedy: "find out who it is, and disable the others: sallyport people disable ID",
          },
        ],
  );
}
