/** The end of access reviews, their schedules, and lines that stand for no one's right. */
import type { AdminClient } from "@sallyport/client";
import { beforeEach, describe, expect, it } from "vitest";
import { everything } from "../program-under-test.ts";
import { clientOf, codeOf } from "./caller.ts";
import { DAY_MS, START_MS } from "./memory-ports.ts";
import type { MemoryGateway } from "./memory-ports.ts";
import { decide, open, POLICY, ReviewWorld } from "./review-world.ts";

let world: ReviewWorld;
let gateway: MemoryGateway;
let root: AdminClient;
/** Reviewers with keys of their names. */
let ada: AdminClient;
let grace: AdminClient;
let keys: ReviewWorld["keys"];

beforeEach(async () => {
  world = await new ReviewWorld().begin();
  ({ gateway, root, ada, grace, keys } = world);
});

describe("the end", () => {
  it("suspends what no one decided on, never the last administrator, and all of it can be restored", async () => {
    const admin = await world.adminKey("linus", "admin");
    const id = await world.start();
    await decide(ada, id, (await world.line(id, `key:${keys[0]!.id}`)).line, "keep");
    expect(await codeOf(root.call("reviews.close", { params: { id } }))).toBe("review_state");
    await world.endBySilence();
    expect(keys.map((key) => world.stateOf(key.id))).toEqual(["active", "suspended", "suspended"]);
    expect(world.stateOf(admin.id, "system")).toBe("active");
    const protectedLine = await world.line(id, `admin_key:${admin.id}`);
    expect(protectedLine.outcome).toMatchObject({ what: "protected", says: expect.stringContaining("last admin key") });
    const closed = gateway.events.at(-1);
    expect(closed).toMatchObject({
      type: "review.closed",
      actor: "gateway",
      fields: { review: id, kept: 1, protected: 1 },
    });
    const services = gateway.state.principals.filter(({ bounds }) => bounds?.disabledIn);
    expect(services).toHaveLength(3);
    for (const line of await world.lines(id))
      if (line.outcome?.what === "suspended")
        expect(
          await codeOf(root.call("reviews.restore", { params: { id, line: line.line }, body: { reason: "r" } })),
        ).toBe("done");
    expect(keys.map((key) => world.stateOf(key.id))).toEqual(["active", "active", "active"]);
    expect(gateway.state.principals.filter(({ bounds }) => bounds?.disabledIn)).toEqual([]);
    expect(gateway.state.assignments).toHaveLength(4);
  });

  it("waits for a clock that can be believed", async () => {
    const id = await world.start();
    gateway.nowMs += 15 * DAY_MS;
    await world.jobs(false).look();
    expect(world.stateOf(keys[0]!.id)).toBe("active");
    // Nor is anything decided after the end.
    expect(await codeOf(decide(ada, id, 1, "keep"))).toBe("review_state");
  });

  it("is announced 7, 3 and 1 days before, each once", async () => {
    const id = await world.start(["ada"]);
    const job = world.jobs();
    for (let hour = 0; hour < 13 * 24; hour += 12) {
      gateway.nowMs = START_MS + hour * 3_600_000;
      await job.look();
      await job.look();
    }
    const reminders = gateway.events.filter(({ type }) => type === "review.reminder");
    expect(reminders.map(({ fields }) => fields["days"])).toEqual([7, 3]);
    expect(reminders[0]).toMatchObject({ fields: { review: id, open: 12 } });
    gateway.nowMs = START_MS + 13.5 * DAY_MS;
    await job.look();
    expect(gateway.events.at(-1)).toMatchObject({ type: "review.reminder", fields: { days: 1 } });
  });

  it("goes on after a stop half way, and ends once", async () => {
    const id = await world.start();
    gateway.nowMs += 15 * DAY_MS;
    gateway.changesLeft = 1;
    await world.jobs().look();
    expect((await root.call("reviews.show", { params: { id } })).state).toBe("open");
    gateway.changesLeft = Infinity;
    await Promise.all([world.jobs().look(), world.jobs().look()]);
    expect(gateway.events.filter(({ type }) => type === "review.closed")).toHaveLength(1);
    expect(
      gateway.events.filter(({ type, fields }) => type === "key.suspended" && fields["key"] === keys[0]!.id),
    ).toHaveLength(1);
  });
});

