/**
 * Taking away asks only for the right over what is taken: a grant that somebody of another environment hangs onto a group
 * keeps nobody from removing leavers. And what is taken goes in the caller's environments alone.
 */
import { beforeEach, describe, expect, it } from "vitest";
import { AdminClient } from "@sallyport/client";
import { everything } from "../program-under-test.ts";
import type { AdminRight } from "../program-under-test.ts";
import { clientOf } from "../admin/caller.ts";
import { GROUP, PATCH_OP, provisioner, ScimClient } from "./scim-client.ts";

const prod: AdminRight = { ...provisioner, environments: ["prod"] };
const prodAdmin: AdminRight = { ...everything, environments: ["prod"] };
const devInsider: AdminRight = {
  ...everything,
  environments: ["dev"],
  mayGrant: { allow: ["models:list"], models: [] },
};

let scim: ScimClient;
let ada: string;
let ops: string;

/** In which environments the person may do anything now. */
function actsIn(): string[] {
  const snapshot = scim.gateway.ports.snapshot();
  const { environments, principals, assignments } = snapshot;
  const person = principals.get(ada)!;
  return [...environments.keys()].filter(
    (name) =>
      !person.isDisabled &&
      !person.bounds?.disabledIn?.some((one) => one.environments.includes(name)) &&
      [...assignments].some((one) => one.environment === name && snapshot.holds(person, one)),
  );
}

/** The provider said at a log-in that the person is in the group: that counts everywhere. */
function sayEverywhere(): void {
  const principals = scim.gateway.state.principals.map((one) => {
    const { bounds: _bounds, ...rest } = one;
    return one.id === ada ? rest : one;
  });
  scim.gateway.state = { ...scim.gateway.state, principals };
}

const off = { op: "replace", path: "active", value: false };

beforeEach(async () => {
  scim = await new ScimClient().start(prod);
  ada = await scim.user("ada");
  ops = await scim.group("ops", ada);
  // The insider of dev hangs a tiny grant onto prod's group.
  await clientOf(scim.gateway, devInsider).call("assignments.create", {
    body: { subject: { group: "ops" }, environment: "dev", allow: ["models:list"], models: [] },
  });
});

describe.each<[string, () => void, string[]]>([
  ["given by prod's directory", () => undefined, []],
  ["given by the provider, for everywhere", sayEverywhere, ["dev"]],
])("a membership %s", (_whose, arrange, left) => {
  beforeEach(() => arrange());

  it("is taken away in prod", async () => {
    const said = await scim.patch(`/Groups/${ops}`, { op: "remove", path: "members", value: [{ value: ada }] });
    expect([said.status, actsIn()]).toEqual([204, left]);
  });

  it("goes with the group", async () => {
    expect([(await scim.send("DELETE", `/Groups/${ops}`)).status, actsIn()]).toEqual([204, left]);
  });

  it("is worth nothing in prod once the person is inactive", async () => {
    const said = await scim.patch(`/Users/${ada}`, off);
    expect([said.status, said.body["active"], actsIn()]).toEqual([200, false, left]);
  });

  it("nor once the person is deleted", async () => {
    expect([(await scim.send("DELETE", `/Users/${ada}`)).status, actsIn()]).toEqual([204, left]);
  });

  it("nor once an administrator of prod disables the person", async () => {
    const view = await clientOf(scim.gateway, prodAdmin).call("principals.disable", { params: { id: ada } });
    expect(actsIn()).toEqual(left);
    expect(view.isDisabled || view.disabledIn?.includes("prod")).toBe(true);
    await clientOf(scim.gateway, prodAdmin).call("principals.enable", { params: { id: ada } });
    expect(actsIn()).toContain("prod");
  });

  it("nor once prod's assignment goes", async () => {
    const { assignments } = scim.gateway.state;
    const { id } = await scim.admin.call("assignments.create", {
      body: { subject: { group: "ops" }, environment: "prod", roles: ["bot"] },
    });
    await clientOf(scim.gateway, prodAdmin).call("assignments.remove", { params: { id } });
    expect(scim.gateway.state.assignments).toEqual(assignments);
  });
});

it("keys of prod end with the person in prod; those of dev do not", async () => {
  sayEverywhere();
  const make = (environment: string) =>
    scim.admin.call("keys.create", { body: { environment, name: "k", owner: ada, allow: ["models:list"] } });
  const [here, there] = [await make("prod"), await make("dev")];
  await scim.patch(`/Users/${ada}`, off);
  const stateOf = (environment: string, id: string) => scim.gateway.stored.get(`${environment}/${id}`)?.state;
  expect([stateOf("prod", here.id), stateOf("dev", there.id)]).toEqual(["revoked", "active"]);
});

it("the tiny grant keeps nobody from joining in prod either", async () => {
  const bob = await scim.user("bob");
  const added = await scim.patch(`/Groups/${ops}`, { op: "add", path: "members", value: [{ value: bob }] });
  expect(added.status).toBe(204);
});

