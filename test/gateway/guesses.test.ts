/** Credentials that are none of ours: answered alike where it matters, counted apart; what is genuine and has ended is no guess. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { formatKeyText } from "../program-under-test.ts";
import { readPrometheusText } from "./prometheus-text.ts";
import { codeOf, startGateway } from "./started-gateway.ts";
import type { IssuedKey, StartedGateway } from "./started-gateway.ts";

let gateway: StartedGateway;
let issued: IssuedKey;
beforeAll(async () => {
  gateway = await startGateway({ environments: ["dev", "prod"] });
  issued = await gateway.issue();
});
afterAll(() => gateway.stop());

async function ask(credential: string, url = gateway.url): Promise<{ code: string; body: string }> {
  const path = url === gateway.url ? "/api/tags" : "/v1/status";
  const answer = await fetch(url + path, { headers: { authorization: `Bearer ${credential}` } });
  const body = await answer.text();
  return { code: `${answer.status} ${codeOf(body)}`, body };
}

async function counted(): Promise<Record<string, number>> {
  const answer = await fetch(`${gateway.gateway.adminUrl}/metrics`, {
    headers: { authorization: `Bearer ${gateway.adminKey}` },
  });
  const samples = readPrometheusText(await answer.text()).get("sallyport_credential_failures_total")?.samples ?? [];
  return Object.fromEntries(samples.map(({ labels, value }) => [labels["signal"], value]));
}

const secretOf = (fill: string): string => fill.repeat(43);
const unknownId = formatKeyText("sp", "dev", "A".repeat(12), secretOf("s"));
const wrongSecret = (): string => formatKeyText("sp", "dev", issued.id, secretOf("s"));
const withoutId = (body: string): string => body.replace(/"request_id":"[^"]*"/, "");

test("malformed, unknown and wrong are three counters, and unknown and wrong one answer", async () => {
  const { key } = issued;
  const swapped = key.slice(0, 30) + (key[30] === "x" ? "y" : "x") + key.slice(31);
  for (const bad of [key.slice(0, -1), `${key}0`, swapped, key.replace("sp_dev_", "sp_prod_"), "sk-proj-4711", gateway.adminKey])
    expect((await ask(bad)).code).toBe("401 credential_malformed"); // prettier-ignore
  const unknown = [await ask(unknownId), await ask(formatKeyText("sp", "prod", issued.id, secretOf("s")))];
  const wrong = [await ask(wrongSecret()), await ask(wrongSecret()), await ask(wrongSecret())];
  expect(new Set([...unknown, ...wrong].map(({ code }) => code))).toEqual(new Set(["401 key_unknown"]));
  expect(new Set([...unknown, ...wrong].map(({ body }) => withoutId(body))).size).toBe(1);
  expect(await counted()).toEqual({ malformed: 6, unknown_id: 2, wrong_secret: 3 });
});

test("a genuine key that has expired, is suspended or revoked is counted as none of them", async () => {
  const before = await counted();
  const brief = await gateway.issue({ ttl: "1s" });
  const other = await gateway.issue();
  await gateway.admin("POST", `/v1/keys/${other.id}/suspend`);
  for (let i = 0; i < 20; i++) expect((await ask(other.key)).code).toBe("401 key_suspended");
  await gateway.admin("POST", `/v1/keys/${other.id}/revoke`);
  for (let i = 0; i < 20; i++) expect((await ask(other.key)).code).toBe("401 key_revoked");
  await expect.poll(async () => (await ask(brief.key)).code, { timeout: 10_000 }).toBe("401 key_expired");
  for (let i = 0; i < 20; i++) await ask(brief.key);
  expect(await counted()).toEqual(before);
});

test("the ledger counts them apart too, and administration's own door does", async () => {
  const { adminUrl } = gateway.gateway;
  expect((await ask(formatKeyText("spa", "system", "A".repeat(12), secretOf("s")), adminUrl)).code).toBe(
    "401 key_unknown",
  );
  await gateway.restart();
  const search = async (type: string): Promise<Record<string, unknown>[]> =>
    (
      await gateway.admin<{ records: { fields: Record<string, unknown> }[] }>(
        "GET",
        `/v1/audit?type=${type}&limit=1000`,
      )
    ).records.map(({ fields }) => fields);
  const sums: Record<string, number> = {};
  for (const { code, signal, count } of await search("request.unauthenticated"))
    sums[`${String(code)} ${String(signal)}`] = (sums[`${String(code)} ${String(signal)}`] ?? 0) + Number(count);
  expect(sums).toMatchObject({
    "credential_malformed malformed": 6,
    "key_unknown unknown_id": 2,
    "key_unknown wrong_secret": 3,
    "key_suspended null": 20,
    "key_revoked null": 20,
  });
  expect(Object.keys(sums).filter((name) => name.startsWith("key_expired"))).toEqual(["key_expired null"]);
  expect((await search("admin.refused"))[0]).toMatchObject({ code: "key_unknown", signal: "unknown_id" });
});
