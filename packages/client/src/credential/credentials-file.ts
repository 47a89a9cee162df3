/**
 * The credentials file: JSON, strict, one entry for each environment of each gateway.
 * `{"version":1,"gateways":{"https://llm.example.org":{"prod":{"helper":["/usr/local/bin/prod-key"]}}}}`
 */
import { homedir } from "node:os";
import { isAbsolute, join } from "node:path";
import { isEnvironmentName, Problem } from "@sallyport/protocol";
import { readPrivateFile } from "./private-file.ts";
import type { Variables } from "./variables.ts";

export interface FileEntry {
  /** Origin of the gateway's data plane. */
  readonly url: string;
  readonly environment: string;
  readonly gives: { readonly key: string } | { readonly token: string } | { readonly helper: readonly string[] };
}

export interface CredentialsFile {
  readonly path: string;
  readonly entries: readonly FileEntry[];
}

/** `SALLYPORT_CREDENTIALS`, else `sallyport/credentials.json` in the user's configuration directory. */
export function credentialsPath(env: Variables): string {
  const named = env["SALLYPORT_CREDENTIALS"];
  if (named !== undefined && named !== "") return named;
  const configured = env["XDG_CONFIG_HOME"];
  // The standard says that a relative one is to be ignored.
  const base = configured !== undefined && isAbsolute(configured) ? configured : join(homeOf(env), ".config");
  return join(base, "sallyport", "credentials.json");
}

/** A user of a container may have none: then the file is looked for where such containers have it. */
function homeOf(env: Variables): string {
  try {
    return env["HOME"] || homedir() || "/";
  } catch {
    return "/";
  }
}

/** Undefined where there is no file, and none was named. Throws `credential_unsafe`, or `input_invalid` with every mistake. */
export function readCredentialsFile(env: Variables): CredentialsFile | undefined {
  const path = credentialsPath(env);
  const text = readPrivateFile(path);
  if (text === undefined) {
    if (env["SALLYPORT_CREDENTIALS"])
      throw new Problem("not_found", `SALLYPORT_CREDENTIALS names ${path}, which does not exist`);
    return undefined;
  }
  return { path, entries: parseCredentials(path, text) };
}

/** Throws `input_invalid` with every mistake, by place. No message quotes a value: it may be a key. */
export function parseCredentials(path: string, text: string): readonly FileEntry[] {
  let read: unknown;
  try {
    read = JSON.parse(text);
  } catch {
    throw new Problem("input_invalid", `${path} is not JSON`);
  }
  const mistakes: string[] = [];
  const entries = [...entriesOf(read, mistakes)];
  if (mistakes.length > 0) throw new Problem("input_invalid", path, mistakes);
  return entries;
}

function* entriesOf(read: unknown, mistakes: string[]): Generator<FileEntry> {
  const root = mapOf(read);
  if (!root || root["version"] !== 1) mistakes.push("version: must be 1");
  for (const name of Object.keys(root ?? {}))
    if (name !== "version" && name !== "gateways") mistakes.push(`${name}: there is no such member`);
  const gateways = mapOf(root?.["gateways"]);
  if (!gateways) mistakes.push("gateways: must be an object of gateways by URL");
  for (const [url, of] of Object.entries(gateways ?? {})) {
    if (!isOrigin(url))
      mistakes.push(`gateways: ${url} is not http(s)://host:port, without a path or a slash at the end`);
    const environments = mapOf(of);
    if (!environments) mistakes.push(`${url}: must be an object of entries by environment`);
    for (const [environment, entry] of Object.entries(environments ?? {})) {
      if (!isEnvironmentName(environment)) mistakes.push(`${url}: ${environment} is not an environment name`);
      const gives = givesOf(entry);
      if (gives) yield { url, environment, gives };
      else mistakes.push(`${url} ${environment}: names exactly one of key, token and helper ([program, arguments…])`);
    }
  }
}

function givesOf(entry: unknown): FileEntry["gives"] | undefined {
  const [only, ...more] = Object.entries(mapOf(entry) ?? {});
  if (!only || more.length > 0) return undefined;
  const [name, value] = only;
  if (name === "key" && typeof value === "string") return { key: value };
  if (name === "token" && typeof value === "string") return { token: value };
  const isCommand = Array.isArray(value) && value.length > 0 && value.every((word) => typeof word === "string");
  return name === "helper" && isCommand ? { helper: value as readonly string[] } : undefined;
}

export function isOrigin(text: string): boolean {
  return /^https?:\/\//.test(text) && URL.canParse(text) && new URL(text).origin === text;
}

function mapOf(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Readonly<Record<string, unknown>>)
    : undefined;
}
