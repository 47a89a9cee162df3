import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { keyOf, principalOf } from "../../../../test/builders.ts";
import type { KeyFate, Principal } from "../access/policy.ts";
import { Principals } from "../access/principals.ts";
import type { KeyRecord } from "../keys/key.ts";
import { emptyExternal } from "./apply-statement.ts";
import { reconcile, reconcileAssignment } from "./reconcile.ts";
import type { KnownPeople, Reconciled } from "./reconcile.ts";
import type { Said, Statement } from "./statement.ts";

const ISSUER = "https://idp.example.org";
const usual: KeyFate = { onLeave: "revoke", onRoleLost: "revoke", onSignOut: "keep", onRisk: "suspend" };
const ada = principalOf("p1", {
  name: "ada",
  groups: ["local", "team"],
  external: {
    ...emptyExternal(0),
    identities: [{ issuer: ISSUER, subject: "s1" }],
    scim: {
      userName: "ada",
      externalId: "x1",
      displayName: null,
      emails: [{ value: "ada@example.org", type: "work", isPrimary: true }],
      isDeleted: false,
    },
    groups: ["team"],
  },
});

const ceiling = { roles: ["bot"], allow: [], models: ["llama3.2"] };
const adasKey = (id: string, more: Partial<KeyRecord> = {}): KeyRecord =>
  keyOf({ id, name: id, owner: "p1", ceiling, ...more }, { expiresAt: 9 });

/** The state, to which what was reconciled is applied as the store would. A key makes use of the group `team`. */
class World {
  principals = new Map([["p1", ada]]);
  keys = [adasKey("k1")];
  fate = usual;
  now = 1_000;

  get present(): KnownPeople {
    return {
      now: this.now,
      principals: Principals.of(this.principals.values()),
      fateIn: () => this.fate,
      keysOf: () => this.keys,
      lost: (_key, { before, after, gone }) =>
        gone !== undefined || (before.groups.includes("team") && !after.groups.includes("team")) ? ["role bot"] : [],
    };
  }

  hear(...statements: Statement[]): Reconciled {
    const found = reconcile(this.present, statements);
    this.apply(found);
    return found;
  }

  apply({ operations }: Pick<Reconciled, "operations">): void {
    for (const operation of operations) {
      if (operation.op === "principal.put") this.principals.set(operation.principal.id, operation.principal);
      if (operation.op === "key.state")
        this.keys = this.keys.map((key) => (key.id === operation.id ? { ...key, state: operation.state } : key));
      if (operation.op === "key.factors")
        this.keys = this.keys.map((key) => (key.id === operation.id ? { ...key, ...operation.factors } : key));
    }
  }

  get ada(): Principal {
    return this.principals.get("p1")!;
  }
}

function say(says: Said, more: Partial<Statement> = {}): Statement {
  return {
    source: "caep",
    by: ISSUER,
    actor: "gateway",
    event: "jti-1",
    isOnce: true,
    at: 500,
    subject: { issuer: ISSUER, subject: "s1", externalIds: false },
    says,
    ...more,
  };
}

const typesOf = ({ events }: Pick<Reconciled, "events">): string[] => events.map(({ type }) => type);

describe("who is meant", () => {
  const gone = { groups: { set: [] } };
  it.each([
    ["his issuer and subject", { issuer: ISSUER, subject: "s1", externalIds: false }, true],
    [
      "the subject of another issuer",
      { issuer: "https://other.example.org", subject: "s1", externalIds: false },
      false,
    ],
    ["the provisioned id, where they are the same", { issuer: ISSUER, subject: "x1", externalIds: true }, true],
    ["the provisioned id, where they are not", { issuer: ISSUER, subject: "x1", externalIds: false }, false],
    ["his address", { email: "ada@example.org" }, true],
    ["his address in another spelling", { email: "Ada@example.org" }, false],
    ["his name", { email: "ada" }, false],
  ] as const)("%s", (_says, subject, isFound) => {
    const found = new World().hear(say(gone, { subject }));
    expect([found.unknown, found.operations.length > 0]).toEqual(isFound ? [0, true] : [1, false]);
  });

  it("not the subject of another issuer, though the provisioned id leads to them", () => {
    const world = new World();
    const { external } = ada;
    const scim = { ...external!.scim!, externalId: "s1" };
    world.principals.set("p1", { ...ada, external: { ...external!, scim } });
    const subject = { issuer: "https://other.example.org", subject: "s1", externalIds: false };
    expect(world.hear(say(gone, { subject }))).toMatchObject({ unknown: 1, operations: [] });
  });

  it("all of them where two have the address and something is taken away; nobody where something is given", () => {
    const world = new World();
    world.principals.set("p2", { ...ada, id: "p2" });
    const subject = { email: "ada@example.org" };
    const stopped = world.hear(say({ isActive: false }, { subject }));
    expect(stopped).toMatchObject({ unknown: 0, ambiguous: 2 });
    expect(stopped.events.map(({ fields }) => [fields["principal"], fields["candidates"]])).toEqual(
      expect.arrayContaining([
        ["p1", 2],
        ["p2", 2],
      ]),
    );
    expect(world.hear(say({ groups: { add: ["admins"] } }, { subject }))).toMatchObject({
      operations: [],
      ambiguous: 0,
    });
  });
});

