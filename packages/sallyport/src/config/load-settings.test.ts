import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Problem } from "@sallyport/protocol";
import { leaves } from "./leaves.ts";
import { loadSettings, usualDataDirectory } from "./load-settings.ts";
import { SettingsMistakes } from "./settings-mistakes.ts";
import type { SettingsSources } from "./load-settings.ts";

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "sallyport-settings-"));
});

afterEach(() => rmSync(directory, { recursive: true }));

function file(text: string): string {
  const path = join(directory, "s.yaml");
  writeFileSync(path, text);
  return path;
}

function mistakesOf(sources: Partial<SettingsSources>): readonly string[] {
  try {
    loadSettings({ flags: { data: directory }, env: {}, ...sources });
  } catch (problem) {
    if (problem instanceof Problem && problem.code === "input_invalid") return problem.mistakes;
    throw problem;
  }
  return [];
}

describe("loadSettings", () => {
  it("has safe defaults", () => {
    const settings = loadSettings({ flags: { data: directory }, env: {} });
    expect(settings).toEqual({
      dataDirectory: directory,
      database: null,
      keyEncryptionKey: { kind: "file", path: join(directory, "secrets", "kek") },
      listen: { host: "127.0.0.1", port: 11435 },
      adminListen: { host: "127.0.0.1", port: 11436 },
      tls: null,
      trustedProxies: [],
      proxyHops: 1,
      publicUrl: null,
      hosts: [],
      corsOrigins: [],
      environments: null,
      policyFile: null,
      logLevel: "info",
      tracing: null,
      metricExport: null,
      notices: null,
      mail: null,
      oidc: null,
      identity: null,
      sinks: [],
      witnesses: [],
      ledger: {
        retentionDays: 400,
        retentionBytes: 10 * 1024 ** 3,
        reserveBytes: 64 * 1024 ** 2,
        requestDays: 400,
        personalDays: 90,
        securityPersonalDays: 400,
      },
      inFlightBytesMax: 256 * 1024 ** 2,
      drainMs: 25_000,
    });
  });

  it("keeps its data in the home directory unless told", () => {
    expect(loadSettings({ flags: {}, env: { SALLYPORT_SETTINGS: file("") } }).dataDirectory).toBe(
      join(homedir(), ".sallyport"),
    );
    expect(loadSettings({ flags: {}, env: { SALLYPORT_DATA: directory } }).dataDirectory).toBe(directory);
  });

  it("needs to be told where there is no home directory", () => {
    expect(() => usualDataDirectory(undefined)).toThrow(SettingsMistakes);
  });

  it("lets variables win over the file, and flags over both", () => {
    const path = file(
      "listen: 127.0.0.1:1\nadminListen: 127.0.0.1:2\nlog: error\nhosts: [a.example]\nledger: { retentionDays: 5 }\n",
    );
    const env = { SALLYPORT_ADMIN_LISTEN: "[::1]:3", SALLYPORT_LOG: "warn", SALLYPORT_HOSTS: "b.example, c.example" };
    const settings = loadSettings({ flags: { data: directory, log: "silent" }, env, file: path });
    expect(settings).toMatchObject({
      listen: { host: "127.0.0.1", port: 1 },
      adminListen: { host: "::1", port: 3 },
      logLevel: "silent",
      hosts: ["b.example", "c.example"],
      ledger: { retentionDays: 5, reserveBytes: 64 * 1024 ** 2, personalDays: 90, securityPersonalDays: 400 },
    });
  });

  it("reads sallyport.yaml in the data directory, and refuses a named file that is not there", () => {
    writeFileSync(join(directory, "sallyport.yaml"), "log: debug\n");
    expect(loadSettings({ flags: { data: directory }, env: {} }).logLevel).toBe("debug");
    expect(mistakesOf({ file: join(directory, "none.yaml") })).toHaveLength(1);
  });

  it("tells every mistake at once, with the place it was written", () => {
    const path = file("listen: nowhere\nlgo: info\ntls: { certificate: c.pem }\nledger: { retentionDays: 0 }\n");
    const env = { SALLYPORT_LISTENN: "x", SALLYPORT_IN_FLIGHT_BYTES_MAX: "lots" };
    const mistakes = mistakesOf({ env, file: path, flags: { data: directory, drain: "1d" } });
    expect(mistakes.map((mistake) => mistake.replace(path, "s.yaml").replace(/: .*/, "")).sort()).toEqual(
      [
        "--drain",
        "SALLYPORT_IN_FLIGHT_BYTES_MAX",
        "SALLYPORT_LISTENN",
        "s.yaml:1:9 listen",
        "s.yaml:2:6 lgo",
        "s.yaml:3:6 tls.key",
        "s.yaml:4:26 ledger.retentionDays",
      ].sort(),
    );
  });

  it.each(["0.0.0.0:1", "[::]:1", "10.0.0.1:1", "gate.example:1"])("does not listen on %s in the clear", (listen) => {
    expect(mistakesOf({ flags: { data: directory, listen } })).toHaveLength(1);
    expect(mistakesOf({ flags: { data: directory, adminListen: listen } })).toHaveLength(1);
    expect(mistakesOf({ flags: { data: directory, listen, tlsCertificate: "c", tlsKey: "k" } })).toEqual([]);
    expect(mistakesOf({ flags: { data: directory, listen, trustedProxies: ["10.0.0.0/8"] } })).toEqual([]);
  });

  it.each([
    { listen: "127.0.0.1" },
    { listen: "127.0.0.1:99999" },
    { listen: "http://127.0.0.1:1" },
    { hosts: ["a b"] },
    { hosts: ["a.example:80"] },
    { corsOrigins: ["*"] },
    { corsOrigins: ["https://a.example/"] },
    { trustedProxies: ["10.0.0.0/33"] },
    { trustedProxies: ["everyone"] },
    { proxyHops: 0 },
    { publicUrl: "https://models.example.org/path" },
    { environments: ["Dev"] },
    { log: "loud" },
  ])("refuses %j", (flags) => {
    expect(mistakesOf({ flags: { data: directory, ...flags } })).toHaveLength(1);
  });

  it.each(["a: *x", "listen: 127.0.0.1:1\nlisten: 127.0.0.1:2", "- list", "log: !x debug"])(
    "refuses the file %j",
    (text) => {
      expect(mistakesOf({ file: file(text) }).length).toBeGreaterThan(0);
    },
  );

  it("traces only where it is switched on, to our own address or the standard variable's", () => {
    const standard = { OTEL_EXPORTER_OTLP_ENDPOINT: "http://collector:4318/" };
    const tracing = (text: string, env: Record<string, string> = {}) =>
      loadSettings({ flags: { data: directory }, env, file: file(text) }).tracing;
    expect(tracing("", standard)).toBeNull();
    expect(tracing("otlp: http://127.0.0.1:4318")).toBeNull();
    expect(tracing("tracing: true", standard)).toEqual({ url: "http://collector:4318/v1/traces" });
    expect(tracing("tracing: true\notlp: https://o/x", standard)).toEqual({ url: "https://o/x/v1/traces" });
    expect(tracing("otlp: http://o", { SALLYPORT_TRACING: "true" })).toEqual({ url: "http://o/v1/traces" });
    expect(tracing("tracing: true\notlp: http://o", { SALLYPORT_TRACING: "false" })).toBeNull();
  });

  it("sends metrics only where the standard variable says so", () => {
    const load = (env: Record<string, string>, text = "") =>
      loadSettings({ flags: { data: directory }, env, file: file(text) }).metricExport;
    const receiver = { OTEL_EXPORTER_OTLP_ENDPOINT: "http://collector:4318/" };
    const asked = { ...receiver, OTEL_METRICS_EXPORTER: "otlp" };
    expect(load(receiver)).toBeNull();
    expect(load({ ...receiver, OTEL_METRICS_EXPORTER: "prometheus" })).toBeNull();
    expect(load(asked)).toEqual({ url: "http://collector:4318/v1/metrics", intervalMs: 60_000 });
    expect(load({ ...asked, OTEL_METRIC_EXPORT_INTERVAL: "5000" }, "otlp: https://o/x")).toEqual({
      url: "https://o/x/v1/metrics",
      intervalMs: 5_000,
    });
    for (const text of ["5s", "0", "999", "-1", "1e9", "5000000000000"])
      expect(mistakesOf({ env: { ...asked, OTEL_METRIC_EXPORT_INTERVAL: text } })).toHaveLength(1);
    expect(mistakesOf({ env: { OTEL_METRICS_EXPORTER: "otlp" } })).toHaveLength(1);
  });

  const MAIL = { SALLYPORT_NOTICES_FROM: "gateway@example.org", SALLYPORT_NOTICES_TO: "ops@example.org" };
  it("reads where notices are mailed", () => {
    const SALLYPORT_NOTICES_SMTP = "smtps://ops%40example.org@mx.example.org";
    const env = { ...MAIL, SALLYPORT_NOTICES_SMTP, SALLYPORT_NOTICES_SMTP_PASSWORD_FROM: "env:P" };
    expect(loadSettings({ flags: {}, env }).mail).toEqual({
      place: { host: "mx.example.org", port: 465, isTls: true, isLoopback: false, user: "ops@example.org" },
      password: { kind: "env", name: "P" },
      from: "gateway@example.org",
      to: ["ops@example.org"],
    });
    const local = loadSettings({ flags: {}, env: { ...MAIL, SALLYPORT_NOTICES_SMTP: "smtp://[::1]:25" } });
    expect(local.mail?.place).toEqual({ host: "::1", port: 25, isTls: false, isLoopback: true, user: null });
    expect(local.notices).toBeNull();
  });

  it.each([
    ["tracing: true", {}],
    ["tracing: yes please", {}],
    ["tracing: true\notlp: collector:4318", {}],
    ["tracing: true\notlp: ftp://collector", {}],
    ["otlp: http://user:secret@collector", {}],
    ["tracing: true", { OTEL_EXPORTER_OTLP_ENDPOINT: "collector" }],
    ["otlp: http://o", { SALLYPORT_TRACING: "1" }],
    ["oidc: { issuer: http://id.example.org, clientId: gateway }", {}],
    ["oidc: { issuer: https://id.example.org }", {}],
    ["oidc: { issuer: https://id.example.org, clientId: gateway, clientSecret: the-secret-itself }", {}],
    ["notices: { url: http://hooks.example.org/, secret: env:S }", {}],
    ["notices: { url: https://u:p@hooks.example.org/, secret: env:S }", {}],
    ["notices: { url: https://hooks.example.org/ }", {}],
    ["notices: { url: https://hooks.example.org/, secret: the-secret-itself-0123456789 }", {}],
    ["notices: { url: https://hooks.example.org/, secret: command:/bin/true }", {}],
    ["notices: { secret: env:S }", { SALLYPORT_NOTICES_SMTP: "smtp://mx", ...MAIL }],
    ["notices: { smtp: smtp://mx.example.org, from: a@b.example }", {}],
    ["notices: { smtp: smtp://mx.example.org, to: [a@b.example] }", {}],
    ["", { SALLYPORT_NOTICES_SMTP: "http://mx.example.org", ...MAIL }],
    ["", { SALLYPORT_NOTICES_SMTP: "smtps://u:p@mx.example.org", ...MAIL }],
    ["", { SALLYPORT_NOTICES_SMTP: "smtps://u@mx.example.org", ...MAIL }],
    ["", { SALLYPORT_NOTICES_SMTP: "smtps://mx.example.org", SALLYPORT_NOTICES_SMTP_PASSWORD_FROM: "env:P", ...MAIL }],
    ["", { SALLYPORT_NOTICES_SMTP: "smtps://mx.example.org/?tls=no", ...MAIL }],
    ["", { SALLYPORT_NOTICES_SMTP: "smtps://mx", ...MAIL, SALLYPORT_NOTICES_FROM: "Gateway <g@example.org>" }],
    [
      "",
      { SALLYPORT_NOTICES_SMTP: "smtps://mx", ...MAIL, SALLYPORT_NOTICES_FROM: "g@example.org\r\nBcc: x@example.org" },
    ],
    [
      "",
      {
        SALLYPORT_NOTICES_SMTP: "smtps://mx",
        ...MAIL,
        SALLYPORT_NOTICES_TO: "a@b.example,".repeat(10) + "a@b.example",
      },
    ],
  ])("refuses %j with %j", (text, env) => {
    expect(mistakesOf({ file: file(text), env })).toHaveLength(1);
  });

  it("takes a reference to the key-encryption key, never the key", () => {
    const source = (keyEncryptionKey: string) =>
      loadSettings({ flags: { data: directory }, env: { SALLYPORT_KEY_ENCRYPTION_KEY: keyEncryptionKey } })
        .keyEncryptionKey;
    expect(source("env:SALLYPORT_KEK")).toEqual({ kind: "env", name: "SALLYPORT_KEK" });
    expect(source("file:/run/secrets/kek")).toEqual({ kind: "file", path: "/run/secrets/kek" });
    expect(source("command:/opt/kms/print-key")).toEqual({ kind: "command", path: "/opt/kms/print-key" });
    for (const text of ["QUJD", "env:", "env:a b", "kms:key", "/run/secrets/kek"])
      expect(mistakesOf({ env: { SALLYPORT_KEY_ENCRYPTION_KEY: text } })).toHaveLength(1);
  });

  it("leaves alone what belongs to the command line and the tests", () => {
    const env = { SALLYPORT_ADMIN_URL: "x", SALLYPORT_ADMIN_KEY: "x", SALLYPORT_TEST_OLLAMA: "x", PATH: "x" };
    expect(mistakesOf({ env })).toEqual([]);
  });

  it("has at most forty leaves", () => {
    expect(leaves.length).toBeLessThanOrEqual(40);
  });
});
