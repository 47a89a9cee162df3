/** Rotation and the sweep through the admin API: who may, what comes back, and what is asked twice. */
import { beforeEach, describe, expect, it } from "vitest";
import { AdminClient } from "@sallyport/client";
import { isRefusal, Problem } from "@sallyport/protocol";
import { everything, Secret } from "../program-under-test.ts";
import type { AdminRight } from "../program-under-test.ts";
import { MemoryGateway, POLICY } from "./memory-ports.ts";

const DAY_MS = 86_400_000;
const IDEMPOTENCY = "3f1d0c52-8a53-4c7e";
let gateway: MemoryGateway;
let root: AdminClient;
let made: { id: string; key: string };

beforeEach(async () => {
  gateway = new MemoryGateway();
  root = new AdminClient({ handle: (request) => gateway.app.handle(request, { kind: "socket", user: "root" }) });
  await root.call("policy.apply", { body: { text: POLICY } });
  const created = await root.call("keys.create", {
    body: { environment: "prod", name: "k", roles: ["bot"], models: ["llama3.2"] },
  });
  made = { id: created.id, key: created.key! };
  gateway.events.length = 0;
});

const codeOf = (text: string): string => {
  const said = gateway.ports.keys.authenticate(text, ["api"], gateway.nowMs);
  return isRefusal(said) ? said.code : "verified";
};
const rotate = async (body: { grace?: string; idempotencyKey?: string; restart?: boolean } = {}) => {
  const rotated = await root.call("keys.rotate", { params: { id: made.id }, body });
  return { ...rotated, key: rotated.key! };
};
const use = async (text: string): Promise<void> => {
  const said = gateway.ports.keys.authenticate(text, ["api"], gateway.nowMs);
  if (isRefusal(said)) throw new Error(said.code);
  gateway.ports.lifecycle.firstUse(said.key, said.secret);
  gateway.ports.lifecycle.firstUse(said.key, said.secret);
  await gateway.ports.changes.inTurn(async () => {});
};
async function refusalOf(asked: Promise<unknown>): Promise<string> {
  try {
    await asked;
    return "none";
  } catch (problem) {
    return problem instanceof Problem ? problem.code : String(problem);
  }
}

it("the same key id, both secrets until the grace after the first use, then the new one alone", async () => {
  const rotated = await rotate({ grace: "1h" });
  expect(rotated.id).toBe(made.id);
  expect(rotated.key).not.toBe(made.key);
  expect([codeOf(made.key), codeOf(rotated.key)]).toEqual(["verified", "verified"]);
  gateway.nowMs += 2 * DAY_MS;
  expect(codeOf(made.key)).toBe("verified");
  await use(rotated.key);
  gateway.nowMs += 3_599_999;
  expect(codeOf(made.key)).toBe("verified");
  gateway.nowMs += 1;
  expect([codeOf(made.key), codeOf(rotated.key)]).toEqual(["key_rotated", "verified"]);
  expect(gateway.events.map(({ type }) => type)).toEqual(["key.rotation_begun", "key.rotated"]);
});

it("a lost answer can be asked for again with the same idempotency key, for 15 minutes or until the first use", async () => {
  const first = await rotate({ idempotencyKey: IDEMPOTENCY });
  expect(await rotate({ idempotencyKey: IDEMPOTENCY })).toEqual(first);
  expect(JSON.stringify([...gateway.stored.values()])).not.toContain(first.key.slice(-40));
  const other = await rotate({ idempotencyKey: `${IDEMPOTENCY}-other`, restart: true });
  expect(other.key).not.toBe(first.key);
  expect(codeOf(first.key)).toBe("key_rotated");
  gateway.nowMs += 15 * 60_000;
  expect((await rotate({ idempotencyKey: `${IDEMPOTENCY}-other`, restart: true })).key).not.toBe(other.key);
});

it("a second rotation before the first use keeps the first secret, and so does finishing it", async () => {
  const first = await rotate();
  expect(await refusalOf(rotate())).toBe("rotation_in_progress");
  expect(await refusalOf(root.call("keys.finish", { params: { id: made.id } }))).toBe("rotation_in_progress");
  expect([codeOf(made.key), codeOf(first.key)]).toEqual(["verified", "verified"]);
  const second = await rotate({ restart: true });
  expect([codeOf(made.key), codeOf(first.key), codeOf(second.key)]).toEqual(["verified", "key_rotated", "verified"]);
});

