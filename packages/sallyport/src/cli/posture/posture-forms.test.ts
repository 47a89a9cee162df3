import { expect, it } from "vitest";
import { findingCodes } from "@sallyport/protocol";
import type { FindingView } from "@sallyport/contract";
import { postureHtml } from "./posture-html.ts";
import { postureSarif } from "./posture-sarif.ts";

const hostile = '<script>alert("1")</script>\u001b[31m';
const finding: FindingView = {
  code: "key_unused", severity: "medium", state: "note", status: "accepted", environment: "dev", subject: "key:k",
  says: `the key ${hostile} was not used`, evidence: [hostile], remedy: "sallyport keys revoke k", owner: hostile,
  firstSeen: null, accepted: { until: "2027-01-01T00:00:00.000Z", reason: hostile, by: "os:x", at: "2026-01-01T00:00:00.000Z" },
}; // prettier-ignore

it("the report has no script and shows hostile text as text", () => {
  const page = postureHtml([finding], "2026-11-30T00:00:00.000Z");
  expect(page).not.toContain("<script");
  expect(page).not.toContain("\u001b");
  expect(page).toContain("&lt;script&gt;");
  expect(page).toContain("default-src 'none'");
});

it("SARIF has a rule for each code, and a suppression for an accepted finding", () => {
  const { runs, version } = JSON.parse(JSON.stringify(postureSarif([finding]))) as {
    version: string;
    runs: { tool: { driver: { rules: { id: string }[] } }; results: Record<string, unknown>[] }[];
  };
  expect(version).toBe("2.1.0");
  expect(runs[0]?.tool.driver.rules.map(({ id }) => id)).toEqual(Object.keys(findingCodes));
  expect(runs[0]?.results[0]).toMatchObject({
    ruleId: "key_unused",
    level: "warning",
    partialFingerprints: { "sallyport/v1": "dev/key_unused/key:k" },
    suppressions: [{ status: "accepted", justification: hostile }],
  });
});
