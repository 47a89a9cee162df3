/** What another implementation of RFC 9421 signs is verified here, and the other way about; and they agree on what is not. */
import { createHash, createHmac, generateKeyPairSync, randomBytes, sign, verify } from "node:crypto";
import fc from "fast-check";
import { createSignature, verifySignature } from "http-message-sig";
import { describe, expect, test } from "vitest";
import { formatSignatureParameters, signatureBase } from "@sallyport/protocol";
import { makeSigner, verifyRequestSignature } from "../program-under-test.ts";
import type { Signer, SignerAlgorithm } from "../program-under-test.ts";

const NOW = 1_700_000_000;
const ed = generateKeyPairSync("ed25519");
const ec = generateKeyPairSync("ec", { namedCurve: "P-256" });
const secret = randomBytes(32);
const p1363 = { dsaEncoding: "ieee-p1363" as const };

interface Side {
  readonly text: string;
  sign(base: Uint8Array): Uint8Array;
  verify(base: Uint8Array, signature: Uint8Array): boolean;
}
const mac = (base: Uint8Array): Buffer => createHmac("sha256", secret).update(base).digest();
const sides: Readonly<Record<SignerAlgorithm, Side>> = {
  ed25519: {
    text: ed.publicKey.export({ type: "spki", format: "pem" }) as string,
    sign: (base) => sign(null, base, ed.privateKey),
    verify: (base, bytes) => verify(null, base, ed.publicKey, bytes),
  },
  "ecdsa-p256-sha256": {
    text: ec.publicKey.export({ type: "spki", format: "pem" }) as string,
    sign: (base) => sign("sha256", base, { key: ec.privateKey, ...p1363 }),
    verify: (base, bytes) => verify("sha256", base, { key: ec.publicKey, ...p1363 }, bytes),
  },
  "hmac-sha256": {
    text: secret.toString("base64url"),
    sign: mac,
    verify: (base, bytes) => mac(base).equals(bytes),
  },
};
const required = ["@method", "@target-uri", "@authority", "sallyport-environment", "content-digest", "content-type"];

const word = fc.stringMatching(/^[a-z0-9][a-z0-9._~-]{0,12}$/);
const request = fc.record({
  algorithm: fc.constantFrom("ed25519", "ecdsa-p256-sha256", "hmac-sha256" as const),
  method: fc.constantFrom("POST", "PUT", "DELETE"),
  scheme: fc.constantFrom("http", "https" as const),
  authority: fc
    .tuple(word, fc.constantFrom("", ":80", ":443", ":8443"))
    .map(([host, port]) => `${host}.example${port}`),
  target: fc
    .tuple(fc.array(word, { maxLength: 3 }), fc.option(fc.tuple(word, word)))
    .map(([path, query]) => `/${path.join("/")}${query === null ? "" : `?${query.join("=")}`}`),
  note: fc.array(fc.stringMatching(/^[ \t]*[!-~]?[ !-~]{0,20}$/), { minLength: 1, maxLength: 3 }),
  body: fc.string({ minLength: 1 }),
  extra: fc.subarray(["@scheme", "@path", "@query", "@request-target", "x-note"]),
  order: fc.infiniteStream(fc.nat()),
});

type Drawn = typeof request extends fc.Arbitrary<infer T> ? T : never;

function prepared({ algorithm, method, scheme, authority, target, note, body, extra, order }: Drawn) {
  const digest = createHash("sha256").update(body).digest("base64");
  const fields = [
    ["content-type", "application/json"],
    ["content-length", String(Buffer.byteLength(body))],
    ["sallyport-environment", "prod"],
    ["content-digest", `sha-256=:${digest}:`],
    ...note.map((value) => ["X-Note", value]),
  ] as [string, string][];
  const components = [...required, ...extra].map((name) => ({ name, rank: order.next().value as number }));
  const names = components.toSorted((a, b) => a.rank - b.rank).map(({ name }) => name);
  const parameters = {
    created: NOW,
    expires: NOW + 60,
    nonce: randomBytes(16).toString("base64url"),
    keyid: "laptop",
    alg: algorithm,
    tag: "sallyport",
  };
  const message = { method, scheme, authority, target, rawHeaders: fields.flat() };
  const theirs = {
    kind: "request" as const,
    method,
    // As URL parsers write it: without the scheme's own port.
    targetUri: new URL(`${scheme}://${authority}`).origin + target,
    requestTarget: target,
    fields: fields.map(([name, value]) => ({ name, value })),
  };
  const signer = makeSigner("laptop", algorithm, sides[algorithm].text) as Signer;
  return { message, theirs, fields, names, parameters, signer, side: sides[algorithm] };
}

describe("http-message-sig", () => {
  test("what it signs is verified here", async () => {
    await fc.assert(
      fc.asyncProperty(request, async (drawn) => {
        const { message, theirs, names, parameters, signer, side } = prepared(drawn);
        const made = await createSignature(theirs, {
          label: "sig",
          components: names,
          parameters,
          signer: { algorithm: drawn.algorithm, sign: (base) => side.sign(base) },
        });
        const sent = ["Signature-Input", made.signatureInput, "Signature", made.signature];
        const signed = {
          ...message,
          rawHeaders: [...message.rawHeaders, ...sent],
          environment: "prod",
          now: NOW * 1000,
        };
        expect(verifyRequestSignature(signed, () => signer)).toMatchObject({
          keyid: "laptop",
          nonce: parameters.nonce,
        });
      }),
      { numRuns: 300 },
    );
  });

  test("what is signed here it verifies, and neither takes it when a field has changed", async () => {
    await fc.assert(
      fc.asyncProperty(
        request,
        fc.constantFrom("content-type", "content-digest", "method", "none"),
        async (drawn, what) => {
          const { message, theirs, fields, names, parameters, signer, side } = prepared(drawn);
          const text = formatSignatureParameters(names, parameters);
          const base = signatureBase(message, names, text) as string;
          const signature = Buffer.from(side.sign(Buffer.from(base))).toString("base64");
          const change = ([name, value]: [string, string]): [string, string] => [
            name,
            name !== what ? value : name === "content-type" ? "text/plain" : value.replace(/:.{4}/, ":AAAA"),
          ];
          const sent: [string, string][] = [
            ...fields.map(change),
            ["signature-input", `sig=${text}`],
            ["signature", `sig=:${signature}:`],
          ];
          const method = what === "method" ? "PATCH" : drawn.method;
          const ours = { ...message, method, rawHeaders: sent.flat(), environment: "prod", now: NOW * 1000 };
          const verdict = verifyRequestSignature(ours, () => signer);
          const other = await verifySignature(
            { ...theirs, method, fields: sent.map(([name, value]) => ({ name, value })) },
            {
              policy: {
                algorithms: [drawn.algorithm],
                requiredComponents: required,
                requiredParameters: ["created", "expires", "nonce", "keyid"],
                maxAge: 60,
                clockSkew: 5,
                now: NOW,
              },
              resolveVerifier: () => ({
                algorithm: drawn.algorithm,
                verify: (bytes, made) => side.verify(bytes, made),
              }),
            },
          ).then(
            () => "verified",
            (cause: { code: string }) => cause.code,
          );
          expect("reason" in verdict ? verdict.reason : "verified").toBe(
            what === "none" ? "verified" : "signature_wrong",
          );
          expect(other).toBe(what === "none" ? "verified" : "VerificationFailed");
        },
      ),
      { numRuns: 300 },
    );
  });
});
