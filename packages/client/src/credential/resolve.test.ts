import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { formatKeyText, Problem } from "@sallyport/protocol";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { resolveCredential } from "./resolve.ts";
import type { CredentialOptions } from "./resolve.ts";

const URL_A = "https://a.example.org";
const URL_B = "https://b.example.org:8443";
const keyOf = (environment: string, id = "aaaaaaaaaaaa", fill = "s"): string =>
  formatKeyText("sp", environment, id, fill.repeat(43));
const jwt = (exp: number): string =>
  ["x", Buffer.from(JSON.stringify({ exp })).toString("base64url"), "signature"].join(".");

let home: string;
let file: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "sallyport-credential-"));
  mkdirSync(join(home, ".config", "sallyport"), { recursive: true, mode: 0o700 });
  file = join(home, ".config", "sallyport", "credentials.json");
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

function write(gateways: unknown, mode = 0o600): void {
  writeFileSync(file, JSON.stringify({ version: 1, gateways }));
  chmodSync(file, mode);
}

/** A program that prints this. */
function program(text: string, mode = 0o700): string {
  const path = join(home, "helper");
  writeFileSync(path, `#!/bin/sh\n${text}\n`);
  chmodSync(path, mode);
  return path;
}

interface Found {
  readonly text?: string;
  readonly kind?: string;
  readonly source?: string;
  readonly environment?: string | null;
  readonly expiresAt?: number | null;
  readonly code?: string;
  readonly says?: string;
}

async function resolve(env: Record<string, string>, options: CredentialOptions = {}): Promise<Found> {
  try {
    const found = await resolveCredential({ url: URL_A, ...options, env: { HOME: home, ...env } });
    const { kind, source, environment, expiresAt } = found;
    return { text: found.secret.reveal(), kind, source, environment, expiresAt };
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
    return { code: problem.code, says: [problem.message, ...problem.mistakes].join("; ") };
  }
}

describe("the order", () => {
  it("is token, key, file", async () => {
    const key = keyOf("dev");
    write({ [URL_A]: { dev: { key } } });
    const token = jwt(2_000_000_000);
    expect(await resolve({ SALLYPORT_TOKEN: token, SALLYPORT_API_KEY: key })).toEqual({
      text: token,
      kind: "token",
      source: "token-variable",
      environment: null,
      expiresAt: 2_000_000_000_000,
    });
    expect(await resolve({ SALLYPORT_API_KEY: key })).toMatchObject({ source: "key-variable", environment: "dev" });
    expect(await resolve({})).toMatchObject({ text: key, source: "file", environment: "dev", expiresAt: null });
  });

  it("ends with the helper, which is not run before", async () => {
    const key = keyOf("dev");
    write({ [URL_A]: { dev: { helper: [program(`touch ${home}/ran; echo '{"version":1,"key":"${key}"}'`)] } } });
    expect(await resolve({ SALLYPORT_API_KEY: key })).toMatchObject({ source: "key-variable" });
    expect(() => symlinkSync("x", join(home, "ran"))).not.toThrow();
    rmSync(join(home, "ran"));
    expect(await resolve({})).toMatchObject({ text: key, source: "helper", environment: "dev" });
    expect(() => symlinkSync("x", join(home, "ran"))).toThrow();
  });

  it("ends with a problem that says what to set", async () => {
    expect(await resolve({})).toMatchObject({
      code: "credential_missing",
      says: expect.stringContaining("SALLYPORT_API_KEY"),
    });
  });

  it("looks at the entry of the gateway alone, wherever the file is", async () => {
    write({ [URL_B]: { dev: { key: keyOf("dev") } } });
    expect(await resolve({})).toMatchObject({ code: "credential_missing" });
    expect(await resolve({}, { url: URL_B })).toMatchObject({ source: "file" });
    expect(await resolve({ SALLYPORT_URL: `${URL_B}/` }, { url: undefined })).toMatchObject({ source: "file" });
    expect(await resolve({ XDG_CONFIG_HOME: join(home, ".config") }, { url: URL_B })).toMatchObject({ source: "file" });
    expect(await resolve({ XDG_CONFIG_HOME: join(home, "none") }, { url: URL_B })).toMatchObject({
      code: "credential_missing",
    });
    expect(await resolve({ SALLYPORT_CREDENTIALS: join(home, "none") }, { url: URL_B })).toMatchObject({
      code: "not_found",
    });
  });
});

