/** The unlimited right: of the recovery key and of the operating-system user on the gateway host. */
import { isAdminPermission, permissions } from "@sallyport/protocol";
import type { AdminRight } from "./policy.ts";

export const everything: AdminRight = {
  permissions: Object.keys(permissions).filter(isAdminPermission),
  environments: "*",
  mayGrant: "*",
};
