import { describe, expect, it } from "vitest";
import type { Exchange } from "../exchange.ts";
import { isSameOrigin } from "./same-origin.ts";

const listener = { configured: null, listener: () => "http://127.0.0.1:11435" };
const behindProxy = { configured: new URL("https://models.example.org"), listener: () => "http://127.0.0.1:11435" };

function sent(headers: Record<string, string>): Exchange {
  const rawHeaders = Object.entries(headers).flat();
  return { request: { rawHeaders, socket: {} }, origin: headers["origin"] ?? null, host: "127.0.0.1:11435" } as never;
}

describe("a form", () => {
  it.each([
    ["same-origin", true],
    ["same-site", false],
    ["cross-site", false],
    ["none", false],
    ["", false],
  ])("with sec-fetch-site %j: %s, whatever its origin says", (site, isOurs) => {
    for (const origin of ["http://127.0.0.1:11435", "https://evil.example"])
      expect(isSameOrigin(sent({ "sec-fetch-site": site, origin }), listener)).toBe(isOurs);
  });

  it.each([
    ["http://127.0.0.1:11435", true],
    ["http://127.0.0.1:11436", false],
    ["http://127.0.0.1:11435.evil.example", false],
    ["null", false],
  ])("without it, from %s: %s", (origin, isOurs) => {
    expect(isSameOrigin(sent({ origin }), listener)).toBe(isOurs);
  });

  it("that says nothing of where it comes from is not ours; behind a proxy its public name counts", () => {
    expect(isSameOrigin(sent({}), listener)).toBe(false);
    expect(isSameOrigin(sent({ origin: "https://models.example.org" }), behindProxy)).toBe(true);
    expect(isSameOrigin(sent({ origin: "http://127.0.0.1:11435" }), behindProxy)).toBe(false);
  });

  it("that says it twice is not ours", () => {
    const twice = sent({ "sec-fetch-site": "same-origin" });
    twice.request.rawHeaders.push("Sec-Fetch-Site", "same-origin");
    expect(isSameOrigin(twice, listener)).toBe(false);
  });
});
