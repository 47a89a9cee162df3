// What has to be accepted.
import { NOW } from "./signed-requests.js";

export function verifiedCases({ made, parameters, ordinary, fields, get, withDigest, sha512 }) {
  return [
    made("Ed25519"),
    made("P-256", {
      says: { ...parameters, keyid: '"test-key-ecc-p256"', alg: '"ecdsa-p256-sha256"' },
      by: "test-key-ecc-p256",
    }),
    made("HMAC", {
      says: { ...parameters, keyid: '"test-shared-secret"', alg: '"hmac-sha256"' },
      by: "test-shared-secret",
    }),
    made("without a body", get),
    made("SHA-512", withDigest(sha512)),
    made("both digests", withDigest(`${fields["content-digest"]}, ${sha512}`)),
    made("components and parameters in another order", {
      covers: Object.entries(ordinary).toReversed(),
      says: Object.fromEntries(Object.entries(parameters).toReversed()),
    }),
    made("every derived component, a query, a port of its own", {
      covers: {
        ...get.covers,
        '"@authority"': "llm.example.org:8443",
        '"@target-uri"': "https://llm.example.org:8443/api/tags?ts=1",
        '"@scheme"': "https",
        '"@request-target"': "/api/tags?ts=1",
        '"@path"': "/api/tags",
        '"@query"': "?ts=1",
      },
      headers: get.headers,
      body: "",
      request: { method: "GET", target: "/api/tags?ts=1", authority: "LLM.example.org:8443" },
    }),
    made("the scheme's own port is no part of the authority", { request: { authority: "llm.example.org:443" } }),
    made("a field of two lines, trimmed and joined", {
      covers: { ...ordinary, '"x-note"': "one, two" },
      headers: [...Object.entries(fields), ["X-Note", "  one "], ["x-note", "\ttwo"]],
    }),
    made("a field that is there and empty", {
      covers: { ...ordinary, '"x-note"': "" },
      headers: { ...fields, "x-note": "" },
    }),
    made("an absent query is a question mark", { covers: { ...ordinary, '"@query"': "?" } }),
    made("just made, by a clock five seconds ahead", { request: { now: (NOW - 5) * 1000 } }),
    made("in its last second", { request: { now: (NOW + 60) * 1000 - 1 } }),
  ];
}
