/** Providers that send no groups (Google), and whose subject is not the id that they provision people by (Entra ID). */
import { afterEach, expect, test } from "vitest";
import type { StartedGateway } from "../gateway/started-gateway.ts";
import type { Clock, ProviderSettings, Settings } from "../program-under-test.ts";
import { IdentityProvider } from "./identity-provider.ts";
import { logInByProvider } from "./provider-browser.ts";
import type { Came } from "./provider-browser.ts";
import { startWithProvider } from "./provider-gateway.ts";
import type { ProviderGateway } from "./provider-gateway.ts";

const POLICY = `
roles:
  bot: { allow: [{ do: [infer:chat], on: [llama3.2] }] }
assign:
  - { group: staff, role: bot, in: [dev] }
  - { group: ml-team, role: bot, in: [dev] }
`;

let aheadMs = 0;
const clock: Clock = { now: () => Date.now() + aheadMs, monotonic: () => performance.now() + aheadMs };
let started: ProviderGateway | undefined;
let gateway: StartedGateway;
afterEach(() => started?.stop());

async function start(
  oidc: Partial<NonNullable<Settings["oidc"]>>,
  identity: readonly Omit<ProviderSettings, "issuer" | "keysUrl">[] = [],
): Promise<IdentityProvider> {
  const provider = new IdentityProvider();
  const more = (): Partial<Settings> => ({
    identity: { providers: identity.map((one) => ({ ...one, issuer: provider.url, keysUrl: `${provider.url}/jwks` })) },
  });
  started = await startWithProvider(provider, { clock, moreYaml: POLICY }, more, oidc);
  ({ gateway } = started);
  return provider;
}

const logIn = (person: string): Promise<Came> => logInByProvider(gateway, "dev", person, () => (aheadMs += 6_000));

interface Person {
  readonly id: string;
  readonly name: string;
  readonly groups: readonly string[];
  readonly identities: readonly { readonly subject: string }[];
}

async function people(): Promise<readonly Person[]> {
  return (await gateway.admin<{ principals: Person[] }>("GET", "/v1/principals")).principals;
}

test("without a claim of groups and without default groups, nobody gets a session", async () => {
  await start({ groupsClaim: "no-such-claim" });
  expect(await logIn("ada")).toMatchObject({ session: undefined, error: "access_denied" });
});

test("without a claim of groups, a user has the default groups", async () => {
  await start({ groupsClaim: "no-such-claim", defaultGroups: ["staff"] });
  expect((await logIn("ada")).session).toBeDefined();
  expect(await people()).toMatchObject([{ name: "ada", groups: ["staff"] }]);
  expect((await logIn("ada")).session).toBeDefined();
  expect(await people()).toHaveLength(1);
});

test("default groups are added to those of the claim, which still takes away what it no longer names", async () => {
  const provider = await start({ defaultGroups: ["staff"] });
  expect((await logIn("ada")).session).toBeDefined();
  expect((await people())[0]!.groups.toSorted()).toEqual(["ml-team", "staff"]);
  provider.groups["ada"] = ["sales"];
  expect((await logIn("ada")).session).toBeDefined();
  expect((await people())[0]!.groups.toSorted()).toEqual(["sales", "staff"]);
});

const byClaim = (subjectClaim: "sub" | "oid") => ({
  name: "corp",
  transmitter: null,
  audience: null,
  clientId: null,
  hasExternalIds: true,
  subjectClaim,
  mayNameByEmail: false,
  groupsClaim: "groups",
  push: null,
  poll: null,
  directory: null,
});

test("by the claim oid, a user who logs in is the one whom the directory has provisioned", async () => {
  await start({}, [byClaim("oid")]);
  const mayGrant = { allow: ["infer:chat"], models: ["llama3.2"] };
  const body = { name: "scim", role: "provisioner", environments: ["dev"], mayGrant };
  const { key } = await gateway.admin<{ key: string }>("POST", "/v1/admin-keys", body);
  const user = {
    schemas: ["urn:ietf:params:scim:schemas:core:2.0:User"],
    userName: "ada@example.org",
    externalId: "directory-id-of-ada",
    active: true,
  };
  const made = await fetch(`${gateway.gateway.adminUrl}/scim/v2/Users`, {
    method: "POST",
    headers: { authorization: `Bearer ${key}`, "content-type": "application/scim+json" },
    body: JSON.stringify(user),
  });
  expect(made.status).toBe(201);
  const { id } = (await made.json()) as { id: string };
  expect((await logIn("ada")).session).toBeDefined();
  expect(await people()).toMatchObject([{ id, name: "ada@example.org" }]);
});

test("an ID token without the claim is denied: another claim would be another person", async () => {
  await start({ defaultGroups: ["staff"] }, [byClaim("no-such-claim" as "oid")]);
  expect(await logIn("ada")).toMatchObject({ session: undefined, error: "access_denied" });
  expect(await people()).toEqual([]);
});