describe("places that disagree are refused, not chosen from", () => {
  it.each<[string, Record<string, string>, unknown, CredentialOptions]>([
    ["two keys", { SALLYPORT_API_KEY: keyOf("dev") }, { dev: { key: keyOf("dev", "bbbbbbbbbbbb") } }, {}],
    ["two secrets of one key", { SALLYPORT_API_KEY: keyOf("dev") }, { dev: { key: keyOf("dev", "aaaaaaaaaaaa", "t") } }, {}],
    ["two keys behind a token", { SALLYPORT_TOKEN: jwt(9e9), SALLYPORT_API_KEY: keyOf("dev") }, { dev: { key: keyOf("dev", "bbbbbbbbbbbb") } }, {}],
    ["two tokens", { SALLYPORT_TOKEN: jwt(9e9) }, { dev: { token: jwt(8e9) } }, {}],
    ["a key of another environment than the file's", { SALLYPORT_API_KEY: keyOf("dev") }, { prod: { helper: ["/bin/false"] } }, {}],
    ["a key kept for another environment", {}, { prod: { key: keyOf("dev") } }, {}],
    ["a key of another environment than asked for", { SALLYPORT_API_KEY: keyOf("dev") }, {}, { environment: "prod" }],
    ["two environments, and neither asked for", {}, { dev: { key: keyOf("dev") }, prod: { key: keyOf("prod") } }, {}],
  ])("%s", async (_what, env, entries, options) => {
    write({ [URL_A]: entries });
    expect(await resolve(env, options)).toMatchObject({ code: "credential_conflict" });
  }); // prettier-ignore

  it("the same key twice is no disagreement, and a key chooses its own environment's entry", async () => {
    write({ [URL_A]: { dev: { key: keyOf("dev") }, prod: { key: keyOf("prod") } } });
    expect(await resolve({ SALLYPORT_API_KEY: keyOf("dev") })).toMatchObject({ source: "key-variable" });
    expect(await resolve({}, { environment: "prod" })).toMatchObject({ text: keyOf("prod") });
    expect(await resolve({ SALLYPORT_TOKEN: jwt(9e9) }, { environment: "prod" })).toMatchObject({ kind: "token" });
  });
});

describe("a file that is not its owner's alone is refused", () => {
  it.each([0o640, 0o604, 0o644, 0o660, 0o602])("mode %o", async (mode) => {
    write({ [URL_A]: { dev: { key: keyOf("dev") } } }, mode);
    expect(await resolve({})).toMatchObject({
      code: "credential_unsafe",
      says: expect.stringContaining(`0${mode.toString(8)}`),
    });
  });

  it("and what is no file that can be read is told as that", async () => {
    mkdirSync(file);
    expect(await resolve({})).toMatchObject({ code: "credential_unsafe", says: expect.stringContaining("not a file") });
    rmSync(file, { recursive: true });
    symlinkSync(join(home, "nowhere"), file);
    expect(await resolve({})).toMatchObject({ code: "input_invalid", says: expect.stringContaining("cannot be read") });
  });

  it("in a directory others write to, also behind a link", async () => {
    const open = join(home, "open");
    mkdirSync(open);
    chmodSync(open, 0o777);
    writeFileSync(join(open, "c.json"), JSON.stringify({ version: 1, gateways: {} }), { mode: 0o600 });
    symlinkSync(join(open, "c.json"), file);
    expect(await resolve({})).toMatchObject({ code: "credential_unsafe", says: expect.stringContaining(open) });
    chmodSync(open, 0o700);
    expect(await resolve({})).toMatchObject({ code: "credential_missing" });
  });
});

