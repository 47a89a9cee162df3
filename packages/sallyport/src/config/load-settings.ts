/**
 * Static settings from `sallyport.yaml`, then `SALLYPORT_*`, then flags; the later one wins. An unknown name is an
 * error, and all mistakes are reported at once with their place: the gateway does not start on settings that it does
 * not fully understand.
 */
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { issueText, parseDurationMs } from "@sallyport/contract";
import { didYouMean } from "@sallyport/protocol";
import { homeDirectory } from "../kernel/home-directory.ts";
import { readYaml } from "../kernel/yaml.ts";
import type { SecretSource } from "./key-source.ts";
import { readIdentityFile } from "./identity-file.ts";
import { parseKeySource, parseSecretSource } from "./key-source.ts";
import { isUnknownVariable, leaves } from "./leaves.ts";
import type { Leaf } from "./leaves.ts";
import { parseMailServer } from "./mail-server.ts";
import { readDatabaseVariable } from "./postgres-address.ts";
import { witnessOf } from "./witness-settings.ts";
import { sinkOf } from "./sink-settings.ts";
import { SettingsMistakes } from "./settings-mistakes.ts";
import { isLoopback, parseListener, settingsSchema } from "./settings-schema.ts";
import { telemetryOf } from "./telemetry.ts";
import type { Telemetry } from "./telemetry.ts";
import type { SettingsFile } from "./settings-schema.ts";
import type { Settings } from "./settings.ts";

export interface SettingsSources {
  /** By the flags' names in `leaves.ts`; other members are not looked at. Lists may be arrays or comma-separated. */
  readonly flags: Readonly<Record<string, unknown>>;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Path of the settings file; else `SALLYPORT_SETTINGS`; else `sallyport.yaml` in the data directory, if it is there. */
  readonly file?: string;
}

/** Throws `SettingsMistakes` with every one. Relative paths are taken from the working directory. */
export function loadSettings({ flags, env, file }: SettingsSources): Settings {
  const mistakes = Object.keys(env)
    .filter(isUnknownVariable)
    .map(
      (name) =>
        `${name}: there is no such setting${didYouMean(
          name,
          leaves.map((leaf) => leaf.variable),
        )}`,
    );
  const dataDirectory = givenDataDirectory(flags, env) ?? usualDataDirectory(homeDirectory());
  const named = file ?? env["SALLYPORT_SETTINGS"];
  const read = readSettingsFile(named, join(dataDirectory, "sallyport.yaml"), mistakes);
  const origins = new Map<string, string>();
  const raw = read.value;
  for (const leaf of leaves) {
    for (const [origin, given] of [
      [leaf.variable, env[leaf.variable]],
      [flagText(leaf), leaf.flag === null ? undefined : flags[leaf.flag]],
    ] as const) {
      if (given === undefined || given === "") continue;
      put(raw, leaf.path.split("."), formed(leaf, given));
      origins.set(leaf.path, origin);
    }
  }
  const judged = settingsSchema.safeParse(raw);
  for (const issue of judged.error?.issues ?? []) {
    const path = issue.path.filter((step) => typeof step !== "symbol");
    for (const key of issue.code === "unrecognized_keys" ? issue.keys : [null]) {
      const full = key === null ? path : [...path, key];
      const unknown = (): string =>
        `there is no such setting${didYouMean(
          full.join("."),
          leaves.map((leaf) => leaf.path),
        )}`;
      const says = key === null ? issueText(issue, raw) : unknown();
      mistakes.push(`${originOf(full, origins, read.place)}: ${says}`);
    }
  }
  if (judged.success) mistakes.push(...exposureMistakes(judged.data));
  const telemetry = judged.success ? telemetryOf(judged.data, env, mistakes) : null;
  const database = readDatabaseVariable(env, mistakes);
  const identityFile = judged.data?.identity;
  const identity = identityFile === undefined ? null : (readIdentityFile(resolve(identityFile), mistakes) ?? null);
  if (mistakes.length > 0 || telemetry === null || !judged.success) throw new SettingsMistakes(mistakes);
  return { ...toSettings(judged.data, dataDirectory), ...telemetry, identity, database };
}

/** Nothing else can be read without it. */
export function usualDataDirectory(home: string | undefined): string {
  if (home !== undefined) return join(home, ".sallyport");
  throw new SettingsMistakes(["data: this user has no home directory; name one with --data or SALLYPORT_DATA"]);
}

function givenDataDirectory(flags: SettingsSources["flags"], env: SettingsSources["env"]): string | undefined {
  const given = flags["data"] ?? env["SALLYPORT_DATA"];
  return typeof given === "string" && given !== "" ? resolve(given) : undefined;
}

interface FileRead {
  readonly value: Record<string, unknown>;
  /** Where the path was written, for a mistake. */
  readonly place: (path: readonly (string | number)[]) => string;
}

