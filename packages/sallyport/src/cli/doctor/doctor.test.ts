import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import type { Settings } from "../../config/settings.ts";
import { checkCertificates } from "./doctor-certificates.ts";
import { checkDisk, checkNode, checkOllamaVariables } from "./doctor-host.ts";
import { checkSecrets } from "./doctor-secrets.ts";
import { skewSeconds } from "./doctor-upstreams.ts";
import type { Finding } from "./finding.ts";

const root = mkdtempSync(join(tmpdir(), "sallyport-doctor-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** `state code` of each, and that whatever is not in order has a remedy. */
function codes(findings: readonly Finding[]): string[] {
  for (const { state, remedy } of findings) expect([state, remedy !== ""]).toEqual([state, state !== "ok"]);
  return findings.map(({ state, code }) => `${state} ${code}`);
}

const NOW = Date.parse("2026-11-23T00:00:00Z");

test.each([
  ["18.20.0", "wrong"],
  ["20.18.9", "wrong"],
  ["20.19.0", "note"],
  ["22.1.0", "ok"],
  ["24.0.0", "ok"],
  ["99.0.0", "ok"],
])("node %s is %s", (version, state) => {
  expect(checkNode(version, NOW).state).toBe(state);
});

test("a disk that is nearly full is wrong, one that is low a note", () => {
  const stateAt = (megabytes: number): string => checkDisk(tmpdir(), () => megabytes * 1024 * 1024).state;
  expect([1, 500, 5_000].map(stateAt)).toEqual(["wrong", "note", "ok"]);
  expect(checkDisk("/does/not/exist").state).toBe("note");
});

test("a clock that is off is seen", () => {
  expect(skewSeconds("Mon, 23 Nov 2026 00:02:00 GMT", NOW)).toBe(120);
  expect([skewSeconds(undefined, NOW), skewSeconds("nonsense", NOW)]).toEqual([0, 0]);
});

test.each([
  ["0.0.0.0", ["note ollama_host_open"]],
  ["http://0.0.0.0:11434", ["note ollama_host_open"]],
  [":11434", ["note ollama_host_open"]],
  ["[::]:11434", ["note ollama_host_open"]],
  ["127.0.0.1:11434", []],
  ["gpu.example.org", []],
  ["", []],
  ["a b", ["note ollama_host_unread"]],
])("OLLAMA_HOST=%s", (host, expected) => expect(codes(checkOllamaVariables({ OLLAMA_HOST: host }))).toEqual(expected));

/** A data directory's secrets with these modes, and the key-encryption key beside them. */
function secretsOf(mode: number, kek: Settings["keyEncryptionKey"]): string[] {
  const dataDirectory = mkdtempSync(join(root, "data-"));
  mkdirSync(join(dataDirectory, "secrets", "peppers"), { recursive: true, mode: 0o700 });
  for (const name of ["kek", "ledger-signing.pem", "peppers/dev.json"]) {
    writeFileSync(join(dataDirectory, "secrets", name), "x", { mode: 0o600 });
  }
  chmodSync(join(dataDirectory, "secrets", "peppers", "dev.json"), mode);
  const source = kek.kind === "file" && kek.path === "" ? { ...kek, path: join(dataDirectory, "secrets", "kek") } : kek;
  return codes(checkSecrets({ dataDirectory, keyEncryptionKey: source, notices: null } as unknown as Settings));
}

test("a pepper, or the key-encryption key wherever it is, that others can read is wrong", () => {
  const kek = join(root, "kek");
  const at = (mode: number): Settings["keyEncryptionKey"] => {
    writeFileSync(kek, "x");
    chmodSync(kek, mode);
    return { kind: "file", path: kek };
  };
  expect(secretsOf(0o600, at(0o600))).toEqual(["ok secrets", "ok kek"]);
  expect(secretsOf(0o640, at(0o644))).toEqual(["wrong secrets_open", "wrong kek_open"]);
  expect(secretsOf(0o600, { kind: "file", path: "" })).toEqual(["ok secrets", "note kek_beside"]);
  expect(secretsOf(0o600, { kind: "file", path: join(root, "none") })).toEqual(["ok secrets", "wrong kek_missing"]);
  expect(secretsOf(0o600, { kind: "env", name: "X" })).toEqual(["ok secrets", "ok kek"]);
  at(0o755);
  expect(secretsOf(0o600, { kind: "command", path: kek })).toEqual(["ok secrets", "ok kek"]);
  at(0o775);
  expect(secretsOf(0o600, { kind: "command", path: kek })).toEqual(["ok secrets", "wrong kek_open"]);
});

test("a certificate that has ended is wrong, one that ends within 30 days a note; so is whose key it is", () => {
  const certificateFile = "testdata/tls/one.pem";
  const keyFile = join(root, "one-key.pem");
  copyFileSync("testdata/tls/one-key.pem", keyFile);
  chmodSync(keyFile, 0o600);
  const look = (date: string, key = keyFile, file = certificateFile): string[] =>
    codes(checkCertificates({ certificateFile: file, keyFile: key }, Date.parse(date)));
  const key = "ok certificate_key";
  expect(look("2126-09-30T18:05:00Z")).toEqual(["ok certificate", key]);
  expect(look("2126-10-01T18:05:02Z")).toEqual(["note certificate_ends_soon", key]);
  expect(look("2126-10-30T18:05:02Z")).toEqual(["wrong certificate_expired", key]);
  expect(look("2000-01-01T00:00:00Z")).toEqual(["wrong certificate_not_yet_valid", key]);
  chmodSync(keyFile, 0o640);
  expect(look("2126-09-30T18:05:00Z")).toEqual(["ok certificate", "wrong certificate_key_open"]);
  copyFileSync("testdata/tls/two-key.pem", keyFile);
  chmodSync(keyFile, 0o600);
  expect(look("2126-09-30T18:05:00Z")).toEqual(["ok certificate", "wrong certificate_key_foreign", key]);
  expect(look("2126-09-30T18:05:00Z", keyFile, join(root, "none"))).toEqual(["wrong certificate_unreadable", key]);
  expect(checkCertificates(null, 0)).toEqual([]);
});
