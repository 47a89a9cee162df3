import { describe, expect, it } from "vitest";
import { Secret } from "../../kernel/secret.ts";
import { newOtpSecret, otpUri, stepOf } from "./one-time-code.ts";

/** "12345678901234567890", RFC 6238 appendix B. */
const RFC = new Secret("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");

describe("codes by time", () => {
  it.each([
    [59, "287082", 1],
    [1_111_111_109, "081804", 37_037_036],
    [1_234_567_890, "005924", 41_152_263],
    [2_000_000_000, "279037", 66_666_666],
  ])("at %i s as RFC 6238 says", (seconds, code, step) => {
    expect(stepOf(RFC, code, seconds * 1_000)).toBe(step);
  });

  it("count one step early and late, by the step they are of, and no further", () => {
    const at = (shift: number): number | undefined => stepOf(RFC, "005924", (1_234_567_890 + shift) * 1_000);
    expect([at(-30), at(0), at(29), at(30)]).toEqual([41_152_263, 41_152_263, 41_152_263, 41_152_263]);
    expect([at(-61), at(61)]).toEqual([undefined, undefined]);
  });

  it.each(["", "28708", "2870822", "28708a", " 287082", "٢٨٧٠٨٢"])("%j is none", (code) => {
    expect(stepOf(RFC, code, 59_000)).toBeUndefined();
  });

  it("are of a secret of 160 bits, which prints nothing and reaches an app as a URI", () => {
    const secret = newOtpSecret();
    expect(secret.reveal()).toMatch(/^[A-Z2-7]{32}$/);
    expect(`${String(secret)} ${JSON.stringify(otpUri(secret, "Ada"))}`).toBe('*** "***"');
    const uri = new URL(otpUri(secret, "Ada L?").reveal());
    expect([uri.protocol, uri.host, decodeURIComponent(uri.pathname)]).toEqual([
      "otpauth:",
      "totp",
      "/Sallyport:Ada L?",
    ]);
    expect(Object.fromEntries(uri.searchParams)).toEqual({
      issuer: "Sallyport",
      secret: secret.reveal(),
      algorithm: "SHA1",
      digits: "6",
      period: "30",
    });
  });
});
