/** The roles that are always there. They name permissions only; the key's or the assignment's selectors name the models. */
import type { AdminPermission, DataPermission } from "@sallyport/protocol";
import type { Guard, Role } from "./policy.ts";

function role(name: string, permissions: readonly DataPermission[], guard: Guard = {}): Role {
  return { name, grants: [{ permissions, models: null }], limits: {}, guard, networks: null, require: [] };
}

/** What people set for tools that read whole files: a graphics card of 24 GB holds it beside most models. */
const CLI_CONTEXT_TOKENS = 32_768;

export const builtInRoles: readonly Role[] = [
  role("chatbot", ["infer:chat"]),
  // What `ollama run` needs (reference: HEAD /, show, generate, load, chat) and the listings the CLI offers.
  role(
    "cli",
    [
      "server:health",
      "server:status",
      "models:list",
      "models:show",
      "runtime:ps",
      "runtime:load",
      "infer:chat",
      "infer:generate",
      "infer:embed",
    ],
    { contextTokens: CLI_CONTEXT_TOKENS },
  ),
  role("embedder", ["infer:embed"]),
  role("analytics", ["server:health", "models:list", "runtime:ps", "usage:read"]),
  role("operator", [
    "server:health",
    "server:status",
    "models:list",
    "models:show",
    "models:show-private",
    "models:pull",
    "models:create",
    "models:copy",
    "models:delete",
    "blobs:write",
    "blobs:probe",
    "runtime:ps",
    "runtime:load",
    "runtime:unload",
    "runtime:pin",
  ]),
];

const reading: readonly AdminPermission[] = [
  "keys:read",
  "principals:read",
  "policy:read",
  "audit:read",
  "status:read",
  "reviews:read",
];

/** Roles of administration, for admin keys. */
export const adminRoles: Readonly<Record<string, readonly AdminPermission[]>> = {
  viewer: reading,
  issuer: [...reading, "keys:issue", "keys:manage"],
  // What a directory's provisioning client (SCIM) needs, and nothing else.
  provisioner: ["principals:read", "principals:manage"],
  // Takes away what a review is about, and can hand out nothing.
  "access-reviewer": [...reading, "reviews:decide"],
  admin: [
    ...reading,
    "keys:issue",
    "keys:manage",
    "principals:manage",
    "policy:write",
    "reviews:decide",
    "reviews:manage",
    "admin:manage",
  ],
};

/** Names that policy may not define again. */
export function isBuiltInRole(name: string): boolean {
  return builtInRoles.some((role) => role.name === name) || Object.hasOwn(adminRoles, name);
}
