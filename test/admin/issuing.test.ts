/** R6 over the API: what is issued, assigned or written stays within the issuer's right, in every dimension. */
import { beforeEach, describe, expect, it } from "vitest";
import { AdminClient } from "@sallyport/client";
import { parseKeyText, Problem } from "@sallyport/protocol";
import type { BodyInput } from "@sallyport/contract";
import { everything } from "../program-under-test.ts";
import type { AdminRight } from "../program-under-test.ts";
import { DAY_MS, MemoryGateway, POLICY, START_MS } from "./memory-ports.ts";

let gateway: MemoryGateway;
let root: AdminClient;

const issuer: AdminRight = {
  permissions: everything.permissions,
  environments: ["dev"],
  mayGrant: { allow: ["infer:chat", "models:list"], models: ["llama3.2:*"] },
};

beforeEach(async () => {
  gateway = new MemoryGateway();
  root = new AdminClient({ handle: (request) => gateway.app.handle(request, { kind: "socket", user: "root" }) });
  await root.call("policy.apply", { body: { text: POLICY } });
});

function clientOf(right: AdminRight, expiresAt: number | null = null): AdminClient {
  const key = gateway.adminKey(right, expiresAt);
  return new AdminClient({
    handle: (request) => {
      request.headers.set("x-api-key", key);
      return gateway.app.handle(request, { kind: "tcp" });
    },
  });
}

async function problemOf(work: Promise<unknown>): Promise<Problem> {
  try {
    await work;
  } catch (problem) {
    if (problem instanceof Problem) return problem;
    throw problem;
  }
  throw new Error("it was not refused");
}

const order: BodyInput<"keys.create"> = { environment: "dev", name: "k", allow: ["infer:chat"], models: ["llama3.2"] };

