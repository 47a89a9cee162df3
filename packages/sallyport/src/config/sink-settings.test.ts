import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { Problem } from "@sallyport/protocol";
import { loadSettings } from "./load-settings.ts";
import type { Settings } from "./settings.ts";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "sallyport-settings-"));
});
afterEach(() => rmSync(directory, { recursive: true }));

function sinksOf(yaml: string, env: Record<string, string> = {}): Settings["sinks"] | readonly string[] {
  const file = join(directory, "s.yaml");
  writeFileSync(file, yaml);
  try {
    return loadSettings({ flags: { data: directory }, env, file }).sinks;
  } catch (problem) {
    if (problem instanceof Problem) return problem.mistakes;
    throw problem;
  }
}

it("reads a sink of each type, with its defaults", () => {
  const all = { environments: null, classes: null, format: "ocsf" };
  expect(
    sinksOf(`
sinks:
  - { name: disk, type: file, path: /var/log/sallyport.jsonl, format: jsonl, classes: [security], environments: [prod, system] }
  - { name: siem, type: syslog, address: "logs.example.org:6514" }
  - { name: near, type: syslog, address: "127.0.0.1:514", tls: false }
  - { name: otel, type: otlp, url: "http://127.0.0.1:4318/", authorization: env:OTEL }
  - { name: hook, type: webhook, url: "https://hooks.example.org/a?b=c", secret: env:HOOK }
  - { name: worm, type: s3, endpoint: "https://s3.example.org", bucket: audit, accessKeyId: AK, secretAccessKey: file:sk }
`),
  ).toEqual([
    { ...all, name: "disk", type: "file", format: "jsonl", path: "/var/log/sallyport.jsonl", rotateBytes: 67_108_864, keep: 10, classes: ["security"], environments: ["prod", "system"] },
    { ...all, name: "siem", type: "syslog", host: "logs.example.org", port: 6514, tls: { caFile: null } },
    { ...all, name: "near", type: "syslog", host: "127.0.0.1", port: 514, tls: null },
    { ...all, name: "otel", type: "otlp", url: "http://127.0.0.1:4318/v1/logs", authorization: { kind: "env", name: "OTEL" } },
    { ...all, name: "hook", type: "webhook", url: "https://hooks.example.org/a?b=c", secret: { kind: "env", name: "HOOK" } },
    { ...all, name: "worm", type: "s3", endpoint: "https://s3.example.org", bucket: "audit", region: "us-east-1", prefix: "sallyport/", accessKeyId: "AK", secretAccessKey: { kind: "file", path: resolve("sk") } },
  ]); // prettier-ignore
});

it("takes the list from the variable, too, as JSON", () => {
  const sinks = [{ name: "disk", type: "file", path: "/x" }];
  expect(sinksOf("", { SALLYPORT_SINKS: JSON.stringify(sinks) })).toMatchObject([{ name: "disk", path: "/x" }]);
  expect(sinksOf("", { SALLYPORT_SINKS: "disk" })).toEqual([expect.stringContaining("SALLYPORT_SINKS")]);
});

it.each([
  ["- { name: a, type: kafka }", "type"],
  ["- { name: A, type: file, path: x }", "is not a name"],
  ["- { name: a, type: file, path: x, nonsense: 1 }", "nonsense"],
  ["- { name: a, type: file, path: x, classes: [everything] }", "classes"],
  ["- { name: a, type: file, path: x }\n  - { name: a, type: file, path: y }", "two sinks have one name"],
  ['- { name: a, type: syslog, address: "logs.example.org:514", tls: false }', "is needed beyond loopback"],
  ['- { name: a, type: webhook, url: "http://example.org", secret: env:S }', "is not an https address"],
  ['- { name: a, type: webhook, url: "https://example.org", secret: plain text }', "is not env:NAME"],
  ['- { name: a, type: s3, endpoint: "https://e.org", bucket: b, accessKeyId: a, secretAccessKey: plain }', "bucket"],
])("refuses %s", (item, says) => {
  const mistakes = sinksOf(`sinks:\n  ${item}\n`);
  expect(mistakes.length).toBeGreaterThan(0);
  expect(mistakes.map(String).join("\n")).toContain(says);
});