it("a second rotation waits for the overlap, which an administrator may end", async () => {
  const rotated = await rotate();
  await use(rotated.key);
  expect(await refusalOf(rotate())).toBe("rotation_in_progress");
  await root.call("keys.finish", { params: { id: made.id } });
  expect([codeOf(made.key), codeOf(rotated.key)]).toEqual(["key_rotated", "verified"]);
  expect(await refusalOf(rotate())).toBe("none");
});

it("a replaced secret that is used again is told once and freezes nothing but itself", async () => {
  const rotated = await rotate();
  await use(rotated.key);
  await root.call("keys.finish", { params: { id: made.id } });
  for (let i = 0; i < 3; i++) expect(codeOf(made.key)).toBe("key_rotated");
  await gateway.ports.changes.inTurn(async () => {});
  expect(gateway.events.filter(({ type }) => type === "key.secret_reused")).toHaveLength(1);
  expect(codeOf(rotated.key)).toBe("verified");
  expect(await root.call("keys.show", { params: { id: made.id } })).toMatchObject({ isFrozen: true });
});

it("only who may grant what the key can do may rotate it, for no longer than his own right", async () => {
  const issuer: AdminRight = { ...everything, mayGrant: { allow: ["infer:embed"], models: ["*"] } };
  const clientOf = (right: AdminRight, expiresAt: number | null): AdminClient => {
    const key = gateway.adminKey(right, expiresAt);
    const handle = (request: Request): Promise<Response> => {
      request.headers.set("authorization", `Bearer ${key}`);
      return gateway.app.handle(request, { kind: "tcp" });
    };
    return new AdminClient({ handle });
  };
  const input = { params: { id: made.id }, body: {} };
  expect(await refusalOf(clientOf(issuer, null).call("keys.rotate", input))).toBe("grant_exceeds_issuer");
  const short = await clientOf(everything, gateway.nowMs + DAY_MS).call("keys.rotate", input);
  expect(Date.parse(short.expiresAt)).toBe(gateway.nowMs + DAY_MS);
  expect(await refusalOf(rotate({ grace: "90d" }))).toBe("input_invalid");
});

it("a sweep does what its dry run said: disuse, then the end", async () => {
  gateway.nowMs += 14 * DAY_MS;
  const dry = await root.call("keys.sweep", { body: { dryRun: true } });
  expect(dry.findings).toMatchObject([{ keyId: made.id, code: "key_never_used", action: "suspend" }]);
  expect(codeOf(made.key)).toBe("verified");
  expect(await root.call("keys.sweep", { body: { dryRun: false } })).toEqual(dry);
  expect(codeOf(made.key)).toBe("key_suspended");
  expect(await root.call("keys.show", { params: { id: made.id } })).toMatchObject({ reason: "key_never_used" });
  expect((await root.call("keys.sweep", { body: { dryRun: true } })).findings).toEqual([]);
  await root.call("keys.resume", { params: { id: made.id } });
  expect(codeOf(made.key)).toBe("verified");
  expect((await root.call("keys.sweep", { body: { dryRun: true } })).findings).toEqual([]);
});

it("a sweep that was interrupted goes on where it stopped: nothing is done twice, nothing is left out", async () => {
  const body = { environment: "prod", name: "k", roles: ["bot"], models: ["llama3.2"] };
  const other = await root.call("keys.create", { body });
  // What only notes something is in a change of its own, after what ends keys.
  const decoy = await root.call("keys.create", { body: { ...body, decoy: true, ttl: "20d" } });
  gateway.nowMs += 14 * DAY_MS;
  gateway.events.length = 0;
  gateway.changesLeft = 1;
  await expect(root.call("keys.sweep", { body: { dryRun: false } })).rejects.toThrow(/store/);
  expect(gateway.events.map(({ type }) => type)).toEqual(["key.suspended", "key.suspended"]);
  gateway.changesLeft = Infinity;
  const rest = await root.call("keys.sweep", { body: { dryRun: false } });
  expect(rest.findings).toMatchObject([{ keyId: decoy.id, action: "notice" }]);
  expect(gateway.events.map(({ type }) => type)).toEqual(["key.suspended", "key.suspended", "key.notice"]);
  const seen = new Set(gateway.events.map(({ fields }) => fields["key"]));
  expect(seen).toEqual(new Set([made.id, other.id, decoy.id]));
});