describe("keys.create", () => {
  it("makes a key, and without an owner a service with exactly its grant, in one change", async () => {
    const made = await clientOf(issuer).call("keys.create", {
      body: { ...order, ttl: "30d", limits: { requests: "60/min" } },
    });
    expect(parseKeyText(made.key!)).toEqual({ kind: "api", environment: "dev", id: made.id });
    expect(Date.parse(made.expiresAt)).toBe(START_MS + 30 * DAY_MS);
    expect(gateway.state.principals).toMatchObject([{ id: made.owner, kind: "service", name: "k" }]);
    expect(gateway.state.assignments.filter(({ source }) => source === "admin")).toMatchObject([
      {
        subject: { principal: made.owner },
        environment: "dev",
        right: { roles: [], allow: ["infer:chat"], models: ["llama3.2"] },
      },
    ]);
    expect(gateway.stored.get(`dev/${made.id}`)).toMatchObject({
      limits: { requests: { count: 60, windowMs: 60_000 } },
    });
    expect(gateway.events.slice(-3).map(({ type }) => type)).toEqual([
      "key.issued",
      "principal.created",
      "assignment.created",
    ]);
  });

  it("binds a key to an owner by id or unique name, and then makes nobody", async () => {
    const { id } = await root.call("principals.create", { body: { kind: "person", name: "anna" } });
    for (const owner of [id, "anna"]) {
      expect((await root.call("keys.create", { body: { ...order, owner } })).owner).toBe(id);
    }
    expect(gateway.state.principals).toHaveLength(1);
    expect(gateway.state.assignments.filter(({ source }) => source === "admin")).toEqual([]);
  });

  it("lives about as long as the environment allows, when nothing is said: not all keys of a day end on one", async () => {
    for (const [environment, days] of [
      ["dev", 90],
      ["prod", 30],
    ] as const) {
      const ends = new Set<number>();
      for (let i = 0; i < 20; i++) {
        const { expiresAt } = await root.call("keys.create", { body: { ...order, environment } });
        const lifeMs = Date.parse(expiresAt) - START_MS;
        expect(lifeMs).toBeLessThanOrEqual(days * DAY_MS);
        expect(lifeMs).toBeGreaterThan(0.95 * days * DAY_MS - 1);
        ends.add(lifeMs);
      }
      expect(ends.size).toBeGreaterThan(15);
    }
    const asked = await root.call("keys.create", { body: { ...order, ttl: "90d" } });
    expect(Date.parse(asked.expiresAt)).toBe(START_MS + 90 * DAY_MS);
  });

  it.each([
    ["dev", "91d"],
    ["prod", "31d"],
    ["prod", "2592001s"],
  ])("refuses more than the maximum of %s: %s, and does not clamp", async (environment, ttl) => {
    const { code } = await problemOf(root.call("keys.create", { body: { ...order, environment, ttl } }));
    expect(code).toBe("lifetime_exceeds_maximum");
    expect(gateway.stored.size).toBe(0);
  });

  it.each([
    ["a permission", { allow: ["infer:embed"] }],
    ["a role's permission", { roles: ["cli"] }],
    ["a wider selector", { models: ["*"] }],
    ["a cloud selector", { models: ["cloud:*"] }],
  ])("refuses %s beyond may-grant", async (_name, part) => {
    expect((await problemOf(clientOf(issuer).call("keys.create", { body: { ...order, ...part } }))).code).toBe(
      "grant_exceeds_issuer",
    );
    expect(gateway.stored.size).toBe(1);
  });

  it("refuses another environment", async () => {
    expect(
      (await problemOf(clientOf(issuer).call("keys.create", { body: { ...order, environment: "prod" } }))).code,
    ).toBe("permission_denied");
  });

  it("refuses a life beyond the issuer's own, and by default stays within it", async () => {
    const client = clientOf(issuer, START_MS + DAY_MS);
    expect((await problemOf(client.call("keys.create", { body: { ...order, ttl: "2d" } }))).code).toBe(
      "grant_exceeds_issuer",
    );
    expect(Date.parse((await client.call("keys.create", { body: order })).expiresAt)).toBe(START_MS + DAY_MS);
  });

  it("lists every mistake at once", async () => {
    const body = {
      environment: "moon",
      name: "k",
      owner: "nobody",
      roles: ["x", "admin"],
      allow: ["fly", "keys:issue"],
      models: ["a b"],
    };
    const { code, mistakes } = await problemOf(root.call("keys.create", { body }));
    expect(code).toBe("input_invalid");
    expect(mistakes.map((mistake) => mistake.split(":")[0])).toEqual([
      "environment",
      "roles",
      "roles",
      "allow",
      "allow",
      "models",
      "owner",
    ]);
  });

  it("refuses a key that would open nothing", async () => {
    expect((await problemOf(root.call("keys.create", { body: { environment: "dev", name: "k" } }))).code).toBe(
      "input_invalid",
    );
  });
});

describe("states", () => {
  it("suspends, resumes and revokes for good", async () => {
    const { id } = await root.call("keys.create", { body: order });
    const params = { id };
    expect((await root.call("keys.suspend", { params })).state).toBe("suspended");
    expect((await root.call("keys.resume", { params })).state).toBe("active");
    expect((await root.call("keys.revoke", { params })).state).toBe("revoked");
    const written = gateway.events.length;
    expect((await root.call("keys.revoke", { params })).state).toBe("revoked");
    expect(gateway.events).toHaveLength(written);
    expect((await problemOf(root.call("keys.resume", { params }))).code).toBe("conflict");
    expect((await root.call("keys.show", { params })).state).toBe("revoked");
  });
});

