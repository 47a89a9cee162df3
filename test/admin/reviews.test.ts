/** Access reviews: who may decide on what, what a decision does, and what happens to what no one decided on. */
import { AdminClient } from "@sallyport/client";
import type { LineView } from "@sallyport/contract";
import { beforeEach, describe, expect, it } from "vitest";
import { pino } from "pino";
import { everything, ReviewJobs } from "../program-under-test.ts";
import type { AdminRight } from "../program-under-test.ts";
import { clientWith, codeOf } from "./caller.ts";
import { DAY_MS, MemoryGateway, START_MS } from "./memory-ports.ts";

const POLICY = `
environments:
  dev: { upstreams: [{ url: "http://127.0.0.1:11434" }] }
  prod: { upstreams: [{ url: "http://10.0.0.1:11434" }] }
roles:
  bot: { allow: [{ do: [infer:chat], on: [llama3.2] }] }
assign:
  - { group: ops, role: bot, in: [dev] }
`;
const REVIEWS: AdminRight = {
  permissions: ["reviews:read", "reviews:decide"],
  environments: ["dev"],
  mayGrant: null,
};

let gateway: MemoryGateway;
let root: AdminClient;
/** Reviewers with keys of their names. */
let ada: AdminClient;
let grace: AdminClient;
let keys: { id: string; owner: string }[];

async function adminKey(name: string, role = "access-reviewer") {
  const { id, key } = await root.call("adminKeys.create", {
    body: { name, role: role as "access-reviewer", environments: ["dev"] },
  });
  return { id, client: clientWith(gateway, key) };
}

async function start(reviewers: string[] = [], due = "14d"): Promise<string> {
  const { reviewId } = await root.call("reviews.start", { body: { environment: "dev", reviewers, due } });
  return reviewId;
}

async function linesOf(id: string): Promise<LineView[]> {
  return (await root.call("reviews.lines", { params: { id }, query: { limit: 500 } })).lines;
}

async function lineOf(id: string, subject: string): Promise<LineView> {
  const found = (await linesOf(id)).find((line) => line.subject === subject);
  if (!found) throw new Error(`no line of ${subject}`);
  return found;
}

const decide = (by: AdminClient, id: string, line: number, decision: "keep" | "revoke" | "narrow", version?: number) =>
  by.call("reviews.decide", { params: { id, line }, body: { decision, reason: "because", version } });

const open = (by: AdminClient, id: string, line: number) => by.call("reviews.open", { params: { id, line } });

/** Past the end of the review, by the gateway itself. */
async function endBySilence(): Promise<void> {
  gateway.nowMs += 15 * DAY_MS;
  await jobs().look();
}

function jobs(
  isClockAgreed = true,
  schedules: ConstructorParameters<typeof ReviewJobs>[0]["schedules"] = [],
): ReviewJobs {
  const log = pino({ level: "silent" });
  return new ReviewJobs({ ports: gateway.ports, isClockAgreed: () => isClockAgreed, schedules, log });
}

const stateOf = (id: string, environment = "dev") => gateway.stored.get(`${environment}/${id}`)?.state;

beforeEach(async () => {
  gateway = new MemoryGateway();
  root = new AdminClient({ handle: (request) => gateway.app.handle(request, { kind: "socket", user: "root" }) });
  await root.call("policy.apply", { body: { text: POLICY } });
  keys = [];
  for (const name of ["one", "two", "three"])
    keys.push(
      await root.call("keys.create", { body: { environment: "dev", name, roles: ["bot"], models: ["llama3.2"] } }),
    );
  ada = (await adminKey("ada")).client;
  grace = (await adminKey("grace")).client;
});

