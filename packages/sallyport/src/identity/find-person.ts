/** Whom a statement means: by ids that never come again, never by a name; by an address only exactly, and only of one person. */
import type { Principal } from "../access/policy.ts";
import type { Subject } from "./statement.ts";

/** Undefined for nobody, and for more than one: nothing is done on doubt. */
export function findPerson(subject: Subject, principals: ReadonlyMap<string, Principal>): Principal | undefined {
  if ("principal" in subject) return principals.get(subject.principal);
  const found = [...principals.values()].filter((one) => one.kind === "person" && isMeant(subject, one));
  return found.length === 1 ? found[0] : undefined;
}

function isMeant(subject: Exclude<Subject, { principal: string }>, { external }: Principal): boolean {
  if (!external) return false;
  const { identities, scim } = external;
  if ("email" in subject)
    return scim !== null && !scim.isDeleted && scim.emails.some(({ value }) => value === subject.email);
  if (identities.some((one) => one.issuer === subject.issuer && one.subject === subject.subject)) return true;
  return subject.externalIds && scim !== null && scim.externalId === subject.subject;
}