describe("admin keys", () => {
  const asked: BodyInput<"adminKeys.create"> = { name: "n", role: "viewer", environments: ["dev"] };

  it("are issued within the issuer and work only as far", async () => {
    const made = await clientOf(issuer).call("adminKeys.create", {
      body: { ...asked, mayGrant: { allow: ["infer:chat"], models: ["llama3.2"] } },
    });
    expect(parseKeyText(made.key)).toMatchObject({ kind: "admin", environment: "system" });
    expect(gateway.stored.get(`system/${made.id}`)?.admin).toMatchObject({
      environments: ["dev"],
      mayGrant: { models: ["llama3.2"] },
    });
  });

  it.each([
    ["permissions", { ...issuer, permissions: ["admin:manage"] }, {}],
    ["environments", issuer, { environments: ["dev", "prod"] }],
    ["all environments", issuer, { environments: "*" }],
    ["permissions to grant", issuer, { mayGrant: { allow: ["infer:embed"] } }],
    ["models to grant", issuer, { mayGrant: { allow: ["infer:chat"], models: ["*"] } }],
    ["everything to grant", issuer, { mayGrant: "*" }],
  ] as [string, AdminRight, Partial<BodyInput<"adminKeys.create">>][])(
    "refuse wider %s",
    async (_name, right, part) => {
      expect((await problemOf(clientOf(right).call("adminKeys.create", { body: { ...asked, ...part } }))).code).toBe(
        "grant_exceeds_issuer",
      );
    },
  );

  it("refuse a longer life than 90 days or than the issuer's", async () => {
    expect((await problemOf(root.call("adminKeys.create", { body: { ...asked, ttl: "91d" } }))).code).toBe(
      "lifetime_exceeds_maximum",
    );
    const client = clientOf(issuer, START_MS + DAY_MS);
    expect((await problemOf(client.call("adminKeys.create", { body: { ...asked, ttl: "2d" } }))).code).toBe(
      "grant_exceeds_issuer",
    );
  });

  it("cannot end a wider one, nor see it", async () => {
    const wide = await root.call("adminKeys.create", {
      body: { name: "w", role: "admin", environments: "*", mayGrant: "*" },
    });
    const client = clientOf(issuer);
    expect((await problemOf(client.call("adminKeys.revoke", { params: { id: wide.id } }))).code).toBe(
      "grant_exceeds_issuer",
    );
    expect((await client.call("adminKeys.list")).keys.map(({ id }) => id)).not.toContain(wide.id);
  });

  it("are no API keys, and API keys no admin keys", async () => {
    const { key } = await root.call("keys.create", { body: order });
    const request = new Request("http://localhost/v1/keys", { headers: { authorization: `Bearer ${key}` } });
    expect((await gateway.app.handle(request, { kind: "tcp" })).status).toBe(401);
  });

  it("are reset beside the server: one new recovery key, every other revoked", async () => {
    const first = await root.call("adminKeys.reset");
    const second = await root.call("adminKeys.reset");
    expect(gateway.stored.get(`system/${first.id}`)?.state).toBe("revoked");
    expect(gateway.stored.get(`system/${second.id}`)).toMatchObject({ state: "active", lifetimeMs: null });
    expect(gateway.events.slice(-2).map(({ type }) => type)).toEqual(["admin.reset", "admin_key.revoked"]);
  });
});

