/** SCIM 2.0 beside the admin API: who may, what is kept, pages, versions, and what becomes of keys. */
import { beforeEach, describe, expect, it } from "vitest";
import { everything } from "../program-under-test.ts";
import { GROUP, provisioner, ScimClient, USER } from "./scim-client.ts";

let scim: ScimClient;

beforeEach(async () => {
  scim = await new ScimClient().start();
});

const typesOf = (): string[] => scim.gateway.events.map(({ type }) => type);

async function keyOf(owner: string): Promise<string> {
  const made = await scim.admin.call("keys.create", {
    body: { environment: "prod", name: "k", owner, roles: ["bot"], models: ["llama3.2"] },
  });
  return `prod/${made.id}`;
}

describe("who may", () => {
  it.each([
    ["no credential", "GET", { authorization: "" }, 401],
    ["a key that is none", "GET", { authorization: "Bearer x" }, 401],
  ])("%s is refused in SCIM's shape", async (_who, method, headers, status) => {
    const said = await scim.send(method, "/Users", undefined, headers);
    expect(said.status).toBe(status);
    expect(said.headers.get("content-type")).toMatch(/^application\/scim\+json/);
    expect(said.body).toMatchObject({
      schemas: ["urn:ietf:params:scim:api:messages:2.0:Error"],
      status: String(status),
    });
  });

  it("reading does not write, and administering people is all a provisioner does", async () => {
    const reader = await new ScimClient().start({ ...provisioner, permissions: ["principals:read"] });
    expect((await reader.send("GET", "/Users")).status).toBe(200);
    expect(await reader.send("POST", "/Users", { schemas: [USER], userName: "x" })).toMatchObject({
      status: 403,
      body: { code: "permission_denied" },
    });
    expect(reader.gateway.events.map(({ type }) => type)).toEqual(["admin.refused"]);
  });

  it("a group whose right is beyond the client's may-grant is not filled (R6), nor is one emptied elsewhere", async () => {
    const weak = await new ScimClient().start({ ...provisioner, mayGrant: null });
    const ada = await weak.user("ada");
    const said = await weak.send("POST", "/Groups", {
      schemas: [GROUP],
      displayName: "ops",
      members: [{ value: ada }],
    });
    expect([said.status, said.body["code"]]).toEqual([403, "grant_exceeds_issuer"]);
    const ops = await weak.group("ops");
    expect((await weak.patch(`/Groups/${ops}`, { op: "add", path: "members", value: [{ value: ada }] })).status).toBe(
      403,
    );
    const other = await weak.group("other", ada);
    expect((await weak.patch(`/Groups/${other}`, { op: "replace", path: "displayName", value: "ops" })).status).toBe(
      409,
    );
    await weak.send("DELETE", `/Groups/${ops}`);
    expect((await weak.patch(`/Groups/${other}`, { op: "replace", path: "displayName", value: "ops" })).status).toBe(
      403,
    );

    const dev = await new ScimClient().start({ ...everything, environments: ["dev"] });
    const bob = await dev.user("bob");
    dev.gateway.state = {
      ...dev.gateway.state,
      principals: dev.gateway.state.principals.map((one) => ({
        ...one,
        groups: ["ops"],
        external: { ...one.external!, groups: ["ops"] },
      })),
    };
    expect((await dev.patch(`/Users/${bob}`, { op: "replace", path: "active", value: false })).status).toBe(403);
    expect((await dev.send("DELETE", `/Users/${bob}`)).status).toBe(403);
    const reached = await dev.group("ops");
    expect((await dev.patch(`/Groups/${reached}`, { op: "remove", path: "members" })).status).toBe(403);
  });

  it("a restored gateway is not provisioned before it is confirmed", async () => {
    scim.gateway.restored = { backupAt: 0, restoredAt: 0, seq: 1, hash: "" };
    expect((await scim.send("GET", "/Users")).status).toBe(503);
  });

  it("more than a provisioning client sends is held back, and told when to come again", async () => {
    const statuses: number[] = [];
    for (let n = 0; n < 260; n++) statuses.push((await scim.send("GET", "/ServiceProviderConfig")).status);
    expect([statuses.slice(0, 250).every((status) => status === 200), statuses.at(-1)]).toEqual([true, 429]);
    expect((await scim.send("GET", "/Users")).headers.get("retry-after")).toBe("1");
  });
});

