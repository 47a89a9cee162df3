// What has to be refused, each for its own reason.
import { BODY, NONCE, NOW } from "./signed-requests.js";

export function refusedCases(make, digests) {
  const { refused, editHeader, dropHeader, setHeader, header, without, withDigest } = make;
  const { ordinary, parameters, fields, get, getCovers, sha512 } = make;
  const twice = (first, second) => ({
    after: (request) => {
      for (const name of ["signature-input", "signature"]) {
        const value = header(request, name);
        const other = value.replace(/^sig=/, "other=").replace(/=:.{4}/, "=:AAAA");
        setHeader(request, name, [first, second].map((one) => (one === "good" ? value : other)).join(", "));
      }
    },
  });
  const again = (name) => ({ after: (request) => request.headers.push([name, header(request, name)]) });
  const uncovered = Object.keys(ordinary).map((name) =>
    refused("signature_component_missing", `${name} is not covered`, { covers: without(ordinary, name) }),
  );
  const unsaid = Object.keys(parameters).map((name) =>
    refused("signature_parameter_missing", `no ${name}`, { says: without(parameters, name) }),
  );
  const unsupported = [
    ['"@method";req', "POST"],
    ['"content-type";sf', "application/json"],
    ['"content-type";bs', ":YXBwbGljYXRpb24vanNvbg==:"],
    ['"content-type";tr', "application/json"],
    ['"content-digest";key="sha-256"', `:${digests.sha256(BODY)}:`],
    ['"@query-param";name="a"', "1"],
    ['"@status"', "200"],
    ['"@signature-params"', ""],
    ['"@host"', "llm.example.org"],
    ['"Content-Type"', "application/json"],
    ['"signature"', ""],
    ['"signature-input"', ""],
    ['""', ""],
  ].map(([name, value]) =>
    refused("signature_component_unsupported", name, { covers: [...Object.entries(ordinary), [name, value]] }),
  );
  const says = (reason, what, change) => refused(reason, what, { says: { ...parameters, ...change } });
  const input = (what, edit) => refused("signature_malformed", what, editHeader("signature-input", edit));
  const signature = (reason, what, edit) => refused(reason, what, editHeader("signature", edit));
  const digest = (reason, what, text) => refused(reason, what, withDigest(text));
  const altered = (reason, what, request) => refused(reason, what, { request });

  return [
    refused("signature_missing", "not signed", {
      after: (request) => (request.headers = request.headers.filter(([name]) => !name.startsWith("signature"))),
    }),
    refused("signature_malformed", "no signature", dropHeader("signature")),
    refused("signature_malformed", "no signature-input", dropHeader("signature-input")),
    refused("signature_labels", "a good signature and a bad one", twice("good", "bad")),
    refused("signature_labels", "a bad signature and a good one", twice("bad", "good")),
    refused("signature_labels", "the same label twice", twice("good", "good")),
    refused("signature_labels", "two lines of signature-input", again("signature-input")),
    refused("signature_labels", "two lines of signature", again("signature")),
    signature("signature_malformed", "labels differ", (text) => text.replace("sig=", "gis=")),
    ...uncovered,
    ...unsupported,
    refused("signature_component_repeated", "a component covered twice", {
      covers: [...Object.entries(ordinary), ['"@method"', "POST"]],
    }),
    refused("signature_component_absent", "a covered field that is missing, read as empty", {
      covers: { ...ordinary, '"x-note"': "" },
    }),
    refused("signature_component_absent", "a covered environment that is missing", {
      ...dropHeader("sallyport-environment"),
    }),
    refused("signature_component_malformed", "a covered field beyond ASCII", {
      covers: { ...ordinary, '"x-note"': "caf\u00e9" },
      headers: { ...fields, "x-note": "caf\u00e9" },
    }),
    refused("signature_component_malformed", "a covered field with a no-break space at its end", {
      covers: { ...ordinary, '"x-note"': "a" },
      headers: { ...fields, "x-note": "a\u00a0" },
    }),
    refused("signature_component_malformed", "two environments", again("sallyport-environment")),
    refused("signature_component_malformed", "two content types", again("content-type")),
    ...unsaid,
    says("signature_parameter_unknown", "an unknown parameter", { context: '"x"' }),
    says("signature_malformed", "created as text", { created: `"${NOW}"` }),
    says("signature_malformed", "created with a fraction", { created: `${NOW}.0` }),
    says("signature_malformed", "created with a leading zero", { created: `0${NOW}` }),
    says("signature_malformed", "created below nothing", { created: `-${NOW}` }),
    says("signature_malformed", "keyid as a token", { keyid: "test-key-ed25519" }),
    says("signature_malformed", "keyid with an escape", { keyid: '"test-key-ed2551\\9"' }),
    says("signature_malformed", "keyid beyond ASCII", { keyid: '"test-k\u00e9y"' }),
    says("signature_malformed", "keyid of 257 characters", { keyid: `"${"k".repeat(257)}"` }),
    says("signature_nonce", "a nonce of 126 bits", { nonce: `"${NONCE.slice(1)}"` }),
    says("signature_nonce", "a nonce in standard base64", { nonce: `"${NONCE.slice(2)}+/"` }),
    says("signature_nonce", "a nonce that is too long", { nonce: `"${"a".repeat(87)}"` }),
    says("signature_tag", "another tag", { tag: '"web-bot-auth"' }),
    says("signature_lifetime", "expires before created", { expires: NOW - 1 }),
    says("signature_lifetime", "expires with created", { expires: NOW }),
    says("signature_lifetime", "a lifetime of 61 s", { expires: NOW + 61 }),
    altered("signature_expired", "expired", { now: (NOW + 60) * 1000 }),
    altered("signature_future", "made in the future", { now: (NOW - 6) * 1000 }),
    refused("signature_parameter_missing", "old, and created left out so that no age applies", {
      says: { ...without(parameters, "created"), expires: NOW + 31_536_060 },
      request: { now: (NOW + 31_536_000) * 1000 },
    }),
    input("created twice", (text) => text.replace(";expires", `;created=${NOW};expires`)),
    input("two spaces between components", (text) => text.replace('" "', '"  "')),
    input("a space inside the parenthesis", (text) => text.replace('("', '( "')),
    input("a space before a parameter", (text) => text.replace(";created", "; created")),
    input("a parameter without value", (text) => text.replace(/tag="sallyport"/, "tag")),
    input("an item, not a list", (text) => text.replace(/\(.*?\)/, '"@method"')),
    input("something after it", (text) => `${text} x`),
    input("a space before it", (text) => ` ${text}`),
    input("a label in capitals", (text) => text.replace("sig", "Sig")),
    input("a label of 65 characters", (text) => text.replace("sig", "s".repeat(65))),
    input("empty", () => ""),
    input("longer than is read", (text) => text.replace('"@method"', `"@method" "${"x".repeat(200)}"`.repeat(11))),
    input("thirty-three components", (text) =>
      text.replace("(", `(${Array.from({ length: 33 }, (_, n) => `"x-${n}" `).join("")}`),
    ),
    signature("signature_malformed", "base64 without its padding", (text) => text.replace("==:", ":")),
    signature("signature_malformed", "base64 with other unused bits", (text) =>
      text.replace(/(.)==:$/, (_, last) => `${String.fromCharCode(last.charCodeAt(0) + 1)}==:`),
    ),
    signature("signature_malformed", "base64url", (text) => text.replace(/:.{4}/, ":-_-_")),
    signature("signature_malformed", "a text, not bytes", (text) => text.replaceAll(":", '"')),
    signature("signature_malformed", "a parameter", (text) => `${text};x`),
    signature("signature_malformed", "beyond ASCII", (text) => text.replace(":", ":\u00e9\u00e9\u00e9\u00e9")),
    signature("signature_malformed", "empty", () => "sig=::"),
    signature("signature_wrong", "shorter", () => "sig=:AAAA:"),
    signature("signature_wrong", "nothing but zeros", () => `sig=:${"A".repeat(86)}==:`),
    refused("signature_unknown_key", "a key nobody registered", { says: { ...parameters, keyid: '"nobody"' } }),
    refused("signature_wrong", "another key's signature", { by: "test-key-ecc-p256" }),
    refused("signature_algorithm", "another key's algorithm and signature", {
      says: { ...parameters, alg: '"ecdsa-p256-sha256"' },
      by: "test-key-ecc-p256",
    }),
    refused("signature_wrong", "P-256 in DER", {
      says: { ...parameters, keyid: '"test-key-ecc-p256"', alg: '"ecdsa-p256-sha256"' },
      by: "test-key-ecc-p256 in DER",
    }),
    ...["PEM", "bytes"].flatMap((form) => [
      refused("signature_algorithm", `an HMAC under the public key's ${form}, said to be one`, {
        says: { ...parameters, alg: '"hmac-sha256"' },
        by: `hmac under the public key's ${form}`,
      }),
      refused("signature_wrong", `an HMAC under the public key's ${form}, said to be Ed25519`, {
        by: `hmac under the public key's ${form}`,
      }),
    ]),
    says("signature_algorithm", "alg none", { alg: '"none"' }),
    altered("signature_wrong", "another method", { method: "PUT" }),
    altered("signature_wrong", "the method in lower case", { method: "post" }),
    altered("signature_wrong", "another path", { target: "/api/generate" }),
    altered("signature_wrong", "a query added", { target: "/api/chat?x" }),
    altered("signature_wrong", "another authority", { authority: "other.example.org" }),
    altered("signature_wrong", "another scheme", { scheme: "http" }),
    altered("signature_malformed", "a target in absolute form", { target: "https://llm.example.org/api/chat" }),
    altered("signature_malformed", "a target with a line in it", { target: "/api/chat\nx" }),
    altered("signature_environment", "another environment", { environment: "dev" }),
    refused("signature_wrong", "the environment's field exchanged, for that environment", {
      request: { environment: "dev" },
      ...editHeader("sallyport-environment", () => "dev"),
    }),
    refused(
      "signature_wrong",
      "another content type",
      editHeader("content-type", () => "text/plain"),
    ),
    altered("digest_mismatch", "another body", { body: BODY.replace("hello", "hullo") }),
    altered("digest_mismatch", "no body where one was signed", { body: "" }),
    refused("digest_missing", "the digest taken away", dropHeader("content-digest")),
    refused("digest_missing", "a chunked body without digest", {
      covers: getCovers,
      headers: { host: "llm.example.org", "sallyport-environment": "prod", "transfer-encoding": "chunked" },
    }),
    refused("signature_component_missing", "no body said, but a digest nobody signed", {
      ...get,
      headers: { ...get.headers, "content-digest": fields["content-digest"] },
    }),
    refused("digest_malformed", "two lines of digest", again("content-digest")),
    digest("digest_mismatch", "two digests, the first wrong", `sha-256=:${"A".repeat(43)}=:, ${sha512}`),
    digest("digest_mismatch", "two digests, the second wrong", `${fields["content-digest"]}, sha-512=:${"A".repeat(86)}==:`), // prettier-ignore
    digest("digest_malformed", "one digest twice", `${fields["content-digest"]}, ${fields["content-digest"]}`),
    digest("digest_malformed", "an unknown digest only", "md5=:AAAAAAAAAAAAAAAAAAAAAA==:"),
    digest("digest_malformed", "an unknown digest besides", `${fields["content-digest"]}, unixsum=:AAAA:`),
    digest("digest_malformed", "a digest of another length", `sha-256=:${sha512.slice(9)}`),
    digest("digest_malformed", "a digest as text", fields["content-digest"].replaceAll(":", '"')),
    digest("digest_malformed", "a digest with a parameter", `${fields["content-digest"]};x`),
  ];
}