describe("the population", () => {
  it("is every key, assignment, service and admin key of the environment, with its hash in the audit log", async () => {
    await root.call("keys.create", { body: { environment: "prod", name: "p", roles: ["bot"], models: ["llama3.2"] } });
    const { reviewId: id, lines, populationHash } = await root.call("reviews.start", { body: { environment: "dev" } });
    const subjects = (await linesOf(id)).map(({ subject }) => subject.split(":")[0]);
    const count = (kind: string): number => subjects.filter((one) => one === kind).length;
    // Of the three keys each has a service with an assignment; the group has another.
    expect([count("key"), count("service"), count("assignment"), count("admin_key")]).toEqual([3, 3, 4, 2]);
    expect(lines).toBe(12);
    expect(gateway.events.at(-1)).toMatchObject({
      type: "review.started",
      environment: "dev",
      fields: { review: id, entries: 12, population_sha256: populationHash },
    });
    expect(JSON.stringify(gateway.events)).not.toContain("canarySalt");
  });

  it("of one environment has one open review of a kind", async () => {
    await start();
    expect(await codeOf(start())).toBe("review_state");
    expect(await codeOf(root.call("reviews.start", { body: { environment: "dev", scope: "privileged" } }))).toBe(
      "done",
    );
    expect(await codeOf(root.call("reviews.start", { body: { environment: "prod" } }))).toBe("input_invalid");
  });

  it.each([["0d"], ["91d"], ["1h"]])("is not reviewed within %s", async (due) => {
    expect(await codeOf(root.call("reviews.start", { body: { environment: "dev", due } }))).toBe("input_invalid");
  });
});

describe("a reviewer", () => {
  it("does not decide on what they issued, on their own key, or on another's line", async () => {
    const issuing = await adminKey("linus", "admin");
    const made = await clientWith(gateway, gateway.adminKey({ ...everything, environments: ["dev"] })).call(
      "keys.create",
      { body: { environment: "dev", name: "x", roles: ["bot"], models: ["llama3.2"] } },
    );
    const id = await start();
    const own = await lineOf(id, `admin_key:${issuing.id}`);
    expect(await codeOf(decide(issuing.client, id, own.line, "keep"))).toBe("permission_denied");
    const line = await lineOf(id, `key:${keys[0]!.id}`);
    // The operating-system user has issued it.
    expect(await codeOf(decide(root, id, line.line, "keep"))).toBe("permission_denied");
    expect(await codeOf(decide(root, id, (await lineOf(id, `key:${made.id}`)).line, "keep"))).toBe("done");
    expect(await codeOf(decide(ada, id, line.line, "keep"))).toBe("done");
  });

  it("does not decide on the right of the person who has the key's name, or of a group they are in", async () => {
    const person = await root.call("principals.create", { body: { kind: "person", name: "ada", groups: ["ops"] } });
    const key = await root.call("keys.create", {
      body: { environment: "dev", name: "of ada", owner: person.id, roles: ["bot"], models: ["llama3.2"] },
    });
    const id = await start();
    const own = await lineOf(id, `key:${key.id}`);
    expect(await codeOf(decide(ada, id, own.line, "keep"))).toBe("permission_denied");
    const ofGroup = (await linesOf(id)).find(({ owner }) => owner === "group:ops")!;
    expect(await codeOf(decide(ada, id, ofGroup.line, "keep"))).toBe("permission_denied");
    expect(await codeOf(decide(grace, id, own.line, "keep"))).toBe("done");
  });

  it("gets lines that they can decide on, and no others' lines", async () => {
    await root.call("principals.create", { body: { kind: "person", name: "ada", groups: ["ops"] } });
    const id = await start(["ada", "grace"]);
    const lines = await linesOf(id);
    const { reviewers } = await root.call("reviews.show", { params: { id } });
    const [ofAda, ofGrace] = reviewers.map(({ actor }) => lines.filter(({ assignedTo }) => assignedTo === actor));
    expect(ofAda!.length + ofGrace!.length).toBe(12);
    expect(ofAda!.length).toBeGreaterThan(3);
    expect(ofAda!.map(({ owner }) => owner)).not.toContain("group:ops");
    expect(await codeOf(decide(ada, id, ofGrace![0]!.line, "keep"))).toBe("permission_denied");
    expect(await codeOf(decide(ada, id, ofAda![0]!.line, "keep"))).toBe("done");
  });

  it("of another environment does not see it", async () => {
    const id = await start();
    const other = clientWith(gateway, gateway.adminKey({ ...REVIEWS, environments: ["prod"] }));
    expect(await codeOf(other.call("reviews.show", { params: { id } }))).toBe("permission_denied");
    expect(await codeOf(decide(other, id, 1, "keep"))).toBe("permission_denied");
    expect((await other.call("reviews.list")).reviews).toEqual([]);
  });

  it("who leaves is flagged with their lines, which are delegated and not lost", async () => {
    const person = await root.call("principals.create", { body: { kind: "person", name: "grace", groups: [] } });
    const id = await start(["ada", "grace"]);
    const actor = (await root.call("reviews.show", { params: { id } })).reviewers.find(({ name }) => name === "grace")!;
    const theirs = (await linesOf(id)).filter(({ assignedTo }) => assignedTo === actor.actor);
    await root.call("principals.disable", { params: { id: person.id } });
    const shown = await root.call("reviews.show", { params: { id } });
    expect(shown.reviewers.find(({ name }) => name === "grace")).toMatchObject({ state: "left", open: theirs.length });
    const flagged = (await linesOf(id)).filter(({ flags }) => flags.includes("reviewer_left"));
    expect(flagged.map(({ line }) => line)).toEqual(theirs.map(({ line }) => line));
    const numbers = theirs.map(({ line }) => line);
    const delegate = (by: AdminClient, to: string, lines: number[]) =>
      by.call("reviews.delegate", { params: { id }, body: { lines, to } });
    // Without reviews:manage only one's own.
    expect(await codeOf(delegate(ada, "ada", numbers))).toBe("permission_denied");
    const possible: number[] = [];
    for (const line of numbers) if ((await codeOf(delegate(root, "ada", [line]))) === "done") possible.push(line);
    expect(possible.length).toBeGreaterThan(0);
    expect(gateway.events.findLast(({ type }) => type === "review.delegated")).toMatchObject({
      type: "review.delegated",
      fields: { review: id, from: [actor.actor] },
    });
    expect(await codeOf(decide(ada, id, possible[0]!, "keep"))).toBe("done");
  });
});

