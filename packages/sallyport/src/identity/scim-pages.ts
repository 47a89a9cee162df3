/** What this server says of itself to provisioning clients (RFC 7643, 5 to 7). */
import SCIMMY from "scimmy";
import { GROUP_SCHEMA } from "./scim-group.ts";
import type { Members } from "./scim-values.ts";
import { USER_SCHEMA } from "./scim-user.ts";

export const SCIM_PAGE_MAX = 200;

export function serviceProviderConfig(base: string): Members {
  return {
    schemas: ["urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"],
    patch: { supported: true },
    bulk: { supported: false, maxOperations: 0, maxPayloadSize: 0 },
    filter: { supported: true, maxResults: SCIM_PAGE_MAX },
    changePassword: { supported: false },
    sort: { supported: false },
    etag: { supported: true },
    authenticationSchemes: [
      {
        type: "oauthbearertoken",
        name: "admin key",
        description: "an admin key of the role provisioner, as a bearer token",
      },
    ],
    meta: { resourceType: "ServiceProviderConfig", location: `${base}/ServiceProviderConfig` },
  };
}

export function resourceTypes(base: string): readonly Members[] {
  return [
    ["User", USER_SCHEMA],
    ["Group", GROUP_SCHEMA],
  ].map(([name, schema]) => ({
    schemas: ["urn:ietf:params:scim:schemas:core:2.0:ResourceType"],
    id: name,
    name,
    endpoint: `/${name}s`,
    schema,
    meta: { resourceType: "ResourceType", location: `${base}/ResourceTypes/${name}` },
  }));
}

export function schemas(base: string): readonly Members[] {
  const { User, Group } = SCIMMY.Schemas;
  return [User, Group].map(({ definition }) => plain(definition.describe(`${base}/Schemas`)));
}

/** The library's descriptions are instances of its classes, which know how to serialize themselves. */
function plain(value: unknown): Members {
  return JSON.parse(JSON.stringify(value)) as Members;
}