function readSettingsFile(named: string | undefined, usual: string, mistakes: string[]): FileRead {
  const path = named ?? usual;
  const empty: FileRead = { value: {}, place: (steps) => steps.join(".") };
  if (named === undefined && !existsSync(usual)) return empty;
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (cause) {
    mistakes.push(`${path}: cannot be read (${cause instanceof Error ? cause.message : String(cause)})`);
    return empty;
  }
  const yaml = readYaml(text);
  mistakes.push(...yaml.mistakes.map((mistake) => `${path}:${mistake}`));
  if (yaml.mistakes.length > 0 || yaml.value === null) return empty;
  if (typeof yaml.value !== "object" || Array.isArray(yaml.value)) {
    mistakes.push(`${path}: is not a map of settings`);
    return empty;
  }
  return {
    value: yaml.value as Record<string, unknown>,
    place: (steps) => `${path}:${yaml.place(steps)} ${steps.join(".")}`,
  };
}

function flagText(leaf: Leaf): string {
  return `--${(leaf.flag ?? leaf.path).replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/** An invalid number or boolean stays text, so that the schema rejects it. */
function formed(leaf: Leaf, given: unknown): unknown {
  if (leaf.form === "list" && typeof given === "string") return given.split(",").map((part) => part.trim());
  if (leaf.form === "json" && typeof given === "string") return jsonOf(given);
  if (leaf.form === "boolean" && (given === "true" || given === "false")) return given === "true";
  if (leaf.form === "number" && typeof given === "string" && /^[0-9]{1,15}$/.test(given)) return Number(given);
  return given;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function put(target: Record<string, unknown>, [step = "", ...rest]: readonly string[], value: unknown): void {
  if (rest.length === 0) {
    target[step] = value;
    return;
  }
  const held = target[step];
  const inner = typeof held === "object" && held !== null ? (held as Record<string, unknown>) : {};
  target[step] = inner;
  put(inner, rest, value);
}

function originOf(
  path: readonly (string | number)[],
  origins: ReadonlyMap<string, string>,
  place: FileRead["place"],
): string {
  for (let length = path.length; length > 0; length--) {
    const origin = origins.get(path.slice(0, length).join("."));
    if (origin !== undefined) return origin;
  }
  return place(path);
}

/** Beyond loopback everything is encrypted, unless a trusted proxy is in front and all other peers are dropped. */
function exposureMistakes(file: SettingsFile): string[] {
  if (file.tls || file.trustedProxies.length > 0) return [];
  return (["listen", "adminListen"] as const)
    .filter((name) => !isLoopback(parseListener(file[name]) ?? { host: "", port: 0 }))
    .map(
      (name) => `${name}: ${file[name]} is beyond loopback, which needs tls (certificate and key) or trustedProxies`,
    );
}

function secretOf(text: string | undefined): SecretSource | null {
  return (text === undefined ? undefined : parseSecretSource(text)) ?? null;
}

function noticesOf({ notices }: SettingsFile): Settings["notices"] {
  const secret = secretOf(notices?.secret);
  return notices?.url !== undefined && secret ? { url: notices.url, secret } : null;
}

function mailOf({ notices }: SettingsFile): Settings["mail"] {
  const { smtp, smtpPassword, from, to } = notices ?? {};
  const place = smtp === undefined ? undefined : parseMailServer(smtp);
  if (!place || from === undefined || to === undefined) return null;
  return { place, password: secretOf(smtpPassword), from, to };
}

function toSettings(file: SettingsFile, dataDirectory: string): Omit<Settings, "identity" | keyof Telemetry> {
  const listen = parseListener(file.listen);
  const adminListen = parseListener(file.adminListen);
  const drainMs = parseDurationMs(file.drain);
  if (!listen || !adminListen || drainMs === undefined) throw new TypeError("the settings were not judged");
  const directory = file.data === undefined ? dataDirectory : resolve(file.data);
  return {
    dataDirectory: directory,
    keyEncryptionKey: parseKeySource(file.keyEncryptionKey ?? "") ?? {
      kind: "file",
      path: join(directory, "secrets", "kek"),
    },
    listen,
    adminListen,
    tls: file.tls ? { certificateFile: resolve(file.tls.certificate), keyFile: resolve(file.tls.key) } : null,
    trustedProxies: file.trustedProxies,
    proxyHops: file.proxyHops,
    publicUrl: file.publicUrl ?? null,
    hosts: file.hosts,
    corsOrigins: file.corsOrigins,
    environments: file.environments ?? null,
    ...(file.upstreamHosts ? { upstreamHosts: file.upstreamHosts } : {}),
    policyFile: file.policy === undefined ? null : resolve(file.policy),
    logLevel: file.log,
    oidc: file.oidc ? { ...file.oidc, clientSecret: secretOf(file.oidc.clientSecret) } : null,
    notices: noticesOf(file),
    mail: mailOf(file),
    ledger: file.ledger,
    inFlightBytesMax: file.inFlightBytesMax,
    drainMs,
    sinks: file.sinks.map(sinkOf),
    witnesses: file.witnesses.map(witnessOf),
  };
}
