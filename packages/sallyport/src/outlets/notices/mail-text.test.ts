import { expect, it } from "vitest";
import type { LedgerEvent } from "../../audit/event.ts";
import { digestOf, mailOf, plainLine } from "./mail-text.ts";
import { noticeTypes } from "./notice-types.ts";

const event = (fields: LedgerEvent["fields"], type: LedgerEvent["type"] = "key.suspended"): LedgerEvent => ({
  type, at: 1_700_000_000_000, environment: "prod", actor: "gateway", fields,
}); // prettier-ignore

it("says what, which key, why, what was done and what to do next", () => {
  const fields = { key: "4fT9wLq2ZbXc", kind: "decoy_used", says: "a canary key was used", action: "suspend", until: 1_700_003_600_000, alert: "A", factors: ["use of bait: 192.0.2.1"], requests: ["r1"] }; // prettier-ignore
  const { subject, text } = mailOf(event(fields, "anomaly.detected"));
  expect(subject).toBe("[sallyport] Unusual use of a key (prod, 4fT9wLq2ZbXc)");
  for (const line of [
    "key: 4fT9wLq2ZbXc",
    "looks like: decoy_used",
    "why: a canary key was used",
    "seen: use of bait: 192.0.2.1",
    "what was done: suspend",
    "until: 2023-11-14T23:13:20.000Z",
    "when: 2023-11-14T22:13:20.000Z",
  ])
    expect(text.split("\n")).toContain(line);
  expect(text).toContain("What to do next: ");
});

it("has words for everything somebody is told of", () => {
  for (const type of noticeTypes) expect(mailOf(event({}, type)).subject).toMatch(/^\[sallyport\] [A-Z].* \(prod\)$/);
});

it("names made to break out of their line stay in it, and fields that are not named are not said", () => {
  const hostile = "x\r\nBcc: thief@example.org\r\n\r\n<b>\u202Eevil\u2028\u0000 " + "y".repeat(10_000);
  const { subject, text } = mailOf({
    ...event({ key: hostile, name: hostile, reason: hostile, factors: [hostile], secret: "sp_prod_secret" }),
    environment: hostile,
    actor: hostile,
  });
  expect(subject).not.toMatch(/[\r\n\u202E\u2028\u0000]/);
  expect(subject.length).toBeLessThanOrEqual(300);
  expect(text).not.toMatch(/[\r\u202E\u2028\u0000]/);
  expect(text.split("\n").filter((line) => line.startsWith("Bcc"))).toEqual([]);
  expect(text.length).toBeLessThan(3_000);
  expect(text).not.toContain("sp_prod_secret");
  expect(digestOf([event({ key: hostile }), event({ key: hostile })]).text).not.toMatch(/^Bcc|[\r\u202E\u2028\u0000]/m);
  expect(plainLine("a\ud800")).toBe("a ");
});

it("many are one mail: how many of each, and the first hundred", () => {
  const { subject, text } = digestOf([
    ...Array.from({ length: 150 }, () => event({ key: "K" })),
    event({}, "key.revoked"),
  ]);
  expect(subject).toBe("[sallyport] 151 notices");
  expect(text).toContain("150 x A key was suspended\n1 x A key was revoked");
  expect(text.match(/A key was suspended \(prod, K\)/g)).toHaveLength(100);
  expect(text).toContain("and 51 more");
});
