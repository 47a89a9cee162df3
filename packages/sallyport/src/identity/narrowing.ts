/** What of a statement takes something away: that part reaches everyone who could be meant by it. */
import type { Principal } from "../access/policy.ts";
import type { GroupChange, Said, Statement } from "./statement.ts";

/** Undefined where nothing is taken away. */
export function narrowingOf(statement: Statement, person: Principal): Statement | undefined {
  const { isActive, groups, sessionsEnded, credentialsRevoked, risk } = statement.says;
  const taken = groups && takenGroups(groups, person);
  const says: Said = {
    ...(isActive === false ? { isActive } : {}),
    ...(taken && taken.length > 0 ? { groups: { remove: taken } } : {}),
    ...(sessionsEnded ? { sessionsEnded } : {}),
    ...(credentialsRevoked ? { credentialsRevoked } : {}),
    ...(risk === "high" ? { risk } : {}),
  };
  return Object.keys(says).length > 0 ? { ...statement, says } : undefined;
}

function takenGroups({ set, remove = [] }: GroupChange, { external }: Principal): readonly string[] {
  if (!set) return remove;
  return [...remove, ...(external?.groups ?? []).filter((group) => !set.includes(group))];
}
