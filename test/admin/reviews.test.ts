/** Access reviews: who may decide on what, and what a decision does. */
import type { AdminClient } from "@sallyport/client";
import { beforeEach, describe, expect, it } from "vitest";
import { everything } from "../program-under-test.ts";
import type { AdminRight } from "../program-under-test.ts";
import { clientWith, codeOf } from "./caller.ts";
import { DAY_MS } from "./memory-ports.ts";
import type { MemoryGateway } from "./memory-ports.ts";
import { decide, open, POLICY, ReviewWorld } from "./review-world.ts";

const REVIEWS: AdminRight = { permissions: ["reviews:read", "reviews:decide"], environments: ["dev"], mayGrant: null };

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

describe("the population", () => {
  it("is every key, assignment, service and admin key of the environment, with its hash in the audit log", async () => {
    await root.call("keys.create", { body: { environment: "prod", name: "p", roles: ["bot"], models: ["llama3.2"] } });
    const { reviewId: id, lines, populationHash } = await root.call("reviews.start", { body: { environment: "dev" } });
    const subjects = (await world.lines(id)).map(({ subject }) => subject.split(":")[0]);
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
    await world.start();
    expect(await codeOf(world.start())).toBe("review_state");
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
    const issuing = await world.adminKey("linus", "admin");
    const made = await clientWith(gateway, gateway.adminKey({ ...everything, environments: ["dev"] })).call(
      "keys.create",
      { body: { environment: "dev", name: "x", roles: ["bot"], models: ["llama3.2"] } },
    );
    const id = await world.start();
    const own = await world.line(id, `admin_key:${issuing.id}`);
    expect(await codeOf(decide(issuing.client, id, own.line, "keep"))).toBe("permission_denied");
    const line = await world.line(id, `key:${keys[0]!.id}`);
    // The operating-system user has issued it.
    expect(await codeOf(decide(root, id, line.line, "keep"))).toBe("permission_denied");
    expect(await codeOf(decide(root, id, (await world.line(id, `key:${made.id}`)).line, "keep"))).toBe("done");
    expect(await codeOf(decide(ada, id, line.line, "keep"))).toBe("done");
  });

  it("does not decide on the right of the person who has the key's name, or of a group they are in", async () => {
    const person = await root.call("principals.create", { body: { kind: "person", name: "ada", groups: ["ops"] } });
    const key = await root.call("keys.create", {
      body: { environment: "dev", name: "of ada", owner: person.id, roles: ["bot"], models: ["llama3.2"] },
    });
    const id = await world.start();
    const own = await world.line(id, `key:${key.id}`);
    expect(await codeOf(decide(ada, id, own.line, "keep"))).toBe("permission_denied");
    const ofGroup = (await world.lines(id)).find(({ owner }) => owner === "group:ops")!;
    expect(await codeOf(decide(ada, id, ofGroup.line, "keep"))).toBe("permission_denied");
    expect(await codeOf(decide(grace, id, own.line, "keep"))).toBe("done");
  });

  it("gets lines that they can decide on, and no others' lines", async () => {
    await root.call("principals.create", { body: { kind: "person", name: "ada", groups: ["ops"] } });
    const id = await world.start(["ada", "grace"]);
    const lines = await world.lines(id);
    const { reviewers } = await root.call("reviews.show", { params: { id } });
    const [ofAda, ofGrace] = reviewers.map(({ actor }) => lines.filter(({ assignedTo }) => assignedTo === actor));
    expect(ofAda!.length + ofGrace!.length).toBe(12);
    expect(ofAda!.length).toBeGreaterThan(3);
    expect(ofAda!.map(({ owner }) => owner)).not.toContain("group:ops");
    const other = ofGrace!.find(({ subject }) => subject.startsWith("key:"))!;
    expect(await codeOf(decide(ada, id, other.line, "keep"))).toBe("permission_denied");
    expect(await codeOf(decide(grace, id, other.line, "keep"))).toBe("done");
    expect(await codeOf(decide(ada, id, ofAda![0]!.line, "keep"))).toBe("done");
  });

  it("of another environment does not see it", async () => {
    const id = await world.start();
    const other = clientWith(gateway, gateway.adminKey({ ...REVIEWS, environments: ["prod"] }));
    expect(await codeOf(other.call("reviews.show", { params: { id } }))).toBe("permission_denied");
    expect(await codeOf(decide(other, id, 1, "keep"))).toBe("permission_denied");
    expect((await other.call("reviews.list")).reviews).toEqual([]);
  });

  it("who leaves is flagged with their lines, which are delegated and not lost", async () => {
    const person = await root.call("principals.create", { body: { kind: "person", name: "grace", groups: [] } });
    const id = await world.start(["ada", "grace"]);
    const actor = (await root.call("reviews.show", { params: { id } })).reviewers.find(({ name }) => name === "grace")!;
    const theirs = (await world.lines(id)).filter(({ assignedTo }) => assignedTo === actor.actor);
    await root.call("principals.disable", { params: { id: person.id } });
    const shown = await root.call("reviews.show", { params: { id } });
    expect(shown.reviewers.find(({ name }) => name === "grace")).toMatchObject({ state: "left", open: theirs.length });
    const flagged = (await world.lines(id)).filter(({ flags }) => flags.includes("reviewer_left"));
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
    const id = await world.start();
    const { line } = await world.line(id, `key:${keys[0]!.id}`);
    expect(
      await codeOf(ada.call("reviews.decide", { params: { id, line }, body: { decision: "keep", reason: "  " } })),
    ).toMatch(/input_invalid|body_invalid/);
    const shown = await open(ada, id, line);
    const digest = shown.openings.at(-1)!.digest;
    gateway.nowMs += 41_000;
    const before = gateway.events.length;
    const done = await decide(ada, id, line, "revoke");
    expect(world.stateOf(keys[0]!.id)).toBe("revoked");
    expect(gateway.events.slice(before).map(({ type }) => type)).toEqual(["review.decided", "key.revoked"]);
    expect(gateway.events[before]).toMatchObject({
      fields: { decision: "revoke", reason: "because", shown_sha256: digest, shown_ms: 41_000, outcome: "revoked" },
    });
    expect(done).toMatchObject({ outcome: "revoked", receipt: before + 1 });
  });

  it("without a look at the evidence is recorded as that", async () => {
    const id = await world.start();
    await decide(ada, id, (await world.line(id, `key:${keys[0]!.id}`)).line, "keep");
    expect(gateway.events.at(-1)?.fields).toMatchObject({ shown_sha256: null, shown_ms: null });
  });

  it("of two at once: the second is told of the first, and can only decide otherwise after looking", async () => {
    const id = await world.start();
    const { line } = await world.line(id, `key:${keys[0]!.id}`);
    await open(ada, id, line);
    await open(grace, id, line);
    const both = await Promise.allSettled([decide(ada, id, line, "keep"), decide(grace, id, line, "revoke")]);
    expect(both.map(({ status }) => status)).toEqual(["fulfilled", "rejected"]);
    expect(String((both[1] as PromiseRejectedResult).reason)).toContain("ada decided keep");
    expect(world.stateOf(keys[0]!.id)).toBe("active");
    expect(await codeOf(decide(grace, id, line, "revoke", 1))).toBe("conflict");
    const { decision, version } = await open(grace, id, line);
    expect(decision).toMatchObject({ decision: "keep" });
    expect(await codeOf(decide(grace, id, line, "revoke", version))).toBe("done");
    // What is revoked stays so.
    await open(ada, id, line);
    expect(await codeOf(decide(ada, id, line, "keep"))).toBe("review_state");
  });

  it("on a subject that has changed since it was shown waits for another look, and the change is flagged", async () => {
    const id = await world.start();
    const { line } = await world.line(id, `key:${keys[0]!.id}`);
    await open(ada, id, line);
    await root.call("keys.factors", { params: { id: keys[0]!.id }, body: { networks: ["10.0.0.0/8"] } });
    expect((await world.line(id, `key:${keys[0]!.id}`)).flags).toEqual(["changed"]);
    expect(await codeOf(decide(ada, id, line, "keep"))).toBe("conflict");
    const shown = await open(ada, id, line);
    expect([shown.frozen.entry.conditions, shown.now?.entry.conditions]).toEqual([[], ["10.0.0.0/8"]]);
    expect(await codeOf(decide(ada, id, line, "keep"))).toBe("done");
    expect(gateway.events.at(-1)?.fields).toMatchObject({ was_changed: true });
    // One that is gone keeps its line.
    await root.call("keys.revoke", { params: { id: keys[1]!.id } });
    expect((await world.line(id, `key:${keys[1]!.id}`)).flags).toEqual(["gone"]);
    expect(await decide(ada, id, (await world.line(id, `key:${keys[1]!.id}`)).line, "keep")).toMatchObject({
      outcome: "gone",
    });
  });

  it("to narrow leaves the models that were used, and is denied where that is not known", async () => {
    const { id: wide } = await root.call("keys.create", {
      body: { environment: "dev", name: "wide", roles: ["bot"], models: ["llama3.2", "qwen3"] },
    });
    gateway.nowMs += 40 * DAY_MS;
    const id = await world.start();
    const { line } = await world.line(id, `key:${wide}`);
    expect(await codeOf(decide(ada, id, line, "narrow"))).toBe("review_state");
    gateway.usageRows = [{ model: "llama3.2", requests: 7, lastAt: gateway.nowMs }];
    gateway.usageFirstDay = Math.floor(gateway.nowMs / DAY_MS) - 35;
    expect((await open(ada, id, line)).narrowed).toBe("models: llama3.2");
    await decide(ada, id, line, "narrow");
    expect(gateway.stored.get(`dev/${wide}`)?.ceiling).toEqual({ roles: ["bot"], allow: [], models: ["llama3.2"] });
  });

  it("never ends the last administrator, nor an admin key beyond the reviewer's environments", async () => {
    const admin = await world.adminKey("linus", "admin");
    const wide = await root.call("adminKeys.create", {
      body: { name: "wide", role: "admin", environments: ["dev", "prod"] },
    });
    const id = await world.start();
    const ofWide = await world.line(id, `admin_key:${wide.id}`);
    expect(await codeOf(decide(ada, id, ofWide.line, "revoke"))).toBe("grant_exceeds_issuer");
    expect(await codeOf(decide(ada, id, ofWide.line, "narrow"))).toBe("done");
    const last = await world.line(id, `admin_key:${admin.id}`);
    expect(await codeOf(decide(ada, id, last.line, "revoke"))).toBe("review_state");
  });

  it("on an assignment of the policy file holds when the file is applied again, until it is restored", async () => {
    const id = await world.start();
    const line = (await world.lines(id)).find(({ owner }) => owner === "group:ops")!;
    await world.endBySilence();
    expect(gateway.state.assignments.filter(({ source }) => source === "policy")).toEqual([]);
    const { changes } = await root.call("policy.apply", { body: { text: POLICY } });
    expect(changes).toEqual([expect.stringContaining(`withheld by review ${id}`)]);
    expect(gateway.state.assignments.filter(({ source }) => source === "policy")).toEqual([]);
    await root.call("reviews.restore", { params: { id, line: line.line }, body: { reason: "needed" } });
    expect(gateway.state.assignments.filter(({ source }) => source === "policy")).toHaveLength(1);
    expect((await root.call("policy.apply", { body: { text: POLICY } })).changes).toEqual([]);
  });
});