describe("people", () => {
  it("are made, shown, found page by page, and hold no password", async () => {
    const made = await scim.send("POST", "/Users", {
      schemas: [USER],
      userName: "ada",
      externalId: "x1",
      password: "hunter2hunter2",
      name: { givenName: "Ada", familyName: "L" },
    });
    expect([made.status, made.headers.get("location")]).toEqual([201, `/scim/v2/Users/${String(made.body["id"])}`]);
    expect(made.body).toMatchObject({ userName: "ada", externalId: "x1", displayName: "Ada L", active: true });
    expect(JSON.stringify([scim.gateway.state, scim.gateway.events, made.body])).not.toContain("hunter2");
    for (const name of ["b", "c", "d"]) await scim.user(name);
    const page = async (query: string): Promise<unknown[]> => {
      const { body } = await scim.send("GET", `/Users?${query}`);
      return [body["totalResults"], body["startIndex"], body["itemsPerPage"], (body["Resources"] as unknown[]).length];
    };
    expect(await page("startIndex=1&count=3")).toEqual([4, 1, 3, 3]);
    expect(await page("startIndex=4&count=3")).toEqual([4, 4, 1, 1]);
    expect(await page("startIndex=5&count=3")).toEqual([4, 5, 0, 0]);
    expect(await page("startIndex=0&count=0")).toEqual([4, 1, 0, 0]);
    expect((await scim.send("GET", "/Users?count=x")).status).toBe(400);
    expect((await scim.send("GET", "/Users?count=1&count=2")).status).toBe(400);
  });

  it("are never taken over by their name", async () => {
    await scim.admin.call("principals.create", { body: { kind: "person", name: "ada", groups: ["ops"] } });
    const said = await scim.send("POST", "/Users", { schemas: [USER], userName: "Ada", externalId: "evil" });
    expect([said.status, said.body["scimType"]]).toEqual([409, "uniqueness"]);
    expect((await scim.send("GET", "/Users")).body["totalResults"]).toBe(0);
  });

  it("that are deleted are gone for the client, deactivated here, and their keys end", async () => {
    const ada = await scim.user("ada");
    await scim.group("ops", ada);
    const key = await keyOf(ada);
    scim.gateway.events.length = 0;
    expect((await scim.send("DELETE", `/Users/${ada}`)).status).toBe(204);
    expect((await scim.send("GET", `/Users/${ada}`)).status).toBe(404);
    expect((await scim.send("DELETE", `/Users/${ada}`)).status).toBe(404);
    expect(scim.person(ada)).toMatchObject({ isDisabled: true, groups: [] });
    expect(scim.gateway.stored.get(key)).toMatchObject({ state: "revoked", reason: "owner_left" });
    expect(scim.gateway.signedOut).toEqual([{ principal: ada }]);
    expect(typesOf()).toEqual(["person.changed", "person.deactivated", "person.groups_changed", "key.revoked"]);
    expect(scim.gateway.events.at(-1)!.fields).toMatchObject({
      reason: "owner_left",
      source: "scim",
      source_event: `DELETE Users/${ada}`,
    });
  });

  it("who come back with their id are the same, with no group and no key; a namesake is another", async () => {
    const ada = await scim.user("ada");
    await scim.group("ops", ada);
    const key = await keyOf(ada);
    await scim.send("DELETE", `/Users/${ada}`);
    const namesake = await scim.user("ada", { externalId: "another" });
    expect(namesake).not.toBe(ada);
    await scim.send("DELETE", `/Users/${namesake}`);
    expect(await scim.user("ada")).toBe(ada);
    expect(scim.person(ada)).toMatchObject({ isDisabled: false, groups: [] });
    expect(scim.gateway.stored.get(key)!.state).toBe("revoked");
  });

  it("the same PATCH twice changes and records nothing the second time", async () => {
    const ada = await scim.user("ada");
    await scim.patch(`/Users/${ada}`, { op: "Replace", path: "active", value: "False" });
    scim.gateway.events.length = 0;
    const before = JSON.stringify(scim.gateway.state);
    expect((await scim.patch(`/Users/${ada}`, { op: "Replace", path: "active", value: "False" })).status).toBe(200);
    expect([typesOf(), JSON.stringify(scim.gateway.state)]).toEqual([[], before]);
  });

  it("are changed only in the version that was read, where the client says which", async () => {
    const ada = await scim.user("ada");
    const etag = (await scim.send("GET", `/Users/${ada}`)).headers.get("etag")!;
    const put = { schemas: [USER], userName: "ada2", externalId: "x-ada" };
    expect((await scim.send("PUT", `/Users/${ada}`, put, { "if-match": etag })).status).toBe(200);
    expect((await scim.send("PUT", `/Users/${ada}`, put, { "if-match": etag })).status).toBe(412);
  });
});