it("under a newer pepper a key is hashed anew when it is used, once, and works on", async () => {
  gateway.pepperVersion = 2;
  for (let i = 0; i < 3; i++) expect(codeOf(made.key)).toBe("verified");
  await gateway.ports.changes.inTurn(async () => {});
  expect(gateway.stored.get(`prod/${made.id}`)!.secrets).toMatchObject([{ generation: 1, pepperVersion: 2 }]);
  expect(gateway.events.map(({ type }) => type)).toEqual(["key.rehashed"]);
  expect(codeOf(made.key)).toBe("verified");
  await gateway.ports.changes.inTurn(async () => {});
  expect(gateway.events).toHaveLength(1);
});

describe("a key that may rotate itself", () => {
  const idempotencyKey = new Secret("8d2f6a70-51c8-4f0b");
  const itself = (address: string, generation = 1, under = idempotencyKey) =>
    gateway.ports.lifecycle.rotateItself({
      environment: "prod",
      id: made.id,
      generation,
      address,
      idempotencyKey: under,
    });
  const textOf = (said: Awaited<ReturnType<typeof itself>>): string =>
    isRefusal(said) ? said.code : said.text.reveal();
  const useAt = (text: string, address: string): void => {
    const said = gateway.ports.keys.authenticate(text, ["api"], gateway.nowMs);
    if (isRefusal(said)) throw new Error(said.code);
    gateway.ports.uses.notePlaced(said.key, said.secret, gateway.nowMs, address, "app");
  };

  it("only from a network its secret in use was used from", async () => {
    expect(textOf(await itself("10.0.0.1"))).toBe("rotation_elsewhere");
    useAt(made.key, "10.0.0.1");
    expect(textOf(await itself("10.0.1.1"))).toBe("rotation_elsewhere");
    const next = textOf(await itself("10.0.0.99"));
    expect(codeOf(next)).toBe("verified");
    expect(gateway.events).toMatchObject([{ type: "key.rotation_begun", actor: `key:${made.id}` }]);
  });

  it("once a day; a lost answer is asked for again with the same idempotency key", async () => {
    useAt(made.key, "10.0.0.1");
    const next = textOf(await itself("10.0.0.1"));
    expect(textOf(await itself("10.0.0.1"))).toBe(next);
    expect(await itself("10.0.0.1", 1, new Secret("another-one-0123456"))).toMatchObject({
      code: "rotation_too_soon",
      retryAfterSeconds: 86_400,
    });
    gateway.nowMs += DAY_MS;
    expect(textOf(await itself("10.0.0.1", 1, new Secret("another-one-0123456")))).toMatch(/^sp_prod_/);
  });

  it("never with an old secret, nor while it is frozen: a thief does not start the owner's clock", async () => {
    useAt(made.key, "10.0.0.1");
    const next = textOf(await itself("10.0.0.1"));
    await use(next);
    gateway.nowMs += DAY_MS;
    expect(textOf(await itself("10.0.0.1", 1))).toBe("key_rotated");
    useAt(next, "10.0.0.1");
    expect(textOf(await itself("10.0.0.1", 2))).toBe("rotation_in_progress");
    await root.call("keys.finish", { params: { id: made.id } });
    codeOf(made.key);
    await gateway.ports.changes.inTurn(async () => {});
    expect(textOf(await itself("10.0.0.1", 2))).toBe("rotation_frozen");
    expect(codeOf((await rotate()).key)).toBe("verified");
  });

  it("for some days after its expiry, and for nothing else then", () => {
    const late = (): string => {
      const said = gateway.ports.keys.authenticateLate(made.key, ["api"], gateway.nowMs, () => 7 * DAY_MS);
      return isRefusal(said) ? said.code : "verified";
    };
    expect(late()).toBe("verified");
    gateway.nowMs += 30 * DAY_MS;
    expect([codeOf(made.key), late()]).toEqual(["key_expired", "verified"]);
    gateway.nowMs += 7 * DAY_MS;
    expect(late()).toBe("key_expired");
  });
});
