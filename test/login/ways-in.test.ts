/** Which ways in the page of a waiting program offers: a provider's, one's own, both, or none. */
import { afterEach, expect, it } from "vitest";
import { startGateway } from "../gateway/started-gateway.ts";
import type { StartedGateway } from "../gateway/started-gateway.ts";
import { LocalBrowser, LocalHouse } from "./local-browser.ts";

const oidc = { issuer: "https://id.example.org", clientId: "gateway", clientSecret: null, groupsClaim: "groups", defaultGroups: [], scopes: [] }; // prettier-ignore
let gateway: StartedGateway | undefined;
afterEach(() => gateway?.stop());

async function offered(house: LocalHouse): Promise<{ ways: string[]; csp: string }> {
  const { user_code } = await house.ask();
  const shown = await new LocalBrowser(house.gateway).get(`/e/dev/login?user_code=${user_code}`);
  return { ways: [...shown.text.matchAll(/<button[^>]*value="(\w+)"/g)].map(([, way]) => way!), csp: shown.csp };
}

it("a provider's alone, then both, and a form may lead to the provider only where there is one", async () => {
  gateway = await startGateway({ settings: { oidc } });
  const house = new LocalHouse(gateway);
  expect((await offered(house)).ways).toEqual(["yes", "no"]);
  await house.enrol();
  const both = await offered(house);
  expect(both.ways).toEqual(["yes", "local", "no"]);
  expect(both.csp).toContain("form-action 'self' https://id.example.org;");
});

it("none, then one's own", async () => {
  gateway = await startGateway();
  const house = new LocalHouse(gateway);
  const device = (await house.ask()) as unknown as { code: string };
  expect(device.code).toBe("login_unavailable");
  expect((await new LocalBrowser(gateway).get("/login/enrol")).text).toContain("login_unavailable");
  await house.enrol();
  const own = await offered(house);
  expect([own.ways, own.csp.includes("form-action 'self';")]).toEqual([["local", "no"], true]);
  const forced = await new LocalBrowser(gateway).post("/e/dev/login", {
    user_code: (await house.ask()).user_code,
    answer: "yes",
  });
  expect(forced.status).toBe(404);
});
