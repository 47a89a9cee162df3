import { describe, expect, it } from "vitest";
import { Problem } from "@sallyport/protocol";
import type { Change } from "../../changes/change.ts";
import { Feed } from "../../changes/feed.ts";
import { imagesOf } from "../../changes/image.ts";
import type { Committed } from "../../changes/image.ts";
import { Authority } from "./authority.ts";
import { makeBase } from "./epoch-entry.ts";
import type { EntrySigner, LogHead } from "./epoch-entry.ts";
import { MemoryEpochLog, MemoryEpochs } from "./memory-epoch-log.ts";

const DEPLOYMENT = "AbCdEf123456";
const signerOf = (key: string): EntrySigner => ({
  sign: (text) => `${key} of ${text}`,
  isGenuine: (text, signature) => signature === `${key} of ${text}`,
});
const signer = signerOf("key");
const base = makeBase(signer, DEPLOYMENT, 0, "0".repeat(64));

function changeOf(name: string): Change {
  return {
    operations: [{ op: "role.remove", name }],
    events: [{ type: "role.changed", at: 1, environment: "system", actor: "test", fields: { name } }],
  };
}

/** A gateway with a replica in memory. */
class Machine {
  readonly applied: string[] = [];
  readonly shown: string[] = [];
  readonly notices: string[] = [];
  readonly untrusted: string[] = [];
  readonly log: MemoryEpochLog;
  authority: Authority;
  feed: Feed;
  place: LogHead = base;
  refuses: Problem | null = null;
  failsToApply = false;
  /** What a replica that has become another one says to an entry. */
  rejects: Problem | null = null;

  constructor(shared: MemoryEpochs, { deployment = DEPLOYMENT, key = signer } = {}) {
    this.log = new MemoryEpochLog(shared);
    [this.authority, this.feed] = this.#open(deployment, key);
  }

  #open(deployment: string, key: EntrySigner): [Authority, Feed] {
    const committed = ({ operations, events }: Change, epoch: number): Committed => ({
      epoch,
      seq: epoch,
      images: imagesOf(operations, []),
      events,
    });
    const authority = new Authority({
      log: this.log,
      signer: key,
      deployment,
      place: this.place,
      author: "node",
      program: "sallyport/0.1.0",
      clock: { now: () => 1 },
      replica: {
        change: async (change) => committed(change, this.place.epoch),
        judge: async () => {
          if (this.refuses) throw this.refuses;
        },
        apply: async (change, { epoch, head }) => {
          if (this.failsToApply) throw new Problem("store_unavailable", "the disk is full");
          if (this.rejects) throw this.rejects;
          expect(epoch).toBe(this.place.epoch + 1);
          this.place = { epoch, head };
          this.applied.push(...change.operations.map((one) => ("name" in one ? one.name : one.op)));
          return committed(change, epoch);
        },
      },
      onNotice: (text) => this.notices.push(text),
      onUntrusted: ({ code }) => this.untrusted.push(code),
    });
    const feed = new Feed({
      writer: authority,
      views: [
        {
          name: "roles",
          hears: ["role"],
          apply: (images) => this.shown.push(...images.map((image) => ("id" in image ? image.id : ""))),
          rebuild: () => {},
        },
      ],
      isNarrowing: () => false,
      onFault: () => {},
      onStale: () => {},
    });
    authority.attach(feed);
    return [authority, feed];
  }

  async restart(): Promise<void> {
    await this.authority.close();
    [this.authority, this.feed] = this.#open(DEPLOYMENT, signer);
    await this.authority.begin();
  }

  make(name: string): Promise<unknown> {
    return this.feed.inTurn(() => this.feed.change(changeOf(name)));
  }

  look(): Promise<void> {
    return this.authority.look({ isRenewalDue: true });
  }
}

async function two(): Promise<{ shared: MemoryEpochs; active: Machine; standby: Machine }> {
  const shared = new MemoryEpochs();
  await new MemoryEpochLog(shared).begin(base);
  const [active, standby] = [new Machine(shared), new Machine(shared)];
  await active.authority.begin();
  await standby.authority.begin();
  return { shared, active, standby };
}

