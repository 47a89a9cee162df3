import { expect, it } from "vitest";
import type { LedgerEvent } from "../audit/event.ts";
import type { Operation } from "../changes/change.ts";
import type { Incident } from "../incident/incident.ts";
import type { KeyRecord } from "../keys/key.ts";
import type { Restriction } from "../keys/restriction.ts";
import { LeakDesk, NARROWED_MS } from "./leak-desk.ts";
import type { LeakAnswer } from "./leak-desk.ts";

function makeDesk(answer: LeakAnswer) {
  const key = { id: "4fT9wLq2ZbXc", environment: "dev", name: "wiki", owner: null, state: "active", isDecoy: true, createdAt: 0 }; // prettier-ignore
  const world = {
    now: 1_000,
    key: key as unknown as KeyRecord,
    restrictions: new Map<string, Restriction>(),
    incidents: [] as Incident[],
    events: [] as LedgerEvent[],
    fails: false,
  };
  const apply = (operation: Operation): void => {
    if (operation.op === "key.state") world.key = { ...world.key, state: operation.state, reason: operation.reason };
    if (operation.op === "restriction.put") world.restrictions.set(operation.restriction.id, operation.restriction);
    if (operation.op === "restriction.remove") world.restrictions.delete(operation.id);
  };
  const desk = new LeakDesk({
    clock: { now: () => world.now },
    changes: {
      inTurn: (work) => work(),
      async change({ operations, events }) {
        if (world.fails) throw new Error("the disk is full");
        operations.forEach(apply);
        world.events.push(...events);
        return { epoch: 1, seq: world.events.length };
      },
    },
    key: () => world.key,
    answerTo: () => answer,
    openIncident: () => world.incidents.find(({ closed }) => closed === null),
    newIncident: ({ id, environment, name }, openedBy, reason, openedAt) => ({
      id: `inc_${world.incidents.length}`,
      environment,
      key: id,
      keyName: name,
      owner: null,
      since: 0,
      reason,
      openedAt,
      openedBy,
      closed: null,
    }),
    putIncident: (incident) => void world.incidents.push(incident),
    wasFalseAlarm: async () => false,
    restrictions: () => [...world.restrictions.values()],
  });
  const report = () => {
    const found = { verdict: "working", kind: "api", key: world.key } as const;
    const witness = { actor: "leaks:x", sender: "x", message: "m", address: null };
    return desk.take([{ found, url: "https://x.example", source: null }], witness);
  };
  return { world, desk, report };
}

it("suspends, with one incident, and a second report changes nothing", async () => {
  const { world, report } = makeDesk({ action: "suspend", networks: [] });
  expect(await report()).toMatchObject({ seq: 3, leaks: [{ action: "suspend", incident: "inc_0" }] });
  expect(world.key).toMatchObject({ state: "suspended", reason: "incident" });
  expect((await report()).leaks).toMatchObject([{ action: "none", incident: "inc_0" }]);
  expect(world.incidents).toHaveLength(1);
  expect(world.events.map(({ type }) => type)).toEqual(["leak.reported", "incident.opened", "key.suspended", "leak.reported"]); // prettier-ignore
});

it("what was narrowed is suspended after a day, or when it is confirmed", async () => {
  const narrow = { action: "networks", networks: ["10.0.0.0/24"] } as const;
  const { world, desk, report } = makeDesk(narrow);
  await report();
  expect([world.key.state, world.restrictions.size]).toEqual(["active", 1]);
  world.now += NARROWED_MS - 1;
  expect(await desk.endDue()).toBe(0);
  world.now += 1;
  expect(await desk.endDue()).toBe(1);
  expect([world.key.state, world.key.reason, world.restrictions.size]).toEqual(["suspended", "incident", 0]);
  expect(world.events.at(-1)).toMatchObject({ type: "key.suspended", fields: { incident: "inc_0" } });

  const other = makeDesk(narrow);
  await other.report();
  const [id] = other.world.restrictions.keys();
  expect(await other.desk.suspendNarrowed(id!, "os:root")).toBe(true);
  expect(await other.desk.suspendNarrowed(id!, "os:root")).toBe(false);
  expect(other.world.key.state).toBe("suspended");
});

it("a store that cannot be written leaves nothing half done", async () => {
  const { world, report } = makeDesk({ action: "suspend", networks: [] });
  world.fails = true;
  await expect(report()).rejects.toThrow("full");
  expect([world.key.state, world.incidents.length]).toEqual(["active", 0]);
});

it("a canary key has one open incident", async () => {
  const { world, desk } = makeDesk({ action: "suspend", networks: [] });
  expect(await desk.canaryUsed("dev", world.key.id, "198.51.100.7")).toBe("inc_0");
  expect(await desk.canaryUsed("dev", world.key.id, "198.51.100.8")).toBeUndefined();
  expect(world.incidents[0]!.reason).toContain("198.51.100.7");
});