describe("a decision", () => {
  it("needs a reason, is recorded with what was shown and for how long, and is carried out in the same change", async () => {
    const id = await start();
    const { line } = await lineOf(id, `key:${keys[0]!.id}`);
    expect(
      await codeOf(ada.call("reviews.decide", { params: { id, line }, body: { decision: "keep", reason: "  " } })),
    ).toMatch(/input_invalid|body_invalid/);
    const shown = await open(ada, id, line);
    const digest = shown.openings.at(-1)!.digest;
    gateway.nowMs += 41_000;
    const before = gateway.events.length;
    const done = await decide(ada, id, line, "revoke");
    expect(stateOf(keys[0]!.id)).toBe("revoked");
    expect(gateway.events.slice(before).map(({ type }) => type)).toEqual(["review.decided", "key.revoked"]);
    expect(gateway.events[before]).toMatchObject({
      fields: { decision: "revoke", reason: "because", shown_sha256: digest, shown_ms: 41_000, outcome: "revoked" },
    });
    expect(done).toMatchObject({ outcome: "revoked", receipt: before + 1 });
  });

  it("without a look at the evidence is recorded as that", async () => {
    const id = await start();
    await decide(ada, id, (await lineOf(id, `key:${keys[0]!.id}`)).line, "keep");
    expect(gateway.events.at(-1)?.fields).toMatchObject({ shown_sha256: null, shown_ms: null });
  });

  it("of two at once: the second is told of the first, and can only decide otherwise after looking", async () => {
    const id = await start();
    const { line } = await lineOf(id, `key:${keys[0]!.id}`);
    await open(ada, id, line);
    await open(grace, id, line);
    const both = await Promise.allSettled([decide(ada, id, line, "keep"), decide(grace, id, line, "revoke")]);
    expect(both.map(({ status }) => status)).toEqual(["fulfilled", "rejected"]);
    expect(String((both[1] as PromiseRejectedResult).reason)).toContain("ada decided keep");
    expect(stateOf(keys[0]!.id)).toBe("active");
    expect(await codeOf(decide(grace, id, line, "revoke", 1))).toBe("conflict");
    const { decision, version } = await open(grace, id, line);
    expect(decision).toMatchObject({ decision: "keep" });
    expect(await codeOf(decide(grace, id, line, "revoke", version))).toBe("done");
    // What is revoked stays so.
    await open(ada, id, line);
    expect(await codeOf(decide(ada, id, line, "keep"))).toBe("review_state");
  });

  it("on a subject that has changed since it was shown waits for another look, and the change is flagged", async () => {
    const id = await start();
    const { line } = await lineOf(id, `key:${keys[0]!.id}`);
    await open(ada, id, line);
    await root.call("keys.factors", { params: { id: keys[0]!.id }, body: { networks: ["10.0.0.0/8"] } });
    expect((await lineOf(id, `key:${keys[0]!.id}`)).flags).toEqual(["changed"]);
    expect(await codeOf(decide(ada, id, line, "keep"))).toBe("conflict");
    const shown = await open(ada, id, line);
    expect([shown.frozen.entry.conditions, shown.now?.entry.conditions]).toEqual([[], ["10.0.0.0/8"]]);
    expect(await codeOf(decide(ada, id, line, "keep"))).toBe("done");
    expect(gateway.events.at(-1)?.fields).toMatchObject({ was_changed: true });
    // One that is gone keeps its line.
    await root.call("keys.revoke", { params: { id: keys[1]!.id } });
    expect((await lineOf(id, `key:${keys[1]!.id}`)).flags).toEqual(["gone"]);
    expect(await decide(ada, id, (await lineOf(id, `key:${keys[1]!.id}`)).line, "keep")).toMatchObject({
      outcome: "gone",
    });
  });

  it("to narrow leaves the models that were used, and is denied where that is not known", async () => {
    const { id: wide } = await root.call("keys.create", {
      body: { environment: "dev", name: "wide", roles: ["bot"], models: ["llama3.2", "qwen3"] },
    });
    gateway.nowMs += 40 * DAY_MS;
    const id = await start();
    const { line } = await lineOf(id, `key:${wide}`);
    expect(await codeOf(decide(ada, id, line, "narrow"))).toBe("review_state");
    gateway.usageRows = [{ model: "llama3.2", requests: 7, lastAt: gateway.nowMs }];
    gateway.usageFirstDay = Math.floor(gateway.nowMs / DAY_MS) - 35;
    expect((await open(ada, id, line)).narrowed).toBe("models: llama3.2");
    await decide(ada, id, line, "narrow");
    expect(gateway.stored.get(`dev/${wide}`)?.ceiling).toEqual({ roles: ["bot"], allow: [], models: ["llama3.2"] });
  });

  it("never ends the last administrator, nor an admin key beyond the reviewer's environments", async () => {
    const admin = await adminKey("linus", "admin");
    const wide = await root.call("adminKeys.create", {
      body: { name: "wide", role: "admin", environments: ["dev", "prod"] },
    });
    const id = await start();
    const ofWide = await lineOf(id, `admin_key:${wide.id}`);
    expect(await codeOf(decide(ada, id, ofWide.line, "revoke"))).toBe("grant_exceeds_issuer");
    expect(await codeOf(decide(ada, id, ofWide.line, "narrow"))).toBe("done");
    const last = await lineOf(id, `admin_key:${admin.id}`);
    expect(await codeOf(decide(ada, id, last.line, "revoke"))).toBe("review_state");
  });

  it("on an assignment of the policy file holds when the file is applied again, until it is restored", async () => {
    const id = await start();
    const line = (await linesOf(id)).find(({ owner }) => owner === "group:ops")!;
    await endBySilence();
    expect(gateway.state.assignments.filter(({ source }) => source === "policy")).toEqual([]);
    const { changes } = await root.call("policy.apply", { body: { text: POLICY } });
    expect(changes).toEqual([expect.stringContaining(`withheld by review ${id}`)]);
    expect(gateway.state.assignments.filter(({ source }) => source === "policy")).toEqual([]);
    await root.call("reviews.restore", { params: { id, line: line.line }, body: { reason: "needed" } });
    expect(gateway.state.assignments.filter(({ source }) => source === "policy")).toHaveLength(1);
    expect((await root.call("policy.apply", { body: { text: POLICY } })).changes).toEqual([]);
  });
});

