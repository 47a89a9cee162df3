/** Who may do what: each line is one permission of one subject, and administrators see their environments alone. */
import { AdminClient } from "@sallyport/client";
import { beforeEach, expect, it } from "vitest";
import { everything } from "../program-under-test.ts";
import { clientOf, codeOf } from "./caller.ts";
import { MemoryGateway } from "./memory-ports.ts";

const POLICY = `
environments:
  dev: { upstreams: [{ url: "http://127.0.0.1:11434" }] }
  prod: { upstreams: [{ url: "http://10.0.0.1:11434" }] }
roles:
  bot: { allow: [{ do: [infer:chat], on: [llama3.2, "qwen3:*"] }, { do: [models:list] }] }
assign:
  - { group: ops, role: bot, on: ["llama3.2:latest", "qwen3:8b"], in: [dev, prod] }
`;

let gateway: MemoryGateway;
let client: AdminClient;
beforeEach(async () => {
  gateway = new MemoryGateway();
  client = new AdminClient({ handle: (request) => gateway.app.handle(request, { kind: "socket", user: "root" }) });
  await client.call("policy.apply", { body: { text: POLICY } });
  await client.call("principals.create", { body: { kind: "person", name: "ada", groups: ["ops"] } });
  await client.call("principals.create", { body: { kind: "person", name: "bob" } });
});

type Query = Parameters<typeof client.call<"access.list">>[1];
async function list(by = client, query: NonNullable<Query>["query"] = {}) {
  const rows = [];
  for (let after: string | undefined; ;) {
    const { access, next } = await by.call("access.list", { query: { ...query, after } });
    rows.push(...access);
    if (next === null) return rows;
    after = next;
  }
}

it("is one line for each permission and the narrower selector of role and assignment", async () => {
  const rows = await list(client, { environment: "prod" });
  expect(rows.map(({ name, environment, permission, model }) => [name, environment, permission, model])).toEqual([
    ["ada", "prod", "infer:chat", "llama3.2"],
    ["ada", "prod", "infer:chat", "qwen3:8b"],
    ["ada", "prod", "models:list", null],
  ]);
  expect(rows[0]?.by).toMatch(/^role bot by a_\w+ \(group ops\)$/);
});

it("says who granted it and since when, where the audit log knows; and when it was used last", async () => {
  expect((await list())[0]).toMatchObject({ grantedBy: null, since: null, lastUsed: null });
  const [{ id }] = gateway.state.assignments as unknown as [{ id: string }];
  gateway.records.push({ seq: 1, at: 5, environment: "dev", type: "assignment.created", actor: "os:ada", fields: { name: id } }); // prettier-ignore
  gateway.usageRows = [
    { environment: "dev", model: "registry.ollama.ai/library/qwen3:8b", requests: 1, lastAt: 7 },
    { environment: "dev", model: "registry.ollama.ai/library/llama3.2:latest", requests: 0, lastAt: 9 },
  ];
  const rows = (await list(client, { environment: "dev" })).filter(({ permission }) => permission === "infer:chat");
  expect(rows.map(({ grantedBy, since }) => [grantedBy, since])).toContainEqual(["os:ada", new Date(5).toISOString()]);
  expect(rows.map(({ model, lastUsed }) => [model, lastUsed])).toEqual([
    ["llama3.2", null],
    ["qwen3:8b", new Date(7).toISOString()],
  ]);
});

it("has every principal once, however small the pages are, and admin keys for those who may list them", async () => {
  await client.call("adminKeys.create", { body: { name: "ops key", role: "viewer", environments: ["dev"] } });
  const rows = await list(client, { limit: 1 });
  expect(rows).toEqual(await list());
  expect(rows.filter(({ name }) => name === "ops key").map(({ environment }) => environment)).toContain("dev");
  const reader = clientOf(gateway, { ...everything, permissions: ["principals:read"] });
  expect((await list(reader)).filter(({ by }) => by === "admin key")).toEqual([]);
});

it("shows the caller's environments alone, and nothing of a disabled principal", async () => {
  const dev = clientOf(gateway, { ...everything, environments: ["dev"] });
  const rows = await list(dev);
  expect(rows.length).toBeGreaterThan(0);
  expect(rows.filter(({ environment }) => environment !== "dev")).toEqual([]);
  expect(await codeOf(list(dev, { environment: "prod" }))).toBe("permission_denied");
  const [ada] = gateway.state.principals.filter(({ name }) => name === "ada");
  await client.call("principals.disable", { params: { id: ada!.id } });
  expect((await list()).filter(({ name }) => name === "ada")).toEqual([]);
});
