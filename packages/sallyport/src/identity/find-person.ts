/**
 * Which user a statement means: by ids that are never reassigned, never by a name; by an address only exactly. In doubt
 * nothing is opened, and every user who could be meant is stopped.
 */
import type { Principal } from "../access/policy.ts";
import type { Principals } from "../access/principals.ts";
import type { Subject } from "./statement.ts";

/** How a person is meant: by what the provider said at a log-in, by what a provisioning client wrote, or by our own id. */
export type MeantBy = "id" | "identity" | "external_id" | "email";

export interface Candidate {
  readonly person: Principal;
  readonly by: MeantBy;
}

/** Everyone who could be meant, those whom the provider itself named first. */
export function findCandidates(subject: Subject, principals: Pick<Principals, "get" | "called">): readonly Candidate[] {
  if ("principal" in subject) {
    const person = principals.get(subject.principal);
    return person ? [{ person, by: "id" }] : [];
  }
  const alike =
    "email" in subject
      ? principals.called("email", subject.email)
      : [
          ...principals.called("identity", subject.issuer, subject.subject),
          ...principals.called("external_id", subject.subject),
        ];
  const found: Candidate[] = [];
  for (const person of new Set(alike)) {
    const by = person.kind === "person" ? meantBy(subject, person) : undefined;
    if (by) found.push({ person, by });
  }
  return found.toSorted((a, b) => Number(b.by === "identity") - Number(a.by === "identity"));
}

/**
 * The one whom a statement may give something: the only one the provider has named at a log-in, else the only candidate.
 * Undefined on doubt.
 */
export function findMeant(candidates: readonly Candidate[]): Candidate | undefined {
  const named = candidates.filter(({ by }) => by === "identity" || by === "id");
  if (named.length > 0) return named.length === 1 ? named[0] : undefined;
  return candidates.length === 1 ? candidates[0] : undefined;
}

function meantBy(subject: Exclude<Subject, { principal: string }>, { external }: Principal): MeantBy | undefined {
  if (!external) return undefined;
  const { identities, scim } = external;
  if ("email" in subject)
    return scim !== null && !scim.isDeleted && scim.emails.some(({ value }) => value === subject.email)
      ? "email"
      : undefined;
  if (identities.some((one) => one.issuer === subject.issuer && one.subject === subject.subject)) return "identity";
  return subject.externalIds && scim !== null && scim.externalId === subject.subject ? "external_id" : undefined;
}