describe("groups", () => {
  it("give what policy assigns to their name and take it away; the keys that used it end, others do not", async () => {
    const ada = await scim.user("ada");
    const bob = await scim.user("bob");
    const ops = await scim.group("ops", ada, bob);
    const [hers, his] = [await keyOf(ada), await keyOf(bob)];
    scim.gateway.events.length = 0;
    await scim.patch(`/Groups/${ops}`, { op: "Remove", path: "members", value: [{ value: ada }] });
    expect(scim.gateway.stored.get(hers)).toMatchObject({ state: "revoked", reason: "role_lost" });
    expect(scim.gateway.stored.get(his)!.state).toBe("active");
    expect(typesOf()).toEqual(["group.changed", "person.groups_changed", "key.revoked"]);
    await scim.patch(`/Groups/${ops}`, { op: "Add", path: "members", value: [{ value: ada }] });
    expect([scim.person(ada).groups, scim.gateway.stored.get(hers)!.state]).toEqual([["ops"], "revoked"]);
  });

  it("that are renamed or deleted take what they gave with them", async () => {
    const ada = await scim.user("ada");
    const ops = await scim.group("ops", ada);
    const key = await keyOf(ada);
    await scim.patch(`/Groups/${ops}`, { op: "replace", value: { displayName: "others" } });
    expect([scim.person(ada).groups, scim.gateway.stored.get(key)!.state]).toEqual([["others"], "revoked"]);
    expect((await scim.send("DELETE", `/Groups/${ops}`)).status).toBe(204);
    expect(scim.person(ada).groups).toEqual([]);
    expect((await scim.send("GET", `/Groups/${ops}`)).status).toBe(404);
    expect(scim.gateway.ports.snapshot().groups.size).toBe(0);
  });

  it("are listed with their members", async () => {
    const ada = await scim.user("ada");
    const ops = await scim.group("ops", ada);
    expect((await scim.send("GET", `/Groups/${ops}`)).body).toMatchObject({
      displayName: "ops",
      members: [{ value: ada, display: "ada", type: "User" }],
    });
    expect((await scim.send("GET", `/Users/${ada}`)).body["groups"]).toMatchObject([{ value: ops, display: "ops" }]);
  });
});

it("says what it is, and answers nothing else", async () => {
  expect((await scim.send("GET", "/ServiceProviderConfig")).body).toMatchObject({
    patch: { supported: true },
    bulk: { supported: false },
  });
  expect((await scim.send("GET", "/ResourceTypes")).body["totalResults"]).toBe(2);
  expect((await scim.send("GET", `/Schemas/${USER}`)).body).toMatchObject({ id: USER, name: "User" });
  expect((await scim.send("GET", "/Schemas/urn:x")).status).toBe(404);
  expect((await scim.send("POST", "/Bulk", {})).status).toBe(405);
  expect((await scim.send("GET", "/Me")).status).toBe(404);
  expect((await scim.send("PUT", "/Users", {})).status).toBe(405);
  expect((await scim.send("GET", "/Users/a/b")).status).toBe(404);
  expect((await scim.send("POST", "/Users", "{}", { "content-type": "text/plain" })).status).toBe(415);
  expect(scim.gateway.faults).toEqual([]);
});