describe("the end", () => {
  it("suspends what no one decided on, never the last administrator, and all of it can be restored", async () => {
    const admin = await adminKey("linus", "admin");
    const id = await start();
    await decide(ada, id, (await lineOf(id, `key:${keys[0]!.id}`)).line, "keep");
    expect(await codeOf(root.call("reviews.close", { params: { id } }))).toBe("review_state");
    await endBySilence();
    expect(keys.map((key) => stateOf(key.id))).toEqual(["active", "suspended", "suspended"]);
    expect(stateOf(admin.id, "system")).toBe("active");
    const protectedLine = await lineOf(id, `admin_key:${admin.id}`);
    expect(protectedLine.outcome).toMatchObject({ what: "protected", says: expect.stringContaining("last admin key") });
    const closed = gateway.events.at(-1);
    expect(closed).toMatchObject({
      type: "review.closed",
      actor: "gateway",
      fields: { review: id, kept: 1, protected: 1 },
    });
    const services = gateway.state.principals.filter(({ bounds }) => bounds?.disabledIn);
    expect(services).toHaveLength(3);
    for (const line of await linesOf(id))
      if (line.outcome?.what === "suspended")
        expect(
          await codeOf(root.call("reviews.restore", { params: { id, line: line.line }, body: { reason: "r" } })),
        ).toBe("done");
    expect(keys.map((key) => stateOf(key.id))).toEqual(["active", "active", "active"]);
    expect(gateway.state.principals.filter(({ bounds }) => bounds?.disabledIn)).toEqual([]);
    expect(gateway.state.assignments).toHaveLength(4);
  });

  it("waits for a clock that can be believed", async () => {
    const id = await start();
    gateway.nowMs += 15 * DAY_MS;
    await jobs(false).look();
    expect(stateOf(keys[0]!.id)).toBe("active");
    // Nor is anything decided after the end.
    expect(await codeOf(decide(ada, id, 1, "keep"))).toBe("review_state");
  });

  it("is announced 7, 3 and 1 days before, each once", async () => {
    const id = await start(["ada"]);
    const job = jobs();
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
    const id = await start();
    gateway.nowMs += 15 * DAY_MS;
    gateway.changesLeft = 1;
    await jobs().look();
    expect((await root.call("reviews.show", { params: { id } })).state).toBe("open");
    gateway.changesLeft = Infinity;
    await Promise.all([jobs().look(), jobs().look()]);
    expect(gateway.events.filter(({ type }) => type === "review.closed")).toHaveLength(1);
    expect(
      gateway.events.filter(({ type, fields }) => type === "key.suspended" && fields["key"] === keys[0]!.id),
    ).toHaveLength(1);
  });
});

