import { createHmac } from "node:crypto";
import { beforeEach, expect, it } from "vitest";
import type { LedgerEvent } from "../../audit/event.ts";
import type { Posted } from "../../kernel/post-json.ts";
import { Secret } from "../../kernel/secret.ts";
import { NOTICES_MAX } from "./retry.ts";
import { Webhook } from "./webhook.ts";

const KEY = Buffer.alloc(32, 5);
const event = (type: LedgerEvent["type"] = "key.notice"): LedgerEvent => ({
  type, at: 1_700_000_000_000, environment: "prod", actor: "gateway", fields: { key: "k", reason: "key_expiring" },
}); // prettier-ignore

let posted: { body: string; headers: Readonly<Record<string, string>> }[];
let answers: (number | Error)[];
let waits: { ms: number; run: () => void }[];
let told: string[];
let webhook: Webhook;

beforeEach(() => {
  [posted, answers, waits, told] = [[], [], [], []];
  let ids = 0;
  webhook = new Webhook({
    clock: { now: () => 1_700_000_001_500, monotonic: () => 0 },
    secret: new Secret(`whsec_${KEY.toString("base64")}`),
    newId: () => String(++ids),
    after: (ms, then) => {
      waits.push({ ms, run: then });
      return { cancel: () => void waits.splice(0) };
    },
    poster: {
      post(body, headers = {}): Promise<Posted> {
        posted.push({ body, headers });
        const answer = answers.shift() ?? 204;
        return answer instanceof Error ? Promise.reject(answer) : Promise.resolve({ status: answer, text: "" });
      },
      close: () => told.push("closed"),
    },
    onTrouble: (reason) => told.push(`trouble ${reason}`),
    onRecovery: () => told.push("recovered"),
    onDropped: (type, reason) => told.push(`dropped ${type}: ${reason}`),
  });
});
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

it("posts each event once, in order, signed as Standard Webhooks verifies it", async () => {
  webhook.tell([event(), event("request.intent"), event("key.revoked")]);
  await settle();
  expect(posted.map(({ body }) => (JSON.parse(body) as { type: string }).type)).toEqual(["key.notice", "key.revoked"]);
  const [{ body, headers }] = posted as [(typeof posted)[0]];
  expect(JSON.parse(body)).toEqual({
    type: "key.notice",
    timestamp: "2023-11-14T22:13:20.000Z",
    data: { environment: "prod", actor: "gateway", key: "k", reason: "key_expiring" },
  });
  expect(headers["webhook-timestamp"]).toBe("1700000001");
  const wanted = createHmac("sha256", KEY).update(`${headers["webhook-id"]}.1700000001.${body}`).digest("base64");
  expect(headers["webhook-signature"]).toBe(`v1,${wanted}`);
  expect(webhook.queued).toBe(0);
});

it("tries again with the same id, waiting longer each time, and the next notice waits behind it", async () => {
  answers = [new Error("ECONNREFUSED"), 500, 204];
  webhook.tell([event(), event("key.revoked")]);
  for (const ms of [1_000, 2_000]) {
    await settle();
    expect(waits.map((wait) => wait.ms)).toEqual([ms]);
    waits.shift()!.run();
  }
  await settle();
  expect(posted.map(({ headers }) => headers["webhook-id"])).toEqual(["msg_1", "msg_1", "msg_1", "msg_2"]);
  expect(told).toEqual(["trouble ECONNREFUSED", "recovered"]);
});

it("gives up after some hours and goes on with the next", async () => {
  answers = Array.from({ length: 20 }, () => 410);
  webhook.tell([event(), event("key.revoked")]);
  let waitedMs = 0;
  for (let i = 0; i < 19; i++) {
    await settle();
    waitedMs += waits[0]!.ms;
    waits.shift()!.run();
  }
  await settle();
  expect(told).toContain("dropped key.notice: status 410");
  expect(waitedMs).toBeGreaterThan(2 * 3_600_000);
  expect(webhook.queued).toBe(0);
});

it("holds no more than its bound, and says what it drops, at its end too", async () => {
  answers = [500];
  webhook.tell(Array.from({ length: NOTICES_MAX + 1 }, () => event()));
  expect(told).toEqual(["dropped key.notice: the queue is full"]);
  await settle();
  webhook.close();
  expect(told.filter((text) => text.endsWith("the program stops"))).toHaveLength(NOTICES_MAX);
  webhook.tell([event()]);
  expect(posted).toHaveLength(1);
});