describe("a schedule", () => {
  const withReviews = (text: string): string => POLICY.replace("dev: {", `dev: { reviews: [${text}],`);
  const apply = (text: string) => root.call("policy.apply", { body: { text: withReviews(text) } });

  it("starts one review in each quarter or month, whatever the clock does meanwhile", async () => {
    await apply("{ every: quarterly }, { every: monthly, scope: privileged, due: 7d }");
    const job = world.jobs();
    const started = (): string[] =>
      gateway.events.filter(({ type }) => type === "review.started").map(({ fields }) => String(fields["schedule"]));
    await job.look();
    await job.look();
    expect(started()).toEqual(["dev/all/quarterly", "dev/privileged/monthly"]);
    gateway.nowMs -= DAY_MS;
    await job.look();
    expect(started()).toHaveLength(2);
    // October becomes November: the monthly one is over by then.
    gateway.nowMs = Date.UTC(2025, 10, 1);
    await job.look();
    expect(started().at(-1)).toBe("dev/privileged/monthly");
    const before = started().length;
    gateway.nowMs = Date.UTC(2026, 0, 1);
    await job.look();
    expect(started().slice(before).toSorted()).toEqual(["dev/all/quarterly", "dev/privileged/monthly"]);
  });

  it("whose reviewer does not exist starts nothing, and is tried again an hour later", async () => {
    await apply("{ every: quarterly, reviewers: [nemo] }");
    const job = world.jobs();
    await job.look();
    await world.adminKey("nemo");
    await job.look();
    expect(gateway.reviewTable.size).toBe(0);
    gateway.nowMs += 3_600_000;
    await job.look();
    expect(gateway.reviewTable.size).toBe(1);
  });

  it("is part of policy: shown, planned, and not ended by who may hand out nothing", async () => {
    expect((await apply("{ every: quarterly, reviewers: [ada] }")).changes.join()).toContain(
      "reviews none -> quarterly of all, due 14d by ada",
    );
    const { reviews } = await root.call("environments.show", { params: { name: "dev" } });
    expect(reviews).toEqual([{ every: "quarterly", scope: "all", due: "14d", reviewers: ["ada"] }]);
    const weak = clientOf(gateway, { ...everything, mayGrant: null });
    expect(await codeOf(weak.call("policy.apply", { body: { text: POLICY } }))).toBe("grant_exceeds_issuer");
  });

  it.each(["{ every: weekly }", "{ every: monthly, due: 29d }", "{ every: monthly }, { every: monthly, due: 7d }"])(
    "%s is a mistake",
    async (text) => {
      expect(await codeOf(apply(text))).toBe("input_invalid");
    },
  );
});

describe("canary lines", () => {
  beforeEach(async () => {
    for (let n = 0; n < 30; n++)
      await root.call("keys.create", {
        body: { environment: "dev", name: `k${n}`, roles: ["bot"], models: ["llama3.2"] },
      });
  });

  it("one for each fifty: unknown until the review is closed, and who keeps one is named", async () => {
    const id = await world.start(["ada", "grace"]);
    const { canaries } = gateway.reviewTable.get(id)!;
    expect(canaries).toHaveLength(2);
    for (const line of canaries) {
      const shown = await open(await reviewerOf(id, line), id, line);
      expect(Object.keys(shown)).toEqual(Object.keys(await open(await reviewerOf(id, 1), id, 1)));
      expect([shown.flags, shown.now]).toEqual([[], shown.frozen]);
    }
    expect(JSON.stringify([gateway.events, await world.lines(id)])).not.toMatch(/canary_salt|isCanary/);
    expect(await codeOf(root.call("reviews.export", { params: { id } }))).toBe("review_state");
    for (const line of canaries) await decide(await reviewerOf(id, line), id, line, "keep");
    await world.endBySilence();
    const { result } = await root.call("reviews.show", { params: { id } });
    expect(result?.figures.flatMap(({ signs }) => signs).join()).toContain("canary line");
    const { lines } = await root.call("reviews.export", { params: { id }, query: { limit: 500 } });
    expect(lines.filter(({ isCanary }) => isCanary).map(({ line }) => line)).toEqual(canaries);
  });

  async function reviewerOf(id: string, line: number): Promise<AdminClient> {
    const { assignedTo } = (await world.lines(id)).find((one) => one.line === line)!;
    const { reviewers } = await root.call("reviews.show", { params: { id } });
    return reviewers.find(({ actor }) => actor === assignedTo)?.name === "ada" ? ada : grace;
  }
});