describe("a file that is not exactly of its form is refused, and no value of it is told", () => {
  const key = keyOf("dev");
  it.each([
    "",
    "null",
    `{"gateways":{}}`,
    `{"version":2,"gateways":{}}`,
    `{"version":1}`,
    `{"version":1,"gateways":{},"default":"x"}`,
    `{"version":1,"gateways":{"${URL_A}/":{}}}`,
    `{"version":1,"gateways":{"${URL_A}":{"Dev":{"key":"${key}"}}}}`,
    `{"version":1,"gateways":{"${URL_A}":{"dev":"${key}"}}}`,
    `{"version":1,"gateways":{"${URL_A}":{"dev":{}}}}`,
    `{"version":1,"gateways":{"${URL_A}":{"dev":{"key":"${key}","token":"x"}}}}`,
    `{"version":1,"gateways":{"${URL_A}":{"dev":{"keys":"${key}"}}}}`,
    `{"version":1,"gateways":{"${URL_A}":{"dev":{"helper":"/bin/echo"}}}}`,
    `{"version":1,"gateways":{"${URL_A}":{"dev":{"helper":[]}}}}`,
    `{"version":1,"gateways":{"${URL_A}":{"dev":{"key":"${key}"}}}`,
  ])("%s", async (text) => {
    writeFileSync(file, text, { mode: 0o600 });
    const found = await resolve({});
    expect(found.code).toBe("input_invalid");
    expect(found.says).not.toContain(key);
  });

  it.each([
    ["SALLYPORT_API_KEY", key.slice(0, -1), "credential_malformed"],
    ["SALLYPORT_API_KEY", formatKeyText("spa", "system", "aaaaaaaaaaaa", "s".repeat(43)), "input_invalid"],
    ["SALLYPORT_API_KEY", formatKeyText("spt", "dev", "aaaaaaaaaaaa", "s".repeat(43)), "input_invalid"],
    ["SALLYPORT_TOKEN", key, "input_invalid"],
    ["SALLYPORT_TOKEN", "a token with blanks", "credential_malformed"],
  ])("%s %s", async (name, text, code) => {
    const found = await resolve({ [name]: text });
    expect(found.code).toBe(code);
    expect(found.says).not.toContain(text);
  });
});

describe("a helper", () => {
  const helper = (command: readonly string[]): void => write({ [URL_A]: { dev: { helper: command } } });

  it("gives a token with its end, gets its arguments without a shell, and none of our credentials", async () => {
    const path = program(
      `[ "$1" = '$(id)' ] || exit 9\n[ -z "$SALLYPORT_TOKEN$SALLYPORT_API_KEY" ] || exit 8\necho '{"version":1,"token":"tttttttttttttttttttt","expiresAt":"2100-01-01T00:00:00Z"}'`,
    );
    helper([path, "$(id)"]);
    expect(await resolve({})).toEqual({
      text: "tttttttttttttttttttt",
      kind: "token",
      source: "helper",
      environment: "dev",
      expiresAt: Date.parse("2100-01-01T00:00:00Z"),
    });
  });

  it.each([
    [`echo sp_secret`, /not JSON/],
    [`echo '{"version":2,"key":"x"}'`, /another version/],
    [`echo '{"version":1,"key":"x","token":"y"}'`, /exactly one/],
    [`echo '{"version":1,"key":"x","more":1}'`, /not known/],
    [`echo '{"version":1,"token":"tttttttttttttttttttt","expiresAt":"soon"}'`, /expiresAt/],
    [`echo '{"version":1,"token":"tttttttttttttttttttt","expiresAt":"2000-01-01T00:00:00Z"}'`, /has expired/],
    [`exit 3`, /exit code 3/],
    [`yes`, /more than 65536 bytes/],
  ])("that says %s gives nothing", async (text, says) => {
    helper([program(text)]);
    const found = await resolve({});
    expect(found).toMatchObject({ code: "credential_source_failed", says: expect.stringMatching(says) });
    expect(found.says).not.toContain("sp_secret");
  });

  it("whose program others can change, or which is looked for, is not run", async () => {
    helper([program(`touch ${home}/ran`, 0o722)]);
    expect(await resolve({})).toMatchObject({ code: "credential_unsafe" });
    expect(() => symlinkSync("x", join(home, "ran"))).not.toThrow();
    helper(["sh"]);
    expect(await resolve({})).toMatchObject({ code: "input_invalid" });
  });

  it("for another environment's key is refused", async () => {
    helper([program(`echo '{"version":1,"key":"${keyOf("prod")}"}'`)]);
    expect(await resolve({})).toMatchObject({ code: "credential_conflict" });
  });
});
