/** A rotation while it is used: clients go over one after another, and nobody is refused who should not be. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { codeOf, startGateway } from "./started-gateway.ts";
import type { StartedGateway } from "./started-gateway.ts";

const CLIENTS = 1_000;
const AT_ONCE = 50;
const body = { model: "llama3.2", input: "x" };

let gateway: StartedGateway;
beforeAll(async () => {
  gateway = await startGateway();
});
afterAll(() => gateway.stop());

interface RotatedKey {
  readonly id: string;
  readonly key: string;
}
interface ShownKey {
  readonly state: string;
  readonly lastUsedAt: string | null;
  readonly secrets: readonly {
    readonly state: string;
    readonly instances: readonly { readonly address: string; readonly agent: string }[];
  }[];
}

const ask = (key: string, agent: string): Promise<Response> =>
  gateway.post("/api/embed", key, body, { "user-agent": agent });

it("a thousand clients go over during a rotation, and every request is answered", { timeout: 60_000 }, async () => {
  const issued = await gateway.issue();
  const show = (): Promise<ShownKey> => gateway.admin("GET", `/v1/keys/${issued.id}`);
  const refused: string[] = [];
  let rotated: Promise<RotatedKey> | undefined;
  async function client(n: number): Promise<void> {
    // Each asks with the old secret, and with the new one as soon as there is one: no two at the same moment.
    for (const key of [
      issued.key,
      n < CLIENTS / 10 ? issued.key : (await rotated!).key,
      n % 2 ? issued.key : undefined,
    ]) {
      const answer = await ask(key ?? (await rotated)?.key ?? issued.key, `client-${n % 3}`);
      const text = await answer.text();
      if (answer.status !== 200) refused.push(`${answer.status} ${codeOf(text)}`);
    }
  }
  let next = 0;
  async function worker(): Promise<void> {
    for (let n = next++; n < CLIENTS; n = next++) {
      if (n === CLIENTS / 20)
        rotated = gateway.admin<RotatedKey>("POST", `/v1/keys/${issued.id}/rotate`, { grace: "1h" });
      await client(n);
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  expect(refused).toEqual([]);

  const during = await show();
  expect(during.secrets.map(({ state }) => state)).toEqual(["overlapping", "active"]);
  expect(during.secrets[0]!.instances.map(({ address, agent }) => `${address} ${agent}`).toSorted()).toEqual([
    "127.0.0.1 client-0",
    "127.0.0.1 client-1",
    "127.0.0.1 client-2",
  ]);
  const old = await ask(issued.key, "late");
  expect([old.status, old.headers.get("sunset") !== null, old.headers.get("deprecation")?.[0]]).toEqual([
    200,
    true,
    "@",
  ]);
  const good = await ask((await rotated!).key, "new");
  expect([good.status, good.headers.get("sunset")]).toEqual([200, null]);

  await gateway.admin("POST", `/v1/keys/${issued.id}/finish`);
  const late = await ask(issued.key, "late");
  expect([late.status, codeOf(await late.text())]).toEqual([401, "key_rotated"]);
  await gateway.restart();
  expect((await ask((await rotated!).key, "new")).status).toBe(200);
  const late2 = await ask(issued.key, "late");
  expect([late2.status, codeOf(await late2.text())]).toEqual([401, "key_rotated"]);
  expect(await show()).toMatchObject({ state: "active", isFrozen: true, lastUsedAt: expect.any(String) });
});

it("a key that was granted it makes its own next secret, and another does not", async () => {
  const post = (key: string, body: object): Promise<Response> => gateway.post("/sallyport/key/rotate", key, body);
  const idempotencyKey = "0b9c2f51-7d41-4c11";
  const plain = await gateway.issue();
  const denied = await post(plain.key, { idempotencyKey });
  expect([denied.status, codeOf(await denied.text())]).toEqual([403, "permission_denied"]);

  const issued = await gateway.issue({ allow: ["infer:embed", "self:rotate"] });
  const unused = await post(issued.key, { idempotencyKey });
  expect([unused.status, codeOf(await unused.text())]).toEqual([403, "rotation_elsewhere"]);
  expect((await ask(issued.key, "app")).status).toBe(200);
  for (const body of [{}, { idempotencyKey: "short" }, { idempotencyKey, grace: "90d" }]) {
    const refused = await post(issued.key, body);
    expect([refused.status, codeOf(await refused.text())]).toEqual([400, "field_invalid"]);
  }
  const rotated = (await (await post(issued.key, { idempotencyKey })).json()) as RotatedKey;
  expect(rotated.id).toBe(issued.id);
  expect((await ask(rotated.key, "app")).status).toBe(200);
  expect((await ask(issued.key, "app")).headers.get("sunset")).not.toBeNull();
});

it("a rotation goes on where a restart has interrupted it, in each of its states", async () => {
  const issued = await gateway.issue();
  const states = async (): Promise<string[]> =>
    (await gateway.admin<ShownKey>("GET", `/v1/keys/${issued.id}`)).secrets.map(({ state }) => state);
  const order = { grace: "1h", idempotencyKey: "7c1d7f4e-3a52-4f0a" };
  const rotate = (): Promise<RotatedKey> => gateway.admin("POST", `/v1/keys/${issued.id}/rotate`, order);
  const rotated = await rotate();
  await gateway.restart();
  expect(await states()).toEqual(["active", "pending"]);
  expect((await rotate()).key).toBe(rotated.key);
  expect((await ask(issued.key, "app")).status).toBe(200);
  expect((await ask(rotated.key, "app")).status).toBe(200);
  await gateway.restart();
  expect(await states()).toEqual(["overlapping", "active"]);
  for (const key of [issued.key, rotated.key]) expect((await ask(key, "app")).status).toBe(200);
  await gateway.admin("POST", `/v1/keys/${issued.id}/finish`);
  await gateway.restart();
  expect(await states()).toEqual(["destroyed", "active"]);
  expect((await ask(issued.key, "app")).status).toBe(401);
  expect((await ask(rotated.key, "app")).status).toBe(200);
});
