/** Keys are found by what people know of them, by the whole gateway: from its database, through changes and uses. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { startGateway } from "./started-gateway.ts";
import type { IssuedKey, StartedGateway } from "./started-gateway.ts";

let gateway: StartedGateway;
const issued: IssuedKey[] = [];
beforeAll(async () => {
  gateway = await startGateway({
    environments: ["dev", "prod"],
    moreYaml: "roles:\n  bot: { allow: [{ do: [infer:chat], on: [llama3.2] }] }\n",
  });
  for (const [name, environment] of [["Billing bot", "prod"], ["billing tests", "dev"], ["crawler", "dev"]] as const)
    issued.push(await gateway.issue({ name, environment, roles: ["bot"], allow: [], models: ["llama3.2"] })); // prettier-ignore
}, 60_000);
afterAll(async () => gateway.stop());

interface Page {
  readonly keys: readonly { readonly name: string; readonly lastUsedAt: string | null }[];
  readonly total: { readonly count: number; readonly isAtLeast: boolean } | null;
  readonly next: string | null;
}
const list = (query: string, key?: string): Promise<Page> => gateway.admin("GET", `/v1/keys?${query}`, undefined, key);
const namesOf = async (query: string, key?: string): Promise<string[]> => (await list(query, key)).keys.map(({ name }) => name); // prettier-ignore

test("by a piece of a name, an id, a pasted key; sorted, page by page, counted", async () => {
  expect(await namesOf("search=BILL&sort=name")).toEqual(["Billing bot", "billing tests"]);
  expect(await namesOf(`search=${issued[2]!.id.slice(2, 9)}`)).toEqual(["crawler"]);
  expect(await namesOf(`search=${issued[2]!.key}`)).toEqual(["crawler"]);
  const first = await list("sort=created&limit=2");
  expect([first.keys.length, first.total]).toEqual([2, { count: 3, isAtLeast: false }]);
  const second = await list(`sort=created&limit=2&after=${encodeURIComponent(first.next!)}`);
  expect([second.keys.length, second.next]).toEqual([1, null]);
  expect(new Set([...first.keys, ...second.keys].map(({ name }) => name)).size).toBe(3);
  expect((await list("environment=dev")).total).toBe(null);
});

test("a new key, a change and a use are seen at once", async () => {
  const late = await gateway.issue({ name: "late billing", environment: "dev", roles: ["bot"], allow: [], models: ["llama3.2"] }); // prettier-ignore
  expect(await namesOf("search=billing&sort=name")).toContain("late billing");
  await gateway.admin("POST", `/v1/keys/${late.id}/revoke`);
  expect(await namesOf("state=revoked")).toEqual(["late billing"]);
  expect(await namesOf("state=active&search=late")).toEqual([]);
  const chat = { model: "llama3.2", messages: [{ role: "user", content: "x" }], stream: false };
  expect((await gateway.post("/api/chat", issued[2]!.key, chat)).status).toBe(200);
  expect((await list("search=crawler")).keys[0]!.lastUsedAt).not.toBe(null);
});

test("a caller of one environment neither sees nor counts keys of another", async () => {
  const order = { name: "reader", role: "viewer", environments: ["dev"], ttl: "1d" };
  const { key } = await gateway.admin<{ key: string }>("POST", "/v1/admin-keys", order);
  const page = await list("search=billing&sort=name", key);
  expect(page.keys.map(({ name }) => name)).not.toContain("Billing bot");
  expect(page.total!.count).toBe(page.keys.length);
  expect(await namesOf("sort=id", key)).not.toContain("Billing bot");
});

test("what is not a search is refused", async () => {
  for (const query of [
    "search=",
    "search=%0A",
    `search=${"x".repeat(101)}`,
    "sort=requests",
    "risk=wide",
    "state=gone",
  ])
    await expect(list(query)).rejects.toThrow(/400/);
});