describe("what becomes of the keys", () => {
  it.each([
    ["leaving", { isActive: false }, "key.revoked", "owner_left", "person.deactivated"],
    ["a group lost", { groups: { remove: ["team"] } }, "key.revoked", "role_lost", "person.groups_changed"],
    ["void credentials", { credentialsRevoked: true }, "key.revoked", "owner_credentials_revoked", "person.signalled"],
    ["high risk", { risk: "high" }, "key.suspended", "owner_at_risk", "person.signalled"],
  ] as const)("%s: as policy says, with reason and source in the ledger", (_what, says, type, reason, told) => {
    const found = new World().hear(say(says));
    expect(typesOf(found)).toEqual([told, type]);
    expect(found.events[1]).toMatchObject({
      environment: "dev",
      fields: { key: "k1", owner: "p1", reason, source: "caep", source_event: "jti-1" },
    });
  });

  it.each([
    ["key_unused", ["person.signalled", "key.suspended"]],
    ["by_administrator", ["person.signalled"]],
  ])(
    "high risk, and the key is suspended already (%s): disuse gives way, for its owner could take it back",
    (reason, told) => {
      const world = new World();
      world.keys = [adasKey("k1", { state: "suspended", reason })];
      const found = world.hear(say({ risk: "high" }));
      expect(typesOf(found)).toEqual(told);
      if (told.length > 1)
        expect(found.operations).toContainEqual(expect.objectContaining({ reason: "owner_at_risk" }));
    },
  );

  it("signed out: kept, unless policy says otherwise, and the sessions end in any case", () => {
    const world = new World();
    expect(world.hear(say({ sessionsEnded: true }))).toMatchObject({
      signedOut: ["p1"],
      operations: [{ op: "principal.put" }],
    });
    world.fate = { ...usual, onSignOut: "revoke" };
    expect(typesOf(world.hear(say({ sessionsEnded: true }, { event: "jti-2" })))).toEqual([
      "person.sessions_ended",
      "key.revoked",
    ]);
  });

  it("kept where policy keeps; a signature demanded where it wants one; the gravest of several", () => {
    const world = new World();
    world.fate = { onLeave: "keep", onRoleLost: "keep", onSignOut: "keep", onRisk: "signature" };
    world.hear(say({ isActive: false, groups: { set: [] } }));
    expect(world.keys[0]).toMatchObject({ state: "active", require: [] });
    world.hear(say({ risk: "high" }, { event: "jti-2" }));
    expect(world.keys[0]).toMatchObject({ state: "active", require: ["signature"] });
    world.fate = { ...world.fate, onSignOut: "suspend", onRoleLost: "revoke" };
    world.hear(say({ risk: "high", sessionsEnded: true }, { event: "jti-3" }));
    expect(world.keys[0]).toMatchObject({ state: "suspended" });
  });

  it("an assignment that goes ends the keys of who held it, and no key is ordered across it", async () => {
    const world = new World();
    const by = { source: "admin", actor: "os:root", event: "assignments.remove" } as const;
    const found = await reconcileAssignment(world.present, by, { id: "a1", holders: [ada] });
    world.apply(found);
    expect(found.events).toMatchObject([{ type: "key.revoked", fields: { reason: "role_lost", lost: ["role bot"] } }]);
    expect(world.ada.revocations).toBe(1);
  });
});

