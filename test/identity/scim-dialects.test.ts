/** PATCH as each vendor writes it, in the recorded shapes; beside each what is nearly that and is refused with a code. */
import { beforeEach, describe, expect, it } from "vitest";
import { GROUP, ScimClient, USER } from "./scim-client.ts";

let scim: ScimClient;
let ada: string;
let bob: string;
let ops: string;

beforeEach(async () => {
  scim = await new ScimClient().start();
  ada = await scim.user("ada");
  bob = await scim.user("bob");
  ops = await scim.group("ops", ada);
});

const groupsOf = (id: string): readonly string[] => scim.person(id).groups;

describe("Entra ID", () => {
  it("switches a person off with a capital op and a text", async () => {
    const said = await scim.patch(`/Users/${ada}`, { op: "Replace", path: "active", value: "False" });
    expect([said.status, said.body["active"], scim.person(ada).disabledBy]).toEqual([200, false, ["scim"]]);
    expect((await scim.patch(`/Users/${ada}`, { op: "Replace", path: "active", value: "True" })).body["active"]).toBe(
      true,
    );
  });

  it("sets the work address, whether or not there is one", async () => {
    const path = 'emails[type eq "work"].value';
    await scim.patch(`/Users/${ada}`, { op: "Replace", path, value: "ada@new.example.org" });
    expect(scim.person(ada).external!.scim!.emails).toEqual([
      { value: "ada@new.example.org", type: "work", isPrimary: true },
    ]);
    await scim.patch(`/Users/${ada}`, { op: "Add", path: 'emails[type eq "other"].value', value: "a@x.example.org" });
    expect(scim.person(ada).external!.scim!.emails).toHaveLength(2);
  });

  it("changes names by dotted names in a value, and what is not kept in paths of any kind", async () => {
    const said = await scim.patch(
      `/Users/${ada}`,
      { op: "replace", value: { displayName: "Ada Lovelace", "name.givenName": "Ada" } },
      { op: "Add", path: "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department", value: "R" },
      { op: "Replace", path: 'phoneNumbers[type eq "work"].value', value: "1" },
      { op: "Replace", path: 'addresses[type eq "work"].formatted', value: "x" },
      { op: "Replace", path: "title", value: "x" },
    );
    expect([said.status, said.body["displayName"]]).toEqual([200, "Ada Lovelace"]);
  });

  it("adds members, and removes them by a list beside the path", async () => {
    expect((await scim.patch(`/Groups/${ops}`, { op: "Add", path: "members", value: [{ value: bob }] })).status).toBe(
      204,
    );
    expect([groupsOf(ada), groupsOf(bob)]).toEqual([["ops"], ["ops"]]);
    expect(
      (await scim.patch(`/Groups/${ops}`, { op: "Remove", path: "members", value: [{ value: ada }] })).status,
    ).toBe(204);
    expect([groupsOf(ada), groupsOf(bob)]).toEqual([[], ["ops"]]);
  });

  it("removes a member by a filter in the path", async () => {
    await scim.patch(`/Groups/${ops}`, { op: "Remove", path: `members[value eq "${ada}"]` });
    expect(groupsOf(ada)).toEqual([]);
  });

  it("asks for whom it means, and whether he is in the group", async () => {
    const list = async (path: string): Promise<unknown> => (await scim.send("GET", path)).body["totalResults"];
    expect(await list('/Users?filter=userName+eq+"ADA"')).toBe(1);
    expect(await list('/Users?filter=externalId eq "x-ada"')).toBe(1);
    expect(await list('/Users?filter=externalId eq "X-ada"')).toBe(0);
    expect(await list('/Users?filter=emails[type eq "work"].value eq "ada@example.org"')).toBe(1);
    expect(await list(`/Groups?filter=id eq "${ops}" and members eq "${ada}"`)).toBe(1);
    expect(await list(`/Groups?filter=id eq "${ops}" and members eq "${bob}"`)).toBe(0);
    const found = await scim.send("GET", '/Groups?excludedAttributes=members&filter=displayName eq "ops"');
    expect((found.body["Resources"] as object[])[0]).not.toHaveProperty("members");
  });
});

