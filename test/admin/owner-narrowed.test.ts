/** No key is made in the epoch of its owner's revocation, however the order and the revocation interleave. */
import { beforeEach, expect, it } from "vitest";
import { AdminClient } from "@sallyport/client";
import type { BodyInput } from "@sallyport/contract";
import { MemoryGateway, POLICY } from "./memory-ports.ts";

let gateway: MemoryGateway;
let client: AdminClient;
let ada: string;
const order: BodyInput<"keys.create"> = {
  environment: "prod",
  name: "k",
  owner: "ada",
  roles: ["bot"],
  models: ["llama3.2"],
};

beforeEach(async () => {
  gateway = new MemoryGateway();
  client = new AdminClient({ handle: (request) => gateway.app.handle(request, { kind: "socket", user: "root" }) });
  await client.call("policy.apply", { body: { text: POLICY } });
  ada = (await client.call("principals.create", { body: { kind: "person", name: "ada", groups: ["ops"] } })).id;
});

/** The turn is held while both calls come in, so that each has read what it reads before its turn. */
async function heldTurn(work: () => void): Promise<void> {
  let release = (): void => undefined;
  const held = gateway.ports.changes.inTurn(() => new Promise<void>((resolve) => (release = resolve)));
  await Promise.resolve();
  work();
  await new Promise((resolve) => setImmediate(resolve));
  release();
  await held;
}

function leaveGroup(): Promise<unknown> {
  return gateway.ports.reconciler.hear([
    {
      source: "scim",
      by: "x",
      actor: "key:x",
      event: "e",
      isOnce: false,
      at: null,
      subject: { principal: ada },
      says: { groups: { remove: ["ops"] } },
    },
  ]);
}

it("an order that was begun before the revocation and comes to its turn after it is refused", async () => {
  let narrowed: Promise<unknown> = Promise.resolve();
  let ordered: Promise<unknown> = Promise.resolve();
  await heldTurn(() => {
    narrowed = leaveGroup();
    ordered = client.call("keys.create", { body: order }).catch((problem: unknown) => problem);
  });
  await narrowed;
  expect(await ordered).toMatchObject({ code: "owner_narrowed" });
  expect([...gateway.stored.values()].filter((key) => key.owner === ada)).toEqual([]);
});

it("an order that comes to its turn before the revocation is a key that the revocation ends", async () => {
  let narrowed: Promise<unknown> = Promise.resolve();
  let ordered: Promise<unknown> = Promise.resolve();
  await heldTurn(() => {
    ordered = client.call("keys.create", { body: order });
    narrowed = new Promise((resolve) => setImmediate(() => resolve(leaveGroup())));
  });
  await Promise.all([ordered, narrowed]);
  expect([...gateway.stored.values()].filter((key) => key.owner === ada)).toMatchObject([
    { state: "revoked", reason: "role_lost" },
  ]);
});

it("an order that is begun after it meets the rights that are left", async () => {
  await leaveGroup();
  const made = await client.call("keys.create", { body: order });
  expect(gateway.stored.get(`prod/${made.id}`)!.state).toBe("active");
  expect(gateway.ports.snapshot().rightOf(gateway.stored.get(`prod/${made.id}`)!)!.live).toEqual([]);
});

it("an administrator cannot wake whom a directory has put to sleep", async () => {
  const says = { isActive: false };
  await gateway.ports.reconciler.hear([
    { source: "scim", by: "x", actor: "key:x", event: "e", isOnce: false, at: null, subject: { principal: ada }, says },
  ]);
  await expect(client.call("principals.enable", { params: { id: ada } })).rejects.toMatchObject({
    code: "owner_disabled_elsewhere",
  });
  expect(await client.call("principals.disable", { params: { id: ada } })).toMatchObject({
    disabledBy: ["scim", "admin"],
  });
  expect(await client.call("principals.enable", { params: { id: ada } })).toMatchObject({
    isDisabled: true,
    disabledBy: ["scim"],
  });
});
