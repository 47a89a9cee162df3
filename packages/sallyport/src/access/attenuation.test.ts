import { describe, expect, it } from "vitest";
import { roleOf } from "../../../../test/builders.ts";
import { excessAdminRight, excessEnvironments, excessGrants, excessLifetime, excessRight } from "./attenuation.ts";
import { builtInRoles } from "./built-in-roles.ts";
import { everything } from "./everything.ts";
import type { AdminRight, RightSpec, Role } from "./policy.ts";

const roles = new Map<string, Role>([
  ...builtInRoles.map((role) => [role.name, role] as const),
  ["wide", roleOf("wide", [{ permissions: ["infer:chat"], models: ["*"] }])],
  ["narrow", roleOf("narrow", [{ permissions: ["infer:chat"], models: ["llama3.2"] }])],
]);

const deputy: AdminRight = {
  permissions: ["keys:read", "keys:issue"],
  environments: ["dev"],
  mayGrant: { allow: ["infer:chat", "models:list"], models: ["llama3.2:*", "library/qwen3"] },
};

function spec(part: Partial<RightSpec>): RightSpec {
  return { roles: [], allow: [], models: [], ...part };
}

describe("a right that is issued stays within may-grant", () => {
  it.each([
    ["held permission on a held model", spec({ allow: ["infer:chat"], models: ["llama3.2"] })],
    ["narrower selector", spec({ allow: ["infer:chat"], models: ["llama3.2:1b", "qwen3"] })],
    ["permission without model", spec({ allow: ["models:list"] })],
    ["role whose permissions are held", spec({ roles: ["chatbot"], models: ["llama3.2"] })],
    ["role with its own selectors, which are held", spec({ roles: ["narrow"], models: null })],
    ["nothing", spec({})],
  ])("%s", (_name, right) => {
    expect(excessRight(deputy, right, roles, [])).toEqual([]);
  });

  it.each([
    ["permission", spec({ allow: ["models:pull"], models: ["llama3.2"] }), /models:pull/],
    ["permission of a role", spec({ roles: ["embedder"], models: ["llama3.2"] }), /infer:embed.*role embedder/],
    ["one permission of many in a role", spec({ roles: ["cli"], models: ["llama3.2"] }), /infer:generate/],
    ["selector", spec({ allow: ["infer:chat"], models: ["mistral"] }), /mistral/],
    ["wider selector", spec({ allow: ["infer:chat"], models: ["library/*"] }), /library/],
    ["every model", spec({ allow: ["infer:chat"], models: ["*"] }), /model \*/],
    ["cloud model", spec({ allow: ["infer:chat"], models: ["cloud:*"] }), /cloud/],
    ["text that is no selector", spec({ allow: ["infer:chat"], models: ["a b"] }), /a b/],
    ["selectors of a role, where the right has none", spec({ roles: ["wide"], models: null }), /role wide/],
    [
      "own selectors beside narrow ones of a role, which is live",
      spec({ roles: ["narrow"], models: ["*"] }),
      /model \*/,
    ],
    ["role that is not known", spec({ roles: ["gone"] }), /gone/],
  ])("refuses a %s beyond it", (_name, right, says) => {
    expect(excessRight(deputy, right, roles, []).join("; ")).toMatch(says);
  });

  it("may grant nothing with null, everything with *", () => {
    const asked = spec({ allow: ["infer:chat"], models: ["*"] });
    expect(excessRight({ ...deputy, mayGrant: null }, asked, roles, [])).toHaveLength(2);
    expect(excessRight(everything, asked, roles, [])).toEqual([]);
  });

  it("bounds the grants of a role that is written", () => {
    expect(excessGrants(deputy, "r", [{ permissions: ["infer:chat"], models: null }])).toEqual([]);
    expect(excessGrants(deputy, "r", [{ permissions: ["infer:chat"], models: ["*"] }])).toHaveLength(1);
    expect(excessGrants(deputy, "r", [{ permissions: ["debug:render"], models: ["llama3.2"] }])).toHaveLength(1);
  });
});

