/** Limits and guards of a delegation scope, where the environment's own limit is all that binds what is held in it. */
import { AdminClient } from "@sallyport/client";
import { beforeEach, describe, expect, it } from "vitest";
import { everything } from "../program-under-test.ts";
import type { AdminRight } from "../program-under-test.ts";
import { clientOf, codeOf } from "./caller.ts";
import { MemoryGateway } from "./memory-ports.ts";

const asTight: AdminRight = {
  permissions: everything.permissions,
  environments: ["dev"],
  mayGrant: { allow: ["infer:chat"], models: ["llama3.2"], limits: { requests: { count: 60, windowMs: 60_000 } } },
};
const chat = { environment: "dev", allow: ["infer:chat"] as "infer:chat"[], models: ["llama3.2"] };

let gateway: MemoryGateway;
let root: AdminClient;

const policy = (limits: string | null): string =>
  `environments:\n  dev: { upstreams: [{ url: "http://127.0.0.1:11434" }]${limits === null ? "" : `, limits: ${limits}`} }\n`;
const lift = (limits: string | null): Promise<string> =>
  codeOf(clientOf(gateway, asTight).call("policy.apply", { body: { text: policy(limits) } }));

beforeEach(async () => {
  gateway = new MemoryGateway();
  root = new AdminClient({ handle: (request) => gateway.app.handle(request, { kind: "socket", user: "root" }) });
  await root.call("policy.apply", { body: { text: policy("{ requests: 60/min, concurrency: 4 }") } });
});

describe("the environment's limit", () => {
  it.each<[string, () => Promise<unknown>]>([
    [
      "a person",
      async () => {
        const { id } = await root.call("principals.create", { body: { kind: "person", name: "ada" } });
        await root.call("assignments.create", { body: { ...chat, subject: { principal: id } } });
      },
    ],
    ["a service's key", () => root.call("keys.create", { body: { ...chat, name: "n" } })],
  ])("is not lifted where it is all that binds %s", async (_what, hold) => {
    await hold();
    expect(await lift("{ requests: 61/min, concurrency: 4 }")).toBe("grant_exceeds_issuer");
    expect(await lift(null)).toBe("grant_exceeds_issuer");
    expect(await lift("{ requests: 60/min }")).toBe("done");
  });

  it("binds a right that is assigned to a group, and so does the membership count", async () => {
    const own = clientOf(gateway, asTight);
    expect(await codeOf(own.call("assignments.create", { body: { ...chat, subject: { group: "own" } } }))).toBe("done");
    await own.call("principals.create", { body: { kind: "person", name: "bo", groups: ["own"] } });
    const present = gateway.ports.snapshot();
    const bo = [...present.principals.values()].find(({ name }) => name === "bo")!;
    const assigned = [...present.assignments].find(({ subject }) => "group" in subject && subject.group === "own")!;
    expect(present.holds(bo, assigned)).toBe(true);
    await root.call("policy.apply", { body: { text: policy(null) } });
    expect(gateway.ports.snapshot().holds(bo, assigned)).toBe(false);
  });

  it("a service gets a right by its keys, which are asked for their limits one by one", async () => {
    await root.call("policy.apply", { body: { text: policy(null) } });
    const own = clientOf(gateway, asTight);
    const { id } = await root.call("principals.create", { body: { kind: "service", name: "bot" } });
    const right = { ...chat, subject: { principal: id } };
    expect(await codeOf(own.call("assignments.create", { body: right }))).toBe("done");
    const key = { ...chat, name: "n", owner: id };
    expect(await codeOf(own.call("keys.create", { body: key }))).toBe("grant_exceeds_issuer");
    expect(await codeOf(own.call("keys.create", { body: { ...key, limits: { requests: "60/min" } } }))).toBe("done");
  });
});
