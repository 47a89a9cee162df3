import { beforeEach, expect, it } from "vitest";
import type { LedgerEvent } from "../../audit/event.ts";
import { Mail, MAILS_AN_HOUR } from "./mail.ts";
import type { Letter } from "./mail.ts";
import { ATTEMPTS, NOTICES_MAX } from "./retry.ts";

const event = (type: LedgerEvent["type"] = "key.notice"): LedgerEvent => ({
  type, at: 1_700_000_000_000, environment: "prod", actor: "gateway", fields: { key: "k", reason: "key_expiring" },
}); // prettier-ignore
const many = (count: number) => Array.from({ length: count }, () => event());

let now: number;
let sent: Letter[];
let failures: Error[];
let waits: { ms: number; run: () => void }[];
let told: string[];
let mail: Mail;

beforeEach(() => {
  [now, sent, failures, waits, told] = [5_000_000, [], [], [], []];
  let ids = 0;
  mail = new Mail({
    clock: { monotonic: () => now },
    newId: () => String(++ids),
    after: (ms, then) => {
      waits.push({ ms, run: then });
      return { cancel: () => void waits.splice(0) };
    },
    sender: {
      send(letter) {
        sent.push(letter);
        const failure = failures.shift();
        return failure ? Promise.reject(failure) : Promise.resolve();
      },
      close: () => told.push("closed"),
    },
    onTrouble: (reason) => told.push(`trouble ${reason}`),
    onRecovery: () => told.push("recovered"),
    onDropped: (type, reason) => told.push(`dropped ${type}: ${reason}`),
  });
});
async function settle(): Promise<void> {
  for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve));
}
/** Time goes on by what is waited for. */
function pass(): number {
  const { ms, run } = waits.shift()!;
  now += ms;
  run();
  return ms;
}

it("one mail a notice, in order, and of nothing else", async () => {
  mail.tell([event(), event("request.intent"), event("key.revoked")]);
  await settle();
  expect(sent.map(({ subject }) => subject)).toEqual([
    "[sallyport] A key needs attention (prod, k)",
    "[sallyport] A key was revoked (prod, k)",
  ]);
  expect(mail.queued).toBe(0);
});

it("at most so many an hour; what comes above that is one mail when there is room again", async () => {
  mail.tell(many(MAILS_AN_HOUR + 30));
  await settle();
  now += 60_000;
  mail.tell(many(5));
  await settle();
  expect(sent).toHaveLength(MAILS_AN_HOUR);
  expect(waits).toHaveLength(1);
  now += 60_000;
  waits[0]!.ms -= 120_000;
  expect(pass()).toBe(3_600_000 - 120_000);
  await settle();
  expect(sent).toHaveLength(MAILS_AN_HOUR + 1);
  expect(sent.at(-1)!.subject).toBe("[sallyport] 35 notices");
  expect(mail.queued).toBe(0);
  mail.tell([event()]);
  await settle();
  expect(sent.at(-1)!.subject).toBe("[sallyport] A key needs attention (prod, k)");
});

it("tries again with the same id, waiting longer each time, and the next waits behind it", async () => {
  failures = [new Error("ECONNREFUSED"), new Error("ECONNREFUSED")];
  mail.tell([event(), event("key.revoked")]);
  await settle();
  expect(pass()).toBe(1_000);
  await settle();
  expect(pass()).toBe(2_000);
  await settle();
  expect(sent.map(({ id }) => id)).toEqual(["1", "1", "1", "2"]);
  expect(told).toEqual(["trouble ECONNREFUSED", "recovered"]);
});

it("gives up after some hours, says so, and goes on with the next", async () => {
  failures = Array.from({ length: ATTEMPTS }, () => new Error("EENVELOPE 550"));
  mail.tell([event(), event("key.revoked")]);
  for (let i = 1; i < ATTEMPTS; i++) {
    await settle();
    pass();
  }
  await settle();
  expect(told).toContain("dropped key.notice: EENVELOPE 550");
  expect(sent.at(-1)!.subject).toContain("revoked");
});

it("holds no more than its bound, and says what it drops, at its end too", async () => {
  failures = [new Error("down")];
  mail.tell(many(NOTICES_MAX + 1));
  expect(told).toEqual(["dropped key.notice: the queue is full"]);
  await settle();
  mail.close();
  expect(told.filter((text) => text.endsWith("the program stops"))).toHaveLength(NOTICES_MAX);
  mail.tell([event()]);
  await settle();
  expect(sent).toHaveLength(1);
});
