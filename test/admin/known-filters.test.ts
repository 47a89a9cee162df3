/** A list or a search filtered by something that is not there says so: an empty answer would read as "there is none". */
import { beforeEach, expect, it } from "vitest";
import { AdminClient } from "@sallyport/client";
import { Problem } from "@sallyport/protocol";
import { MemoryGateway, POLICY } from "./memory-ports.ts";

let root: AdminClient;
beforeEach(async () => {
  const gateway = new MemoryGateway();
  root = new AdminClient({ handle: (request) => gateway.app.handle(request, { kind: "socket", user: "root" }) });
  await root.call("policy.apply", { body: { text: POLICY } });
  await root.call("keys.create", { body: { environment: "prod", name: "k", roles: ["bot"], models: ["llama3.2"] } });
});

async function problemOf(asked: Promise<unknown>): Promise<string> {
  try {
    await asked;
    return "none";
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
    return [problem.code, problem.detail, ...problem.mistakes].join(" ");
  }
}

it.each([
  ["keys.list", { environment: "nosuch" }],
  ["assignments.list", { environment: "nosuch" }],
  ["upstreams.list", { environment: "nosuch" }],
] as const)("%s: an environment, with those that are known", async (route, query) => {
  expect(await problemOf(root.call(route, { query }))).toMatch(/^unknown_environment .*nosuch; known: .*prod/);
});

it("keys.list and assignments.list: an owner", async () => {
  expect(await problemOf(root.call("keys.list", { query: { owner: "nobody" } }))).toMatch(/^not_found .*nobody/);
  expect(await problemOf(root.call("assignments.list", { query: { principal: "nobody" } }))).toMatch(/^not_found/);
  const { keys } = await root.call("keys.list", { query: { environment: "prod" } });
  expect((await root.call("keys.list", { query: { owner: keys[0]!.owner! } })).keys).toHaveLength(1);
});

it("audit.search: a key, a principal and a code", async () => {
  const search = (query: object): Promise<string> => problemOf(root.call("audit.search", { query }));
  expect(await search({ key: "zzzzzzzzzzzz" })).toMatch(/^not_found .*zzzzzzzzzzzz/);
  expect(await search({ principal: "p_nobody" })).toMatch(/^not_found .*p_nobody/);
  expect(await search({ code: "model_denid" })).toContain("did you mean model_denied");
  const { keys } = await root.call("keys.list");
  expect(await search({ key: keys[0]!.id, code: "model_denied" })).toBe("none");
});

it("audit.search: an event type, with the nearest", async () => {
  const asked = root.call("audit.search", { query: { type: "key.rotate" } });
  expect(await problemOf(asked)).toContain("did you mean key.rotated");
  expect(await problemOf(root.call("audit.search", { query: { type: "toString" } }))).toContain("input_invalid");
});
