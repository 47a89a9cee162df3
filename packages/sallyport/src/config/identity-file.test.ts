import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { readIdentityFile } from "./identity-file.ts";
import type { IdentitySettings } from "./identity-file.ts";

const folder = mkdtempSync(join(tmpdir(), "sallyport-identity-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function read(text: string): { settings: IdentitySettings | undefined; mistakes: string[] } {
  const path = join(folder, "identity.yaml");
  writeFileSync(path, text);
  const mistakes: string[] = [];
  const settings = readIdentityFile(path, mistakes);
  return { settings, mistakes: mistakes.map((mistake) => mistake.replace(path, "FILE")) };
}

const LEAST = "issuer: https://idp.example.org, keys: https://idp.example.org/jwks";

it("reads the whole of it, and says what is left out", () => {
  const { settings, mistakes } = read(`
providers:
  corp:
    issuer: https://idp.example.org
    keys: https://idp.example.org/jwks
    audience: https://sallyport.example.org
    clientId: sallyport
    subjects: externalId
    emails: allow
    groupsClaim: roles
    transmitter: { issuer: https://signals.example.org, keys: https://signals.example.org/jwks }
    push: { secret: env:PUSH }
    poll: { url: https://idp.example.org/poll, secret: env:POLL, every: 15s }
    directory: { url: https://idp.example.org/scim/v2, secret: file:/run/secrets/directory, subject: externalId }
  other: { issuer: http://127.0.0.1:8080/realms/x, keys: http://127.0.0.1:8080/jwks }
`);
  expect(mistakes).toEqual([]);
  expect(settings!.providers).toEqual([
    {
      name: "corp",
      issuer: "https://idp.example.org",
      keysUrl: "https://idp.example.org/jwks",
      transmitter: { issuer: "https://signals.example.org", keysUrl: "https://signals.example.org/jwks" },
      audience: "https://sallyport.example.org",
      clientId: "sallyport",
      hasExternalIds: true,
      mayNameByEmail: true,
      groupsClaim: "roles",
      push: { secret: { kind: "env", name: "PUSH" } },
      poll: { url: "https://idp.example.org/poll", secret: { kind: "env", name: "POLL" }, everyMs: 15_000 },
      directory: {
        url: "https://idp.example.org/scim/v2",
        secret: { kind: "file", path: "/run/secrets/directory" },
        everyMs: 60_000,
        subject: "externalId",
      },
    },
    {
      name: "other",
      issuer: "http://127.0.0.1:8080/realms/x",
      keysUrl: "http://127.0.0.1:8080/jwks",
      transmitter: null,
      audience: null,
      clientId: null,
      hasExternalIds: false,
      mayNameByEmail: false,
      groupsClaim: "groups",
      push: null,
      poll: null,
      directory: null,
    },
  ]);
});

it.each([
  ["own", false, undefined],
  ["externalId", true, undefined],
  ["oid", true, "oid"],
])("subjects: %s", (subjects, hasExternalIds, subjectClaim) => {
  const { settings } = read(`providers: { a: { ${LEAST}, subjects: ${subjects} } }`);
  expect(settings!.providers[0]).toMatchObject({ hasExternalIds });
  expect(settings!.providers[0]!.subjectClaim).toBe(subjectClaim);
});

it.each([
  ["an unknown key", `providers: { a: { ${LEAST}, issuers: x } }`, /issuers/],
  [
    "a secret itself",
    `providers: { a: { ${LEAST}, audience: x, push: { secret: the-secret-itself-0123456789 } } }`,
    /env:NAME or file:PATH/,
  ],
  [
    "an address in the clear",
    "providers: { a: { issuer: https://idp.example.org, keys: http://idp.example.org/jwks } }",
    /https address/,
  ],
  [
    "a user in an address",
    "providers: { a: { issuer: https://u:p@idp.example.org, keys: https://idp.example.org/jwks } }",
    /https address/,
  ],
  ["events for nobody", `providers: { a: { ${LEAST}, push: { secret: env:X } } }`, /events need an audience/],
  ["a claim that can be given again", `providers: { a: { ${LEAST}, subjects: email } }`, /subjects/],
  ["an issuer twice", `providers: { a: { ${LEAST} }, b: { ${LEAST} } }`, /comes twice/],
  [
    "external ids of two",
    `providers: { a: { ${LEAST}, subjects: externalId }, b: { issuer: https://b.example.org, keys: https://b.example.org/k, subjects: externalId } }`,
    /only one provider/,
  ],
  [
    "a look each millisecond",
    `providers: { a: { ${LEAST}, audience: x, poll: { url: https://idp.example.org/p, secret: env:X, every: 0s } } }`,
    /1s to 1d/,
  ],
  ["no keys", "providers: { a: { issuer: https://idp.example.org } }", /keys/],
  ["a key twice", "providers: {}\nproviders: {}", /FILE/],
])("%s is refused, with its place", (_what, text, expected) => {
  const { settings, mistakes } = read(text);
  expect(settings).toBeUndefined();
  expect(mistakes.join("\n")).toMatch(expected);
});

it("a file that is not there is a mistake", () => {
  const mistakes: string[] = [];
  expect(readIdentityFile(join(folder, "none"), mistakes)).toBeUndefined();
  expect(mistakes[0]).toMatch(/cannot be read/);
});