describe("assignments, groups and policy", () => {
  it("refuses an assignment beyond may-grant, and a role's own selectors too", async () => {
    const body = { subject: { group: "g" }, environment: "dev", models: null };
    const client = clientOf(issuer);
    expect((await problemOf(client.call("assignments.create", { body: { ...body, roles: ["embedder"] } }))).code).toBe(
      "grant_exceeds_issuer",
    );
    expect(
      (
        await problemOf(
          client.call("assignments.create", { body: { ...body, allow: ["infer:chat"], models: ["mistral"] } }),
        )
      ).code,
    ).toBe("grant_exceeds_issuer");
    expect((await client.call("assignments.create", { body: { ...body, roles: ["bot"] } })).source).toBe("admin");
  });

  it("refuses joining a group whose right is not the issuer's to give", async () => {
    const body: BodyInput<"principals.create"> = { kind: "person", name: "eve", groups: ["ops"] };
    expect((await problemOf(clientOf(issuer).call("principals.create", { body }))).code).toBe("grant_exceeds_issuer");
    expect((await root.call("principals.create", { body })).groups).toEqual(["ops"]);
  });

  it("refuses inviting who may do what is not the issuer's to give: whoever invites could become him", async () => {
    const body: BodyInput<"principals.create"> = { kind: "person", name: "eve", groups: ["ops"] };
    const { id } = await root.call("principals.create", { body });
    const invite = (client: AdminClient) => client.call("principals.invite", { params: { id } });
    expect((await problemOf(invite(clientOf(issuer)))).code).toBe("grant_exceeds_issuer");
    expect(gateway.localLogins.size).toBe(0);
    expect((await invite(root)).code).toMatch(/^[0-9A-Za-z]{26}$/);
    expect(JSON.stringify([...gateway.events])).not.toContain("code");
  });

  it("refuses inviting and confirming whose key reaches where the issuer administers nothing, whatever is assigned", async () => {
    const body: BodyInput<"principals.create"> = { kind: "person", name: "kim" };
    const { id } = await root.call("principals.create", { body });
    await root.call("keys.create", { body: { ...order, environment: "prod", owner: id } });
    for (const route of ["principals.invite", "principals.confirm"] as const) {
      const asked = clientOf(issuer).call(route, { params: { id } });
      expect([route, (await problemOf(asked)).code]).toEqual([route, "grant_exceeds_issuer"]);
    }
    expect(gateway.localLogins.size).toBe(0);
  });

  it("does not remove what the policy file wrote", async () => {
    const [written] = gateway.state.assignments;
    expect((await problemOf(root.call("assignments.remove", { params: { id: written!.id } }))).code).toBe("conflict");
  });

  it.each([
    ["an environment of others", POLICY.replace("30d", "20d"), issuer],
    ["a role used in an environment of others", POLICY.replace("on: [llama3.2]", 'on: ["llama3.2:1b"]'), issuer],
    [
      "a role with more than may-grant",
      POLICY.replace("infer:chat]", "infer:chat, models:delete]"),
      { ...issuer, environments: "*" },
    ],
    ["an assignment with more than may-grant", `${POLICY}  - { group: g, role: embedder, in: [dev] }\n`, issuer],
    ["a new environment", POLICY.replace("roles:", "  stage: {}\nroles:"), issuer],
  ] as [string, string, AdminRight][])("refuses a policy that changes %s", async (_name, text, right) => {
    const before = gateway.state;
    for (const route of ["policy.plan", "policy.apply"] as const) {
      expect((await problemOf(clientOf(right).call(route, { body: { text } }))).code).toBe("grant_exceeds_issuer");
    }
    expect(gateway.state).toBe(before);
  });

  it("refuses a role's change that reaches others only by a key", async () => {
    const free = POLICY.replace("role: bot, in: [prod]", "role: bot, in: [dev]").replace(
      "on: [llama3.2]",
      'on: ["llama3.2:1b"]',
    );
    await root.call("policy.apply", {
      body: { text: POLICY.replace("role: bot, in: [prod]", "role: bot, in: [dev]") },
    });
    await root.call("keys.create", { body: { environment: "prod", name: "k", roles: ["bot"], models: ["llama3.2"] } });
    const { code, mistakes } = await problemOf(clientOf(issuer).call("policy.apply", { body: { text: free } }));
    expect([code, mistakes]).toEqual(["grant_exceeds_issuer", ["environment prod is not administered by the issuer"]]);
  });

  it("lets a deputy change what is his own", async () => {
    const text = `${POLICY}  - { group: g, role: chatbot, on: [llama3.2], in: [dev] }\n`;
    expect((await clientOf(issuer).call("policy.apply", { body: { text } })).changes).toHaveLength(1);
  });

  it("applies what was planned, or nothing", async () => {
    const text = POLICY.replace("30d", "20d");
    const plan = await root.call("policy.plan", { body: { text } });
    await root.call("principals.create", { body: { kind: "person", name: "anna" } });
    expect((await problemOf(root.call("policy.apply", { body: { text, expectEpoch: plan.epoch } }))).code).toBe(
      "conflict",
    );
    const again = await root.call("policy.plan", { body: { text } });
    expect((await root.call("policy.apply", { body: { text, expectEpoch: again.epoch } })).epoch).toBe(again.epoch + 1);
    expect(gateway.events.slice(-2).map(({ type }) => type)).toEqual(["policy.applied", "environment.changed"]);
  });

  it("tells every mistake of a policy with its place", async () => {
    const text = "environments:\n  dev: { upstreams: [{ url: x }], require: [door] }\n  system: {}\n";
    const { code, mistakes } = await problemOf(root.call("policy.apply", { body: { text } }));
    expect(code).toBe("input_invalid");
    expect(mistakes).toEqual([
      "2:29 environments.dev.upstreams[0].url: is not http://host:port or https://host:port (no path, user or query)",
      expect.stringMatching(/^2:4[0-9] environments\.dev\.require\[0\]: /),
      "3:11 environments.system: is not an environment name (a-z, 0-9, at most 16, not system)",
    ]);
  });
});
