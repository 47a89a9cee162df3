import { describe, expect, it } from "vitest";
import type { Change } from "./change.ts";
import { demandKnown } from "./change.ts";
import { Feed } from "./feed.ts";
import { imagesOf } from "./image.ts";
import type { Committed, View } from "./image.ts";

const change: Change = {
  operations: [{ op: "role.remove", name: "bot" }],
  events: [{ type: "role.changed", at: 1, environment: "system", actor: "test", fields: {} }],
};

class World {
  readonly said: string[] = [];
  readonly faults: string[] = [];
  readonly stale: string[] = [];
  failsToApply = false;
  failsToRebuild = false;
  onCommit: () => Promise<void> = async () => {};
  epoch = 0;

  view(name: string, hears: View["hears"]): View {
    return {
      name,
      hears,
      apply: (images, epoch) => {
        this.said.push(`${name} ${images.map(({ of }) => of).join()} ${epoch}`);
        if (this.failsToApply && name === "first") throw new Error("apply");
      },
      rebuild: () => {
        this.said.push(`${name} rebuilt`);
        if (this.failsToRebuild) throw new Error("rebuild");
      },
    };
  }

  readonly feed = new Feed({
    writer: {
      change: async ({ operations, events }): Promise<Committed> => {
        await this.onCommit();
        this.said.push("committed");
        return { epoch: ++this.epoch, seq: this.epoch, images: imagesOf(operations, []), events };
      },
    },
    views: [this.view("first", ["role"]), this.view("second", ["environment", "role"]), this.view("third", ["key"])],
    isNarrowing: () => true,
    onFault: (what, cause) => this.faults.push(`${what}: ${(cause as Error).message}`),
    onStale: (view) => this.stale.push(view),
  });

  constructor() {
    this.feed.onChanged(() => this.said.push("decided"));
    this.feed.onCommitted(({ events }) => this.said.push(`told ${events.length}`));
  }

  async make(wanted: Change = change): Promise<void> {
    await this.feed.inTurn(() => this.feed.change(wanted));
    this.said.push("acknowledged");
  }
}

const SHOWN = ["first role 1", "second role 1", "third  1"];

describe("a change", () => {
  it("is committed, shown by every view, decided again, told, and then acknowledged", async () => {
    const world = new World();
    await world.make();
    expect(world.said).toEqual(["committed", ...SHOWN, "decided", "told 1", "acknowledged"]);
  });

  it("that only records changes no view, and is told", async () => {
    const world = new World();
    await world.make({ ...change, operations: [] });
    expect(world.said).toEqual(["committed", "told 1", "acknowledged"]);
  });

  it("that is not committed is shown nowhere", async () => {
    const world = new World();
    world.onCommit = () => Promise.reject(new Error("disk"));
    await expect(world.make()).rejects.toThrow("disk");
    expect(world.said).toEqual([]);
    world.onCommit = async () => {};
    await world.make();
    expect(world.said.at(-1)).toBe("acknowledged");
  });

  it("outside a turn is a mistake of the program, and is not made", async () => {
    const world = new World();
    await expect(world.feed.change(change)).rejects.toThrow("in a turn");
    expect(world.said).toEqual([]);
  });

  it("waits until the turn before it is over, whatever that came to", async () => {
    const world = new World();
    const order: string[] = [];
    let release = (): void => {};
    const first = world.feed.inTurn(async () => {
      order.push("first begins");
      await new Promise<void>((resolve) => (release = resolve));
      order.push("first ends");
      throw new Error("judged and denied");
    });
    const second = world.feed.inTurn(async () => void order.push("second"));
    await Promise.resolve();
    release();
    await expect(first).rejects.toThrow("denied");
    await second;
    expect(order).toEqual(["first begins", "first ends", "second"]);
  });
});

describe("a view that throws", () => {
  it("is read anew, in the same turn, before anything is decided or acknowledged; the change stays committed", async () => {
    const world = new World();
    world.failsToApply = true;
    await world.make();
    const [committed, first, ...rest] = ["committed", ...SHOWN];
    expect(world.said).toEqual([committed, first, "first rebuilt", ...rest, "decided", "told 1", "acknowledged"]);
    expect(world.faults).toEqual(["the view first could not apply a change and is rebuilt: apply"]);
    expect([world.feed.rebuilt, world.stale]).toEqual([1, []]);
  });

  it("and cannot be rebuilt: the gateway hears that nothing may be served", async () => {
    const world = new World();
    world.failsToApply = world.failsToRebuild = true;
    await world.make();
    expect(world.stale).toEqual(["first"]);
  });

  it("a subscriber that cannot decide again does not stop the others, and the change is not acknowledged", async () => {
    const world = new World();
    world.feed.onChanged(() => {
      throw new Error("listener");
    });
    world.feed.onChanged(() => world.said.push("decided second"));
    await expect(world.make()).rejects.toThrow("not decided again");
    expect(world.said.slice(-3)).toEqual(["decided", "decided second", "told 1"]);
    expect(world.faults).toEqual(["deciding again after a change failed: listener"]);
  });
});

describe("a change of another program", () => {
  const program = "sallyport/9.0.0";
  it.each([
    ["of a later version", { version: 2, program }, change.operations, "version 2"],
    ["with an operation that is not known", { version: 1, program }, [{ op: "key.teleport" }], '"key.teleport"'],
    [
      "with an operation named like a property of every object",
      { version: 1, program },
      [{ op: "toString" }],
      '"toString"',
    ],
  ])("%s is refused whole, and says who wrote it", (_what, origin, operations, says) => {
    expect(() => demandKnown(origin, operations)).toThrowError(
      expect.objectContaining({
        code: "change_unknown",
        message: expect.stringMatching(`^${program.replace(".", "\\.")} wrote .*${says}`) as string,
      }) as Error,
    );
  });

  it("of this version is known", () => {
    expect(() => demandKnown({ version: 1, program }, change.operations)).not.toThrow();
  });
});