describe("Okta", () => {
  it("switches a person off by a value without a path", async () => {
    const said = await scim.patch(`/Users/${ada}`, { op: "replace", value: { active: false } });
    expect([said.status, said.body["active"]]).toEqual([200, false]);
  });

  it("puts a person whole, and what it leaves out about activity stays", async () => {
    const whole = {
      schemas: [USER],
      id: ada,
      userName: "ada.l",
      emails: [{ primary: true, value: "a@x.org", type: "work" }],
    };
    await scim.patch(`/Users/${ada}`, { op: "replace", value: { active: false } });
    expect((await scim.send("PUT", `/Users/${ada}`, { ...whole, externalId: "x-ada" })).body).toMatchObject({
      active: false,
      userName: "ada.l",
    });
    expect(
      (await scim.send("PUT", `/Users/${ada}`, { ...whole, externalId: "x-ada", active: true })).body["active"],
    ).toBe(true);
  });

  it("renames a group with its own id beside the name, and fills it by replace", async () => {
    await scim.patch(`/Groups/${ops}`, { op: "replace", value: { id: ops, displayName: "ops2" } });
    expect(groupsOf(ada)).toEqual(["ops2"]);
    await scim.patch(`/Groups/${ops}`, { op: "replace", path: "members", value: [{ value: bob, display: "bob" }] });
    expect([groupsOf(ada), groupsOf(bob)]).toEqual([[], ["ops2"]]);
    await scim.patch(
      `/Groups/${ops}`,
      { op: "remove", path: `members[value eq "${bob}"]` },
      { op: "add", path: "members", value: [{ value: ada, display: "ada" }] },
    );
    expect([groupsOf(ada), groupsOf(bob)]).toEqual([["ops2"], []]);
  });
});

describe("Google, OneLogin, JumpCloud, authentik", () => {
  it.each([
    ["a small op, a path and a boolean", { op: "replace", path: "active", value: false }],
    ["the schema before the path", { op: "replace", path: `${USER}:active`, value: false }],
    ["a null path", { op: "replace", path: null, value: { active: false } }],
    ["another case of the name", { op: "REPLACE", path: "Active", value: false }],
  ])("%s", async (_how, operation) => {
    expect((await scim.patch(`/Users/${ada}`, operation)).status).toBe(200);
    expect(scim.person(ada).isDisabled).toBe(true);
  });

  it("puts a group whole; members that are left out are none", async () => {
    const said = await scim.send("PUT", `/Groups/${ops}`, { schemas: [GROUP], displayName: "ops" });
    expect([said.status, groupsOf(ada)]).toEqual([200, []]);
  });

  it("adds one member that is no list, and removes all", async () => {
    await scim.patch(`/Groups/${ops}`, { op: "add", value: { members: { value: bob } } });
    expect(groupsOf(bob)).toEqual(["ops"]);
    await scim.patch(`/Groups/${ops}`, { op: "remove", path: "members" });
    expect([groupsOf(ada), groupsOf(bob)]).toEqual([[], []]);
  });
});