describe("a schedule", () => {
  const quarterly = {
    environment: "dev",
    every: "quarterly",
    scope: "all",
    dueMs: 14 * DAY_MS,
    reviewers: [],
  } as const;
  const monthly = { ...quarterly, every: "monthly", scope: "privileged" } as const;

  it("starts one review in each quarter or month, whatever the clock does meanwhile", async () => {
    const job = jobs(true, [quarterly, monthly]);
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
    const job = jobs(true, [{ ...quarterly, reviewers: ["nemo"] }]);
    await job.look();
    await adminKey("nemo");
    await job.look();
    expect(gateway.reviewTable.size).toBe(0);
    gateway.nowMs += 3_600_000;
    await job.look();
    expect(gateway.reviewTable.size).toBe(1);
  });
});

describe("canary lines", () => {
  beforeEach(async () => {
    for (let n = 0; n < 30; n++)
      await root.call("keys.create", {
        body: { environment: "dev", name: `k${n}`, roles: ["bot"], models: ["llama3.2"] },
      });
  });

  it("one for each fifty: unknown until the review is closed, and who keeps one is named", async () => {
    const id = await start(["ada", "grace"]);
    const { canaries } = gateway.reviewTable.get(id)!;
    expect(canaries).toHaveLength(2);
    for (const line of canaries) {
      const shown = await open(await reviewerOf(id, line), id, line);
      expect(Object.keys(shown)).toEqual(Object.keys(await open(await reviewerOf(id, 1), id, 1)));
      expect([shown.flags, shown.now]).toEqual([[], shown.frozen]);
    }
    expect(JSON.stringify([gateway.events, await linesOf(id)])).not.toMatch(/canary_salt|isCanary/);
    expect(await codeOf(root.call("reviews.export", { params: { id } }))).toBe("review_state");
    for (const line of canaries) await decide(await reviewerOf(id, line), id, line, "keep");
    await endBySilence();
    const { result } = await root.call("reviews.show", { params: { id } });
    expect(result?.figures.flatMap(({ signs }) => signs).join()).toContain("canary line");
    const { lines } = await root.call("reviews.export", { params: { id }, query: { limit: 500 } });
    expect(lines.filter(({ isCanary }) => isCanary).map(({ line }) => line)).toEqual(canaries);
  });

  async function reviewerOf(id: string, line: number): Promise<AdminClient> {
    const { assignedTo } = (await linesOf(id)).find((one) => one.line === line)!;
    const { reviewers } = await root.call("reviews.show", { params: { id } });
    return reviewers.find(({ actor }) => actor === assignedTo)?.name === "ada" ? ada : grace;
  }
});