describe("who may not", () => {
  it("a client of dev takes nothing of a person or group that has nothing there", async () => {
    const other = await new ScimClient().start({ ...provisioner, environments: ["dev"] });
    const { gateway } = other;
    const root = other.admin;
    const { id } = await root.call("principals.create", { body: { kind: "person", name: "eve", groups: ["ops"] } });
    const key = gateway.adminKey({ ...everything, environments: ["dev"] }, null);
    const client = new AdminClient({
      handle: (request) => {
        request.headers.set("authorization", `Bearer ${key}`);
        return gateway.app.handle(request, { kind: "tcp" });
      },
    });
    await expect(client.call("principals.disable", { params: { id } })).rejects.toMatchObject({
      code: "grant_exceeds_issuer",
    });
  });

  it("a local log-in is taken by whoever administers all the person's environments, or could have made it", async () => {
    const uninvite = (right: AdminRight): Promise<unknown> =>
      clientOf(scim.gateway, right).call("principals.uninvite", { params: { id: ada } });
    const refused = { code: "grant_exceeds_issuer" };
    sayEverywhere();
    await scim.admin.call("principals.invite", { params: { id: ada } });
    await expect(uninvite(devInsider)).rejects.toMatchObject(refused);
    await expect(uninvite(prodAdmin)).rejects.toMatchObject(refused);
    const both: AdminRight = { ...everything, environments: ["dev", "prod"] };
    await clientOf(scim.gateway, both).call("principals.invite", { params: { id: ada } });
    await uninvite({ ...both, environments: ["dev", "prod", "lab"] });
    expect(scim.gateway.localLogins.size).toBe(0);
  });

  it("an administrator of prod does not enable whom an administrator of everything has disabled", async () => {
    await scim.admin.call("principals.disable", { params: { id: ada } });
    await expect(
      clientOf(scim.gateway, prodAdmin).call("principals.enable", { params: { id: ada } }),
    ).rejects.toMatchObject({
      code: "grant_exceeds_issuer",
    });
    expect(actsIn()).toEqual([]);
  });

  it("a client of dev stops, renames and ends nobody and nothing that prod's client has just made", async () => {
    const eve = await scim.user("eve");
    const empty = await scim.group("starters");
    const dev = scim.gateway.adminKey({ ...provisioner, environments: ["dev"] }, null);
    const send = async (method: string, path: string, ...Operations: object[]): Promise<number> => {
      const body = method === "DELETE" ? {} : { body: JSON.stringify({ schemas: [PATCH_OP], Operations }) };
      const headers = { authorization: `Bearer ${dev}`, "content-type": "application/scim+json" };
      const request = new Request(`http://localhost/scim/v2${path}`, { method, headers, ...body });
      return (await scim.gateway.app.handle(request, { kind: "tcp" })).status;
    };
    for (const [path, value] of [
      ["externalId", "victim"],
      ["userName", "victim"],
    ])
      expect(await send("PATCH", `/Users/${eve}`, { op: "replace", path, value })).toBe(403);
    await send("PATCH", `/Users/${eve}`, off);
    await send("DELETE", `/Users/${eve}`);
    await send("DELETE", `/Groups/${empty}`);
    const seen = await scim.send("GET", `/Users/${eve}`);
    expect([seen.status, seen.body["active"], seen.body["externalId"]]).toEqual([200, true, "x-eve"]);
    expect((await scim.send("GET", `/Groups/${empty}`)).status).toBe(200);
    expect((await scim.patch(`/Groups/${ops}`, { op: "add", path: "members", value: [{ value: eve }] })).status).toBe(
      204,
    );
    ada = eve;
    expect(actsIn()).toEqual(["prod"]);
  });

  it("names that a client of dev has taken do not keep prod's client from its own", async () => {
    const dev = await new ScimClient().start({ ...provisioner, environments: ["dev"] });
    const key = dev.gateway.adminKey(prod, null);
    await dev.user("victim");
    await dev.group("prod-ops");
    for (const [path, body] of [
      [
        "/Users",
        { schemas: ["urn:ietf:params:scim:schemas:core:2.0:User"], userName: "victim", externalId: "x-victim" },
      ],
      ["/Groups", { schemas: [GROUP], displayName: "prod-ops" }],
    ] as const) {
      const request = new Request(`http://localhost/scim/v2${path}`, {
        method: "POST",
        headers: { authorization: `Bearer ${key}`, "content-type": "application/scim+json" },
        body: JSON.stringify(body),
      });
      expect([path, (await dev.gateway.app.handle(request, { kind: "tcp" })).status]).toEqual([path, 201]);
    }
  });

  it("a client of prod does not rename or overwrite what another environment's made", async () => {
    const dev = scim.gateway.adminKey({ ...provisioner, environments: ["dev"] }, null);
    const send = async (method: string, path: string, body: object): Promise<number> =>
      (
        await scim.gateway.app.handle(
          new Request(`http://localhost/scim/v2${path}`, {
            method,
            headers: { authorization: `Bearer ${dev}`, "content-type": "application/scim+json" },
            body: JSON.stringify(body),
          }),
          { kind: "tcp" },
        )
      ).status;
    const rename = { schemas: [PATCH_OP], Operations: [{ op: "replace", path: "displayName", value: "mine" }] };
    expect(await send("PATCH", `/Groups/${ops}`, rename)).toBe(403);
    const change = { schemas: [PATCH_OP], Operations: [{ op: "replace", path: "externalId", value: "victim" }] };
    expect(await send("PATCH", `/Users/${ada}`, change)).toBe(403);
    // A name taken by dev does not keep prod's directory from its own person of that name.
    expect(await send("POST", "/Groups", { schemas: [GROUP], displayName: "elsewhere" })).toBe(201);
  });
});
