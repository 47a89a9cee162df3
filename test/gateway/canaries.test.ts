/** Canary keys: planted for a place, denied like a key without rights, and one incident however often they are used. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { codeOf, startGateway } from "./started-gateway.ts";
import type { StartedGateway } from "./started-gateway.ts";

interface Planted {
  readonly id: string;
  readonly key: string;
}
interface IncidentSeen {
  readonly keyId: string;
  readonly reason: string;
}

let gateway: StartedGateway;
const plant = (environment: string, name: string): Promise<Planted> =>
  gateway.admin("POST", "/v1/keys", { environment, name, decoy: true });
const list = (key: string, from: string): Promise<Response> =>
  fetch(`${gateway.url}/api/tags`, { headers: { authorization: `Bearer ${key}`, "x-forwarded-for": from } });
const incidentsOf = async (id: string): Promise<readonly IncidentSeen[]> =>
  (await gateway.admin<{ incidents: IncidentSeen[] }>("GET", "/v1/incidents")).incidents.filter(
    (one) => one.keyId === id,
  );
async function whenOpened(id: string): Promise<IncidentSeen> {
  for (;;) {
    const [first] = await incidentsOf(id);
    if (first) return first;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

beforeAll(async () => {
  // In prod the key goes on to be denied, so that every use of it is seen.
  gateway = await startGateway({
    environments: ["dev", "prod"],
    environmentYaml: "    anomalies: { actions: { decoy_used: notify } }\n",
    settings: { trustedProxies: ["127.0.0.1/32"] },
  });
}, 30_000);
afterAll(() => gateway.stop());

it("allows nothing, and is denied as a key without that right is", async () => {
  const canary = await plant("prod", "backup of the wiki, .env");
  const plain = await gateway.issue({ environment: "prod", allow: ["infer:embed"] });
  const [used, other] = [await list(canary.key, "198.51.100.23"), await list(plain.key, "198.51.100.23")];
  const [first, second] = [await used.text(), await other.text()];
  expect([used.status, codeOf(first)]).toEqual([403, "permission_denied"]);
  expect([other.status, first.replaceAll(/req_\w+/g, "")]).toEqual([used.status, second.replaceAll(/req_\w+/g, "")]);
  const shown = await gateway.admin<{ isDecoy: boolean; name: string; allow: string[] }>(
    "GET",
    `/v1/keys/${canary.id}`,
  );
  expect(shown).toMatchObject({ isDecoy: true, name: "backup of the wiki, .env", allow: [] });
});

it("its use opens an incident that names the network, within a second; a flood opens one", async () => {
  const canary = await plant("prod", "CI variable");
  const started = performance.now();
  await list(canary.key, "203.0.113.9");
  const incident = await whenOpened(canary.id);
  expect(performance.now() - started).toBeLessThan(1_000);
  expect(incident.reason).toContain("203.0.113.9");
  await Promise.all(Array.from({ length: 200 }, (_, at) => list(canary.key, `203.0.113.${at % 200}`)));
  await gateway.restart();
  await list(canary.key, "203.0.113.77");
  await gateway.restart();
  expect(await incidentsOf(canary.id)).toHaveLength(1);
}, 20_000);

it("a plain key must still allow something", async () => {
  await expect(gateway.admin("POST", "/v1/keys", { environment: "prod", name: "empty" })).rejects.toThrow(
    /at least one role or permission/,
  );
});

it("a removed one is revoked, and is denied as any revoked key", async () => {
  const canary = await plant("prod", "old laptop");
  await gateway.admin("POST", `/v1/keys/${canary.id}/revoke`);
  const used = await list(canary.key, "198.51.100.99");
  expect([used.status, codeOf(await used.text())]).toEqual([401, "key_revoked"]);
});
