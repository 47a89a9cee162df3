/** A principal as it begins: enabled, and known here alone. */
import { randomBase62 } from "../kernel/ids.ts";
import type { Principal } from "./policy.ts";

export function newPrincipal(
  what: Pick<Principal, "kind" | "name" | "createdAt"> &
    Partial<Pick<Principal, "team" | "groups" | "external" | "bounds">>,
): Principal {
  return {
    team: null,
    groups: [],
    external: null,
    ...what,
    id: `p_${randomBase62(12)}`,
    isDisabled: false,
    disabledBy: [],
    revocations: 0,
  };
}
