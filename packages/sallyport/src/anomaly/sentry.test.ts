import { beforeEach, describe, expect, it } from "vitest";
import type { AlertAction } from "@sallyport/protocol";
import type { Change } from "../changes/change.ts";
import { imagesOf } from "../changes/image.ts";
import type { KeyRecord } from "../keys/key.ts";
import { Restrictions } from "../keys/restrictions.ts";
import type { Alert } from "./alert.ts";
import { observe } from "./observation.ts";
import { Sentry } from "./sentry.ts";
import type { KeyWatch } from "./watch/key-watch.ts";

const alert = (more: Partial<Alert> = {}): Alert => ({
  id: "prod/K/stolen_key/1000",
  at: 1_000,
  environment: "prod",
  key: "K",
  owner: "p",
  kind: "stolen_key",
  isDeterministic: false,
  signals: 2,
  p: 1e-6,
  factors: [{ name: "network", observed: "198.51.100.0/24", usual: ["10.0.0.0/24"], p: 1e-4 }],
  evidence: [{ request: "req_1", at: 1_000 }],
  ...more,
});

let now: number;
let next: Alert[];
let key: KeyRecord;
let restrictions: Restrictions;
let changes: Change[];
let learned: unknown[];
let action: AlertAction;
let sentry: Sentry;

beforeEach(() => {
  now = 1_000;
  next = [];
  key = {
    id: "K",
    environment: "prod",
    owner: "p",
    state: "active",
    reason: null,
    signers: [],
  } as unknown as KeyRecord;
  restrictions = new Restrictions(() => []);
  changes = [];
  learned = [];
  action = "suspend";
  sentry = start();
});

function start(): Sentry {
  return new Sentry({
    clock: { now: () => now },
    watch: {
      see: () => next.splice(0),
      falseAlarm: (one: Alert) => learned.push(one) > 0,
      networks: () => ["10.0.0.0/24", "198.51.100.0/24"],
    } as unknown as KeyWatch,
    policy: (environment) =>
      environment === "prod" ? { budget: 1, actions: { default: action }, forMs: 60_000 } : undefined,
    key: () => key,
    isPerson: () => false,
    restrictions,
    changes: {
      inTurn: (work) => work(),
      change: async (change) => {
        changes.push(change);
        for (const operation of change.operations) {
          if (operation.op === "key.state") key = { ...key, state: operation.state, reason: operation.reason };
        }
        const images = imagesOf(change.operations, []);
        restrictions.apply(images.filter((image) => image.of === "restriction"));
        return { epoch: changes.length, seq: changes.length };
      },
    },
    fault: (cause) => {
      throw cause;
    },
  });
}

async function raise(one: Alert): Promise<void> {
  next.push(one);
  sentry.see(observe({ kind: "exchange", at: 1_000, environment: "prod", key: "K" }));
  await sentry.settled();
}
const types = () => changes.flatMap(({ events }) => events.map(({ type }) => type));

describe("an alert", () => {
  it("is recorded with its reason and what is done, in one change with it", async () => {
    await raise(alert());
    expect(changes).toHaveLength(1);
    expect(types()).toEqual(["anomaly.detected", "key.suspended"]);
    expect(changes[0]!.events[0].fields).toMatchObject({ action: "suspend", kind: "stolen_key", requests: ["req_1"] });
    expect(changes[0]!.events[0].fields["factors"]).toEqual([
      "network: 198.51.100.0/24 (usual: 10.0.0.0/24), p 0.0001",
    ]);
    expect(key).toMatchObject({ state: "suspended", reason: "anomaly" });
  });

  it("of one likelihood alone does no more than tell, and says what it held back", async () => {
    await raise(alert({ signals: 1 }));
    expect(types()).toEqual(["anomaly.detected"]);
    expect(changes[0]!.events[0].fields).toMatchObject({ action: "notify", held: "suspend" });
    expect(key.state).toBe("active");
  });

  it("binds to what was known before it, not to what it calls new", async () => {
    action = "networks";
    await raise(alert());
    expect(restrictions.all()[0]).toMatchObject({ action: "networks", networks: ["10.0.0.0/24"], until: 61_000 });
  });

  it("that asks only for a note tells nobody", async () => {
    action = "note";
    await raise(alert());
    expect(types()).toEqual(["anomaly.noted"]);
  });

  it("about a key that has ended, or an environment that is gone, changes nothing", async () => {
    key = { ...key, state: "revoked", reason: "by_administrator" };
    await raise(alert());
    await raise(alert({ environment: "gone" }));
    expect(types()).toEqual(["anomaly.detected"]);
    expect(restrictions.size).toBe(0);
  });
});

describe("what was done", () => {
  it("ends when its time is over, and not before", async () => {
    await raise(alert());
    now = 60_999;
    await sentry.endDue();
    expect(key.state).toBe("suspended");
    now = 61_000;
    await sentry.endDue();
    expect(key).toMatchObject({ state: "active", reason: null });
    expect(types().slice(2)).toEqual(["anomaly.response_ended", "key.resumed"]);
    await sentry.endDue();
    expect(types()).toHaveLength(4);
  });

  it("is taken back by a false alarm, which is learned from", async () => {
    await raise(alert());
    expect(
      await sentry.answer({ alert: alert().id, actor: "key:A", from: { address: "10.0.0.9" }, verdict: "false_alarm" }),
    ).toBe(true);
    expect(learned).toHaveLength(1);
    expect(key.state).toBe("active");
  });

  it("is learned from though the gateway was started again in between", async () => {
    await raise(alert());
    const kept = sentry.remembered();
    sentry = start();
    sentry.remember(kept);
    await sentry.answer({ alert: alert().id, actor: "key:A", from: {}, verdict: "false_alarm" });
    expect(learned).toHaveLength(1);
  });

  it("stays when it is confirmed: nothing resumes the key by itself", async () => {
    await raise(alert());
    await sentry.answer({ alert: alert().id, actor: "key:A", from: { address: "10.0.0.9" }, verdict: "confirmed" });
    now = 1e9;
    await sentry.endDue();
    expect(key).toMatchObject({ state: "suspended", reason: "anomaly" });
    expect(learned).toEqual([]);
  });

  it("gives nobody back a key that somebody else stopped for another reason meanwhile", async () => {
    await raise(alert());
    key = { ...key, reason: "incident" };
    now = 61_000;
    await sentry.endDue();
    expect(key).toMatchObject({ state: "suspended", reason: "incident" });
    expect(restrictions.size).toBe(0);
  });

  it("ends with the last of two suspensions", async () => {
    await raise(alert());
    key = { ...key, state: "active", reason: null };
    now = 2_000;
    await raise(alert({ id: "prod/K/flood/2000", at: 2_000, kind: "flood" }));
    now = 61_500;
    await sentry.endDue();
    expect(key.state).toBe("suspended");
    now = 62_000;
    await sentry.endDue();
    expect(key.state).toBe("active");
  });

  it("is answered though nothing is left of it: the word is in the ledger", async () => {
    expect(
      await sentry.answer({
        alert: "prod/K/flood/1",
        actor: "key:A",
        from: { address: "10.0.0.9" },
        verdict: "confirmed",
      }),
    ).toBe(false);
    expect(changes[0]!.events[0]).toMatchObject({
      type: "anomaly.answered",
      environment: "prod",
      fields: { key: "K", address: "10.0.0.9" },
    });
  });
});