describe("on doubt nothing", () => {
  const user = (...operations: object[]) => scim.patch(`/Users/${ada}`, ...operations);
  const group = (...operations: object[]) => scim.patch(`/Groups/${ops}`, ...operations);
  it.each([
    ["active as another text", () => user({ op: "Replace", path: "active", value: "no" }), "invalidValue"],
    ["active as a number", () => user({ op: "replace", path: "active", value: 0 }), "invalidValue"],
    ["active as null", () => user({ op: "replace", path: "active", value: null }), "invalidValue"],
    ["active with blanks", () => user({ op: "replace", path: "active", value: "False " }), "invalidValue"],
    ["active taken away", () => user({ op: "remove", path: "active" }), "invalidValue"],
    ["active in two cases", () => user({ op: "replace", value: { active: false, Active: true } }), "invalidSyntax"],
    ["active as a list", () => user({ op: "replace", path: "active", value: [false] }), "invalidValue"],
    ["a path of no attribute", () => user({ op: "replace", path: "aktive", value: false }), "invalidPath"],
    ["a path into a prototype", () => user({ op: "add", path: "__proto__.x", value: 1 }), "invalidPath"],
    ["a path of a prototype's name", () => user({ op: "add", path: "constructor", value: 1 }), "invalidPath"],
    [
      "a path with a filter on a single value",
      () => user({ op: "replace", path: 'userName[type eq "x"]', value: "e" }),
      "invalidPath",
    ],
    [
      "a filter with more in it",
      () => user({ op: "remove", path: 'emails[type eq "work" or value pr]' }),
      "invalidPath",
    ],
    [
      "a filter that matches nothing",
      () => user({ op: "replace", path: 'emails[value eq "n"].type', value: "home" }),
      "noTarget",
    ],
    ["another op", () => user({ op: "move", path: "active", value: false }), "invalidSyntax"],
    ["no op", () => user({ path: "active", value: false }), "invalidSyntax"],
    ["remove of nothing named", () => user({ op: "remove" }), "noTarget"],
    ["a value that is missing", () => user({ op: "replace", path: "active" }), "invalidValue"],
    ["no operations", () => user(), "invalidSyntax"],
    ["groups at the user", () => user({ op: "add", path: "groups", value: [{ value: ops }] }), "mutability"],
    ["another id", () => user({ op: "replace", value: { id: bob } }), "mutability"],
    ["a userName that is none", () => user({ op: "replace", path: "userName", value: "" }), "invalidValue"],
    ["a userName that is taken", () => user({ op: "replace", path: "userName", value: "BOB" }), "uniqueness"],
    [
      "a thousand operations",
      () => user(...Array.from({ length: 101 }, () => ({ op: "replace", path: "active", value: true }))),
      "tooMany",
    ],
    [
      "a member who is nobody",
      () => group({ op: "add", path: "members", value: [{ value: "p_nobody" }] }),
      "invalidValue",
    ],
    ["a member that is a text", () => group({ op: "add", path: "members", value: [ada] }), "invalidValue"],
    [
      "a member that is a group",
      () => group({ op: "add", path: "members", value: [{ value: ops, type: "Group" }] }),
      "invalidValue",
    ],
    [
      "a member's id that ends a filter",
      () => group({ op: "remove", path: "members", value: [{ value: 'x" or value pr or value eq "' }] }),
      "invalidValue",
    ],
    [
      "a filter on members with more in it",
      () => group({ op: "remove", path: `members[value eq "${bob}" or value pr]` }),
      "invalidPath",
    ],
    ["adding by a filter", () => group({ op: "add", path: `members[value eq "${bob}"]`, value: {} }), "invalidPath"],
    ["a name taken away", () => group({ op: "remove", path: "displayName" }), "mutability"],
    [
      "members under another name",
      () => group({ op: "remove", path: "member", value: [{ value: ada }] }),
      "invalidPath",
    ],
  ])("%s", async (_what, send, scimType) => {
    const before = JSON.stringify(scim.gateway.state);
    const said = await send();
    expect(said.body).toMatchObject({ scimType, schemas: ["urn:ietf:params:scim:api:messages:2.0:Error"] });
    expect([400, 409]).toContain(said.status);
    expect(JSON.stringify(scim.gateway.state)).toBe(before);
    expect(scim.gateway.faults).toEqual([]);
  });

  it.each([
    [
      "a key twice",
      '{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"replace","path":"active","value":false,"value":true}]}',
    ],
    [
      "a prototype in the value",
      '{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"add","value":{"__proto__":{"x":1}}}]}',
    ],
    ["another message", '{"schemas":["urn:x"],"Operations":[{"op":"replace","path":"active","value":false}]}'],
    ["no JSON", "{"],
    ["a list", "[]"],
  ])("a message with %s", async (_what, body) => {
    const said = await scim.send("PATCH", `/Users/${ada}`, body);
    expect([said.status, ["invalidSyntax", "invalidValue"].includes(String(said.body["scimType"]))]).toEqual([
      400,
      true,
    ]);
    expect(({} as Record<string, unknown>)["x"]).toBeUndefined();
    expect(scim.person(ada).isDisabled).toBe(false);
  });

  it.each([
    'userName eq "ada" or userName pr',
    "userName eq ada",
    'userName sw "a"',
    "userName pr",
    'title eq "x"',
    'userName eq "ada" and',
    'not (userName eq "ada")',
    "",
  ])("the filter %j is refused, not guessed at", async (filter) => {
    const said = await scim.send("GET", `/Users?filter=${encodeURIComponent(filter)}`);
    expect([said.status, said.body["scimType"]]).toEqual([400, "invalidFilter"]);
  });
});
