/** What can be done to policy, and the record each operation leaves. A put takes the whole record. */
import type { Assignment, DirectoryGroup, Environment, Principal, Role } from "./policy.ts";

export type PolicyOperation =
  | { readonly op: "environment.put"; readonly environment: Environment }
  | { readonly op: "environment.remove"; readonly name: string }
  | { readonly op: "role.put"; readonly role: Role }
  | { readonly op: "role.remove"; readonly name: string }
  | { readonly op: "principal.put"; readonly principal: Principal }
  | { readonly op: "group.put"; readonly group: DirectoryGroup }
  | { readonly op: "group.remove"; readonly id: string }
  | { readonly op: "assignment.put"; readonly assignment: Assignment }
  | { readonly op: "assignment.remove"; readonly id: string };

/** A record of policy as it is now; null where it is gone. `id` is its name where it has no id. */
export type PolicyImage =
  | { readonly of: "environment"; readonly id: string; readonly now: Environment | null }
  | { readonly of: "role"; readonly id: string; readonly now: Role | null }
  | { readonly of: "principal"; readonly id: string; readonly now: Principal }
  | { readonly of: "group"; readonly id: string; readonly now: DirectoryGroup | null }
  | { readonly of: "assignment"; readonly id: string; readonly now: Assignment | null };
