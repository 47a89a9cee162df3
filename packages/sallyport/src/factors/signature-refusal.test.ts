import { expect, it } from "vitest";
import { refuseSignature } from "./signature-refusal.ts";

it("a refusal names the reason and what it is about, and says when to try again where that helps", () => {
  expect(refuseSignature({ reason: "signature_missing" })).toEqual({ code: "signature_missing" });
  expect(refuseSignature({ reason: "signature_replayed" })).toEqual({ code: "signature_replayed" });
  expect(refuseSignature({ reason: "signature_component_missing", name: "@method" })).toEqual({
    code: "signature_invalid",
    detail: "signature_component_missing (@method)",
  });
  expect(refuseSignature({ reason: "signature_before_start" })).toMatchObject({
    code: "signature_invalid",
    retryAfterSeconds: 6,
  });
  expect(refuseSignature({ reason: "replay_key_full" })).toMatchObject({ code: "rate_limited", retryAfterSeconds: 1 });
  expect(refuseSignature({ reason: "replay_store_full" })).toMatchObject({ code: "overloaded" });
});
