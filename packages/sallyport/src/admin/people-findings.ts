/**
 * Findings about how users are identified: log-ins that await confirmation, ids that do not count, identities that
 * meet.
 */
import { holdingsOf, vouchesFor } from "../access/holding.ts";
import { findingOf } from "../access/posture/posture-finding.ts";
import type { PostureFinding } from "../access/posture/posture-finding.ts";
import type { Principal } from "../access/policy.ts";
import type { Snapshot } from "../access/snapshot.ts";
import type { LongWork } from "../kernel/long-work.ts";

const SYSTEM = "system";

export async function peopleFindings(
  isShown: (environment: string) => boolean,
  snapshot: Snapshot,
  work: LongWork,
): Promise<PostureFinding[]> {
  const people = await work.filter(snapshot.principals.values(), ({ kind }) => kind === "person");
  const found = await work.flatMap(people, (person) => [...suspended(person), ...notCounted(person, snapshot)]);
  return work.filter([...found, ...(await ambiguous(people, work))], ({ environment }) => isShown(environment));
}

function suspended({ id, name, bounds }: Principal): PostureFinding[] {
  if (!bounds?.localLogin?.suspendedAt) return [];
  return [
    findingOf("local_login_suspended", {
      state: "wrong",
      environment: SYSTEM,
      subject: `principal:${id}`,
      owner: name,
      since: bounds.localLogin.suspendedAt,
      says: `the local log-in of ${name} is suspended: the person's permissions have grown beyond the scope of ${bounds.localLogin.by}`,
      remedy: `sallyport people confirm ${id}, if that is right; else sallyport people uninvite ${id}`,
    }),
  ];
}

/** One finding an environment in which the person holds more than the writer of the id could hand out. */
function notCounted(person: Principal, snapshot: Snapshot): PostureFinding[] {
  const { id, external, bounds, name } = person;
  if (external?.scim?.isDeleted !== false || external.scim.externalId === null) return [];
  const voucher = bounds?.identifier;
  const beyond = holdingsOf(person, snapshot).filter(
    (assignment) => voucher === undefined || !vouchesFor(voucher, assignment, snapshot),
  );
  return [...new Set(beyond.map(({ environment }) => environment))].map((environment) =>
    findingOf("identifier_not_counted", {
      environment,
      subject: `principal:${id}`,
      owner: name,
      says: `the provisioned id of ${name} does not count in ${environment}: the person holds more there than ${voucher?.by ?? "its unknown writer"} could hand out`,
      remedy: `name the provisioning client as the provider's agent in the identity file, or sallyport people confirm ${id}`,
    }),
  );
}

/** Several people whom one subject of a provider could mean. They are never merged: a person has to decide. */
async function ambiguous(people: readonly Principal[], work: LongWork): Promise<PostureFinding[]> {
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
          findingOf("identity_ambiguous", {
            state: "wrong",
            environment: SYSTEM,
            subject: `identity:${subject.slice(0, 64)}`,
            says: `the subject ${subject.slice(0, 64)} could be any of ${[...names].join(", ")}: what takes something away reaches all of them`,
            remedy: "find out who it is, and disable the others: sallyport people disable ID",
          }),
        ],
  );
}