describe("environments and lifetime", () => {
  it("names each environment that is not administered, once", () => {
    expect(excessEnvironments(deputy, ["dev", "prod", "prod", "system"])).toHaveLength(2);
    expect(excessEnvironments(everything, ["dev", "prod", "system"])).toEqual([]);
  });

  it("lets nothing outlive its issuer", () => {
    expect(excessLifetime(null, null)).toEqual([]);
    expect(excessLifetime(1_000, 1_000)).toEqual([]);
    expect(excessLifetime(1_000, 1_001)).toHaveLength(1);
    expect(excessLifetime(1_000, null)).toHaveLength(1);
  });
});

describe("an admin key stays within its issuer", () => {
  it.each([
    ["itself", deputy],
    ["less of everything", { permissions: [], environments: [], mayGrant: null }],
    ["a narrower may-grant", { ...deputy, mayGrant: { allow: ["infer:chat"], models: ["llama3.2:1b"] } }],
  ] as [string, AdminRight][])("allows %s", (_name, asked) => {
    expect(excessAdminRight(deputy, asked)).toEqual([]);
  });

  it.each([
    ["permissions", { ...deputy, permissions: ["admin:manage"] }],
    ["an environment", { ...deputy, environments: ["dev", "prod"] }],
    ["all environments", { ...deputy, environments: "*" }],
    ["everything to grant", { ...deputy, mayGrant: "*" }],
    ["another permission to grant", { ...deputy, mayGrant: { allow: ["models:delete"], models: [] } }],
    ["another model to grant", { ...deputy, mayGrant: { allow: [], models: ["*"] } }],
  ] as [string, AdminRight][])("refuses more %s", (_name, asked) => {
    expect(excessAdminRight(deputy, asked)).toHaveLength(1);
  });
});

describe("the size of a context", () => {
  const bounded: AdminRight = {
    permissions: ["keys:issue"],
    environments: ["dev"],
    mayGrant: { allow: ["infer:generate"], models: ["*"], guard: { contextTokens: 4_096 } },
  };
  const role = (contextTokens?: number) =>
    new Map<string, Role>([
      [
        "r",
        roleOf("r", [{ permissions: ["infer:generate"], models: ["*"] }], {
          guard: contextTokens === undefined ? {} : { contextTokens },
        }),
      ],
    ]);
  const environment = (contextTokens?: number) => [
    { limits: {}, guard: contextTokens === undefined ? {} : { contextTokens } },
  ];
  const byRole = spec({ roles: ["r"], models: ["*"] });
  const single = spec({ allow: ["infer:generate"], models: ["*"] });

  it.each([
    ["a role's guard within the scope", byRole, role(4_096), environment()],
    ["no guard anywhere: a request may set no size", byRole, role(), environment()],
    ["single permissions and no guard anywhere", single, role(), environment()],
    ["an environment that bounds it", byRole, role(9_999_999), environment(4_096)],
  ])("%s is the issuer's to grant", (_, right, roles, bounds) => {
    expect(excessRight(bounded, right, roles, bounds)).toEqual([]);
  });

  it.each([
    ["a role's larger guard", byRole, role(9_999_999), environment()],
    ["a role without a guard, in an environment with a larger one", byRole, role(), environment(8_192)],
    ["single permissions, in an environment with a larger one", single, role(), environment(8_192)],
  ])("%s is not", (_, right, roles, bounds) => {
    expect(excessRight(bounded, right, roles, bounds)).toEqual([
      "guard.contextTokens: more than is the issuer's to grant",
    ]);
  });

  it("binds the scope of an admin key that is issued", () => {
    const asked = (contextTokens?: number): AdminRight => ({
      ...bounded,
      mayGrant: {
        allow: ["infer:generate"],
        models: ["*"],
        ...(contextTokens === undefined ? {} : { guard: { contextTokens } }),
      },
    });
    expect(excessAdminRight(bounded, asked(2_048))).toEqual([]);
    for (const more of [asked(8_192), asked()])
      expect(excessAdminRight(bounded, more)).toEqual(["guard.contextTokens: more than is the issuer's to grant"]);
  });
});
