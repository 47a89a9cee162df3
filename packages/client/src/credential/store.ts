/** Puts a credential into the credentials file, or takes it out: whole or not at all, readable by its owner only. */
import { chmodSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { credentialsPath, readCredentialsFile } from "./credentials-file.ts";
import type { Variables } from "./variables.ts";

export interface StoredPlace {
  /** Origin of the gateway's data plane. */
  readonly url: string;
  readonly environment: string;
}

interface FileContent {
  readonly version: 1;
  readonly gateways: Record<string, Record<string, unknown>>;
}

/** Answers the file's path. Throws what reading it throws: a file that is not in order is not written over. */
export function storeCredential(env: Variables, { url, environment }: StoredPlace, key: string): string {
  return rewrite(env, (gateways) => {
    gateways[url] = { ...gateways[url], [environment]: { key } };
  });
}

/** The key that the file has for that place, neither a token nor a helper's; undefined without one. */
export function storedKey(env: Variables, { url, environment }: StoredPlace): string | undefined {
  const found = readCredentialsFile(env)?.entries.find((one) => one.url === url && one.environment === environment);
  return found && "key" in found.gives ? found.gives.key : undefined;
}

/** What was there; undefined where there was no key for that place. */
export function forgetCredential(env: Variables, { url, environment }: StoredPlace): string | undefined {
  const held = storedKey(env, { url, environment });
  if (held === undefined) return undefined;
  rewrite(env, (gateways) => {
    delete gateways[url]?.[environment];
    if (gateways[url] && Object.keys(gateways[url]).length === 0) delete gateways[url];
  });
  return held;
}

function rewrite(env: Variables, change: (gateways: FileContent["gateways"]) => void): string {
  const path = credentialsPath(env);
  // Read strictly first: mistakes and open modes are reported, not fixed in passing.
  const held = readCredentialsFile({ ...env, SALLYPORT_CREDENTIALS: undefined });
  const content: FileContent = held
    ? (JSON.parse(readFileSync(held.path, "utf8")) as FileContent)
    : { version: 1, gateways: {} };
  change(content.gateways);
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const next = `${path}.${process.pid}.next`;
  try {
    writeFileSync(next, `${JSON.stringify(content, null, 2)}\n`, { mode: 0o600, flag: "wx" });
    chmodSync(next, 0o600);
    renameSync(next, path);
  } catch (cause) {
    rmSync(next, { force: true });
    throw cause;
  }
  return path;
}