describe("who says what", () => {
  it("an administrator's word is not undone by a directory's, nor a directory's by another", () => {
    const world = new World();
    world.hear(say({ isActive: false }, { source: "admin", by: "os:root", isOnce: false, at: null }));
    world.hear(say({ isActive: false }, { source: "scim", by: "key:1", isOnce: false, at: null }));
    world.hear(say({ isActive: true }, { source: "directory", isOnce: false, at: 600 }));
    world.hear(say({ isActive: true }, { source: "scim", by: "key:1", isOnce: false, at: null }));
    expect(world.ada).toMatchObject({ isDisabled: true, disabledBy: ["admin"] });
    world.hear(say({ isActive: true }, { source: "admin", by: "os:root", isOnce: false, at: null }));
    expect(world.ada).toMatchObject({ isDisabled: false, disabledBy: [] });
    expect(world.keys[0]!.state).toBe("revoked");
  });

  it("a directory's set leaves what was given here, but what it takes away is gone", () => {
    const world = new World();
    world.hear(say({ groups: { set: ["other"] } }));
    expect(world.ada.groups).toEqual(["local", "other"]);
    world.hear(say({ groups: { remove: ["local"] } }, { event: "jti-2" }));
    expect(world.ada.groups).toEqual(["other"]);
    world.hear(say({ groups: { set: ["local"] } }, { event: "jti-3" }));
    expect(world.ada).toMatchObject({ groups: ["local"], external: { groups: ["local"] } });
  });

  it("an older statement of a sender undoes none of his newer ones; of another it is his first", () => {
    const world = new World();
    world.hear(say({ groups: { set: [] } }, { at: 900 }));
    world.hear(say({ groups: { set: ["team"] }, isActive: false }, { at: 800, event: "jti-2" }));
    expect(world.ada).toMatchObject({ groups: ["local"], isDisabled: true });
    world.hear(say({ groups: { set: ["team"] } }, { at: 800, event: "jti-3", by: "https://other.example.org" }));
    expect(world.ada.groups).toEqual(["local", "team"]);
  });
});

const names = fc.constantFrom("team", "local", "a", "b", "c");
const lists = fc.uniqueArray(names, { maxLength: 4 });
const said: fc.Arbitrary<Said> = fc.record(
  {
    isActive: fc.boolean(),
    groups: fc.oneof(fc.record({ set: lists }), fc.record({ add: lists, remove: lists }), fc.record({ remove: lists })),
    sessionsEnded: fc.constant(true),
    credentialsRevoked: fc.constant(true),
    risk: fc.constantFrom("low", "medium", "high"),
  },
  { requiredKeys: [] },
);
const statements = fc
  .array(
    fc.record({
      says: said,
      at: fc.option(fc.integer({ min: 1, max: 9 })),
      isOnce: fc.boolean(),
      source: fc.constantFrom("scim", "caep", "directory", "admin"),
    }),
    { maxLength: 8 },
  )
  .map((rows) => rows.map((row, i) => say(row.says, { ...row, event: `e${i}`, by: row.source })));

describe("whatever is said", () => {
  it("the same statement a second time changes and records nothing", () => {
    fc.assert(
      fc.property(statements, statements, (before, [last]) => {
        fc.pre(last !== undefined);
        // What has neither an id nor an effect that lasts is new each time: a log-out, a risk.
        fc.pre(last.isOnce || !(last.says.sessionsEnded || last.says.credentialsRevoked || last.says.risk === "high"));
        const world = new World();
        for (const statement of before) world.hear(statement);
        const again = { ...last, event: "again" };
        world.hear(again);
        const held = JSON.stringify([world.ada, world.keys]);
        expect(world.hear(again)).toMatchObject({ operations: [], events: [] });
        expect(JSON.stringify([world.ada, world.keys])).toBe(held);
      }),
    );
  });

  it("what only takes away never adds a group, wakes a person or a key", () => {
    fc.assert(
      fc.property(statements, lists, fc.boolean(), (before, remove, isLeft) => {
        const world = new World();
        for (const statement of before) world.hear(statement);
        const held = { ada: world.ada, key: world.keys[0]! };
        world.hear(say({ groups: { remove }, ...(isLeft ? { isActive: false } : {}) }, { event: "last", at: null }));
        expect(world.ada.groups.every((group) => held.ada.groups.includes(group))).toBe(true);
        expect(held.ada.isDisabled && !world.ada.isDisabled).toBe(false);
        if (held.key.state === "revoked") expect(world.keys[0]!.state).toBe("revoked");
        if (isLeft && world.ada.isDisabled && !held.ada.isDisabled) expect(world.keys[0]!.state).toBe("revoked");
      }),
    );
  });

  it("every change has an event, a disabled person has somebody who says so, and groups given are groups", () => {
    fc.assert(
      fc.property(statements, (list) => {
        const world = new World();
        for (const statement of list) {
          const { operations, events } = world.hear(statement);
          expect(operations.length > 0).toBe(events.length > 0);
          expect(world.ada.isDisabled).toBe(world.ada.disabledBy.length > 0);
          expect(world.ada.external!.groups.every((group) => world.ada.groups.includes(group))).toBe(true);
        }
      }),
    );
  });

  it("of one sender's timed statements on groups the newest counts, in whatever order they come", () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.integer({ min: 1, max: 1_000 }), { minLength: 1, maxLength: 6 }),
        lists,
        (times, last) => {
          const world = new World();
          const newest = Math.max(...times);
          times.forEach((at, i) =>
            world.hear(say({ groups: { set: at === newest ? last : [`g${i}`] } }, { at, event: `e${i}` })),
          );
          expect(world.ada.external!.groups).toEqual(last);
        },
      ),
    );
  });
});
