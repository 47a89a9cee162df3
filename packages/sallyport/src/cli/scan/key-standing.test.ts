import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Leak } from "../../leaks/scan-content.ts";
import { standingOf } from "./key-standing.ts";

const rows: Readonly<Record<string, object>> = {
  AbCdEfGh1234: { environment: "dev", name: "wiki", owner: "p_1", state: "active", isExpired: false },
  ZyXwVuTs9876: { environment: "dev", name: "old", owner: "p_1", state: "active", isExpired: true },
};
const asked: string[] = [];
const server = createServer((request, response) => {
  asked.push(request.url ?? "");
  const row = rows[(request.url ?? "").replace("/v1/keys/", "")];
  response.writeHead(row ? 200 : 404).end(JSON.stringify(row ?? {}));
});
let env: Readonly<Record<string, string>>;
beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  env = { SALLYPORT_ADMIN_URL: `http://127.0.0.1:${port}`, SALLYPORT_ADMIN_KEY: "spa_key" };
});
afterAll(() => server.close());

function leakOf(keyId: string, environment = "dev"): Leak {
  return { keyId, environment, kind: "api", file: "file", line: 1, form: "plain" };
}

it("says whose each key is and whether it is live, and asks once for each key, by id", async () => {
  asked.length = 0;
  const leaks = [leakOf("AbCdEfGh1234"), leakOf("AbCdEfGh1234"), leakOf("ZyXwVuTs9876"), leakOf("UnknownHere1")];
  const standings = await standingOf(leaks, {}, env);
  expect(standings.get("dev AbCdEfGh1234")).toEqual({ name: "wiki", owner: "p_1", state: "active", isLive: true });
  expect(standings.get("dev ZyXwVuTs9876")).toMatchObject({ state: "expired", isLive: false });
  expect(standings.has("dev UnknownHere1")).toBe(false);
  expect(asked).toEqual(["/v1/keys/AbCdEfGh1234", "/v1/keys/ZyXwVuTs9876", "/v1/keys/UnknownHere1"]);
});

it("does not take a key of the same id in another environment for the one that leaked", async () => {
  expect((await standingOf([leakOf("AbCdEfGh1234", "prod")], {}, env)).size).toBe(0);
});

it("asks no gateway with --offline, and survives that none answers", async () => {
  asked.length = 0;
  expect((await standingOf([leakOf("AbCdEfGh1234")], { offline: true }, env)).size).toBe(0);
  expect(asked).toEqual([]);
  const nowhere = { SALLYPORT_DATA: "/nonexistent" };
  expect((await standingOf([leakOf("AbCdEfGh1234")], {}, nowhere)).size).toBe(0);
});
