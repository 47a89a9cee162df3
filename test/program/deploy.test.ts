/** The files under deploy/ say things about the program's settings and policy: what they say is what the program accepts. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { loadSettings, readPolicy } from "../program-under-test.ts";
import type { Settings } from "../program-under-test.ts";

const deploy = join(import.meta.dirname, "../../deploy");
const textOf = (name: string): string => readFileSync(join(deploy, name), "utf8");

interface Service {
  readonly environment?: Readonly<Record<string, string>>;
  readonly ports?: readonly string[];
  readonly networks: readonly string[];
  readonly volumes: readonly string[];
  readonly read_only?: boolean;
  readonly cap_drop?: readonly string[];
}
interface Compose {
  readonly services: Readonly<Record<string, Service>>;
  readonly networks: Readonly<
    Record<string, { readonly ipam: { readonly config: readonly { subnet: string }[] } } | null>
  >;
}

/** `NAME=value` of an instruction that may go over several lines. */
function imageVariables(): Record<string, string> {
  const found = [...textOf("Dockerfile").matchAll(/\b(SALLYPORT_[A-Z_]+)=(\S+)/g)].filter(
    ([, name]) => name === "SALLYPORT_DATA" || name === "SALLYPORT_LISTEN",
  );
  return Object.fromEntries(found.map(([, name, value]) => [name!, value!]));
}

describe("the image and compose.yaml", () => {
  const compose = parse(textOf("compose.yaml")) as Compose;
  const { sallyport, ollama } = compose.services as { sallyport: Service; ollama: Service };
  const variables = { ...imageVariables(), ...sallyport.environment };

  it("give settings that the program takes, and the image alone gives none that it takes", () => {
    const settings = loadSettings({ flags: {}, env: variables });
    expect(settings).toMatchObject({
      dataDirectory: "/data",
      listen: { host: "0.0.0.0", port: 11435 },
      hosts: ["sallyport"],
    });
    expect(() => loadSettings({ flags: {}, env: imageVariables() })).toThrow();
  });

  it("trust the network the published port speaks from, and the health check", () => {
    const subnet = compose.networks["clients"]?.ipam.config[0]?.subnet;
    expect(loadSettings({ flags: {}, env: variables }).trustedProxies).toEqual([subnet, "127.0.0.1/32"]);
  });

  it("publish the model server nowhere, and the gateway on this machine only", () => {
    expect(ollama.ports).toBeUndefined();
    expect(ollama.environment).toEqual({ OLLAMA_NO_CLOUD: "1" });
    expect(ollama.networks).toEqual(["models"]);
    expect(sallyport.ports).toEqual(["127.0.0.1:11435:11435"]);
    expect(sallyport).toMatchObject({ read_only: true, cap_drop: ["ALL"] });
  });

  it("name a policy file that is one", () => {
    expect(sallyport.volumes).toContain(`./policy.yaml:${variables["SALLYPORT_POLICY"]}:ro`);
    expect(readPolicy(parse(textOf("policy.yaml"))).ok).toBe(true);
  });

  it("run as a user, keep data in a volume, and are asked for their health", () => {
    const text = textOf("Dockerfile");
    for (const said of [/^USER node$/m, /^VOLUME \/data$/m, /^HEALTHCHECK .*healthcheck\.js/m, /-m 0700 \/data/])
      expect(text).toMatch(said);
  });
});

it.each(["nginx.conf", "Caddyfile"])("%s stands beside settings that the program takes", (name) => {
  const lines = [...textOf(name).matchAll(/^# {3}(\w+: .*)$/gm)].map(([, line]) => line!);
  const given = parse(lines.join("\n")) as Record<string, unknown>;
  const settings: Settings = loadSettings({ flags: given, env: {}, file: "/dev/null" });
  expect(settings).toMatchObject({
    listen: { host: "127.0.0.1", port: 11435 },
    trustedProxies: ["127.0.0.1/32"],
    hosts: ["llm.example.org"],
  });
  expect(textOf(name)).toMatch(/proxy_buffering off|flush_interval -1/);
});

it("the systemd unit names settings that there are", () => {
  const env = Object.fromEntries(
    [...textOf("sallyport.service").matchAll(/^Environment=(SALLYPORT_\w+)=(.*)$/gm)].map(([, name, value]) => [
      name!,
      value!,
    ]),
  );
  expect(loadSettings({ flags: {}, env, file: "/dev/null" }).dataDirectory).toBe("/var/lib/sallyport");
});
