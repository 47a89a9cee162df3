/** What an identity provider sends reaches whom it means, whatever strangers send at the same time and whoever claims the same identity. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { makeSigning, sign, logOutClaims } from "../identity/token-maker.ts";
import { IdentityProvider } from "./identity-provider.ts";
import { startGateway } from "./started-gateway.ts";
import type { StartedGateway } from "./started-gateway.ts";

const USER = "urn:ietf:params:scim:schemas:core:2.0:User";

let provider: IdentityProvider;
let gateway: StartedGateway;

beforeEach(async () => {
  provider = await new IdentityProvider().start();
  gateway = await startGateway({
    settings: { identity: provider.settings },
    environments: ["dev", "prod"],
    moreYaml:
      "roles:\n  bot: { allow: [{ do: [infer:chat], on: [llama3.2] }] }\nassign: [{ group: team, role: bot, in: [dev, prod] }]\n",
  });
});
afterEach(async () => {
  await gateway.stop();
  provider.stop();
});

async function person(environment: string, userName: string, externalId: string): Promise<string> {
  const { key } = await gateway.admin<{ key: string }>("POST", "/v1/admin-keys", {
    name: userName,
    role: "provisioner",
    environments: [environment],
  });
  const answer = await fetch(`${gateway.gateway.adminUrl}/scim/v2/Users`, {
    method: "POST",
    headers: { authorization: `Bearer ${key}`, "content-type": "application/scim+json" },
    body: JSON.stringify({ schemas: [USER], userName, externalId, active: true }),
  });
  expect(answer.status).toBe(201);
  return String(((await answer.json()) as { id: string }).id);
}

describe("log-outs", () => {
  it("of the provider are heard beside 20 connections of forged ones, and a copy of one uses nothing up", async () => {
    await person("prod", "ada", "s1");
    const forger = await makeSigning("1");
    const iat = Math.floor(Date.now() / 1_000);
    const claims = { iss: provider.url, sub: "s1", iat, exp: iat + 120 };
    const forged = await Promise.all(
      Array.from({ length: 20 }, (_, n) =>
        sign(forger, logOutClaims({ ...claims, jti: `f${n}` }), { typ: "logout+jwt" }),
      ),
    );
    let isOver = false;
    const statuses = new Map<number, number>();
    const storm = forged.map(async (text) => {
      while (!isOver) {
        const { status } = await provider.logOut(gateway.gateway.adminUrl, text);
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
      }
    });
    const genuine: number[] = [];
    for (let n = 0; n < 30; n++) {
      const token = await provider.logOutToken("s1", `real-${n}`);
      genuine.push((await provider.logOut(gateway.gateway.adminUrl, token)).status);
      genuine.push((await provider.logOut(gateway.gateway.adminUrl, token)).status);
    }
    isOver = true;
    await Promise.all(storm);
    expect(genuine).toEqual(Array.from({ length: 30 }, () => [200, 400]).flat());
    expect([...statuses.keys()]).toEqual([400]);
    expect(statuses.get(400)!).toBeGreaterThan(100);
  });
});

describe("an identity that several people claim", () => {
  it("is stopped for all of them, and the answer says so", async () => {
    const ids = [await person("dev", "ada", "s1"), await person("prod", "also ada", "s1")];
    const { findings } = await gateway.admin<{ findings: { code: string }[] }>("GET", "/v1/findings");
    expect(findings.map(({ code }) => code)).toContain("identity_ambiguous");
    const stateOf = async (id: string): Promise<boolean> =>
      (await gateway.admin<{ isDisabled: boolean }>("GET", `/v1/principals/${id}`)).isDisabled;
    const disabled = await provider.riscEvent("s1", "account-disabled", "e1");
    const answer = await provider.push(gateway.gateway.adminUrl, disabled);
    expect([answer.status, answer.headers.get("x-sallyport-stopped")]).toEqual([202, "2"]);
    expect(await Promise.all(ids.map(stateOf))).toEqual([true, true]);
    // What would let somebody in again reaches nobody while it is not certain whom.
    const enabled = await provider.push(
      gateway.gateway.adminUrl,
      await provider.riscEvent("s1", "account-enabled", "e2"),
    );
    expect(enabled.status).toBe(202);
    expect(await Promise.all(ids.map(stateOf))).toEqual([true, true]);
  });

  it("is looked at in the directory for each of them", async () => {
    const ids = [await person("dev", "ada", "s1"), await person("prod", "also ada", "s1")];
    provider.users = [{ id: "s1", active: false }];
    await gateway.gateway.reload();
    const states = ids.map((id) => gateway.admin<{ isDisabled: boolean }>("GET", `/v1/principals/${id}`));
    expect((await Promise.all(states)).map(({ isDisabled }) => isDisabled)).toEqual([true, true]);
  });
});