describe("an authority", () => {
  it("appends before it applies, and others follow in the same order", async () => {
    const { shared, active, standby } = await two();
    await Promise.all(["a", "b", "c"].map((name) => active.make(name)));
    expect([shared.entries.length, active.applied, active.shown]).toEqual([3, ["a", "b", "c"], ["a", "b", "c"]]);
    await standby.look();
    expect([standby.applied, standby.shown, standby.place]).toEqual([["a", "b", "c"], ["a", "b", "c"], active.place]);
  });

  it("on standby makes no change, names the active one, and takes over when it is gone", async () => {
    const { shared, active, standby } = await two();
    active.authority.announce("http://active:1");
    await active.look();
    await standby.look();
    await expect(standby.make("x")).rejects.toMatchObject({
      code: "authority_standby",
      detail: expect.stringContaining("http://active:1") as string,
    });
    await active.make("last");
    shared.owner = null;
    await standby.look();
    await standby.make("next");
    expect(standby.applied).toEqual(["last", "next"]);
    await expect(active.make("late")).rejects.toMatchObject({ code: "authority_standby" });
    await active.look();
    expect([active.authority.isActive, active.applied]).toEqual([false, ["last", "next"]]);
  });

  it("puts nothing into the log that its replica would reject", async () => {
    const { shared, active } = await two();
    active.refuses = new Problem("conflict", "revoked is final");
    await expect(active.make("x")).rejects.toMatchObject({ code: "conflict" });
    expect([shared.entries, active.applied]).toEqual([[], []]);
    active.refuses = null;
    await active.make("y");
    expect(active.applied).toEqual(["y"]);
  });

  it("records what only adds records on its own, also on standby and while the log is away", async () => {
    const { shared, standby } = await two();
    shared.isReachable = false;
    await standby.feed.inTurn(() => standby.feed.change({ ...changeOf("x"), operations: [] }));
    expect(shared.entries).toEqual([]);
  });

  it("acknowledges nothing while the log is away, and needs no restart when it is back", async () => {
    const { shared, active } = await two();
    shared.isReachable = false;
    await expect(active.make("x")).rejects.toMatchObject({ code: "log_unavailable" });
    await active.look();
    await expect(active.make("y")).rejects.toMatchObject({ code: "log_unavailable" });
    expect([active.applied, active.untrusted]).toEqual([[], []]);
    shared.isReachable = true;
    shared.owner = null;
    await active.look();
    await active.make("z");
    expect(active.applied).toEqual(["z"]);
  });

  it("that was killed between append and apply finds the change in the log at its start", async () => {
    const { active } = await two();
    active.failsToApply = true;
    await expect(active.make("x")).rejects.toMatchObject({ code: "store_unavailable" });
    expect(active.applied).toEqual([]);
    active.failsToApply = false;
    await active.restart();
    expect([active.applied, active.place.epoch]).toEqual([["x"], 1]);
  });

  it("that could not apply a change applies it before the next, which was judged without it and is rejected", async () => {
    const { shared, active } = await two();
    active.failsToApply = true;
    await expect(active.make("x")).rejects.toMatchObject({ code: "store_unavailable" });
    active.failsToApply = false;
    await expect(active.make("y")).rejects.toMatchObject({ code: "conflict" });
    await active.make("z");
    expect([active.applied, shared.entries.length]).toEqual([["x", "z"], 2]);
  });

  it.each([
    ["another deployment", { deployment: "other0000000" }, "log_foreign"],
    ["another signing key", { key: signerOf("other") }, "log_damaged"],
  ])("does not begin on the log of %s", async (_what, options, code) => {
    const shared = new MemoryEpochs();
    await new MemoryEpochLog(shared).begin(base);
    await expect(new Machine(shared, options).authority.begin()).rejects.toMatchObject({ code });
  });

  it("does not begin without a log, on an ended one, or ahead of it", async () => {
    const shared = new MemoryEpochs();
    await expect(new Machine(shared).authority.begin()).rejects.toMatchObject({ code: "log_missing" });
    const { active, shared: used } = await two();
    await active.make("x");
    used.entries.pop();
    await expect(active.restart()).rejects.toMatchObject({ code: "log_ahead" });
    used.isClosed = true;
    await expect(new Machine(used).authority.begin()).rejects.toMatchObject({ code: "log_foreign" });
  });

  it.each([
    [
      "forged",
      (entries: MemoryEpochs["entries"]) => (entries[0] = { ...entries[0]!, operations: entries[1]!.operations }),
    ],
    ["missing", (entries: MemoryEpochs["entries"]) => entries.shift()],
  ])("on standby stops serving where an entry is %s, and applies nothing of it", async (_what, damage) => {
    const { shared, active, standby } = await two();
    await active.make("a");
    await active.make("b");
    damage(shared.entries);
    await standby.look();
    expect([standby.applied, standby.untrusted]).toEqual([[], ["log_damaged"]]);
  });

  it("on standby stops serving where its replica does not accept an entry, and waits where its disk is full", async () => {
    const { active, standby } = await two();
    await active.make("a");
    standby.failsToApply = true;
    await standby.look();
    expect(standby.untrusted).toEqual([]);
    standby.failsToApply = false;
    standby.rejects = new Problem("conflict", "there is no such role");
    await standby.look();
    expect([standby.applied, standby.untrusted]).toEqual([[], ["log_damaged"]]);
  });
});
