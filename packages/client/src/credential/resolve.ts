/**
 * The one credential for a gateway, from the first of: the token in SALLYPORT_TOKEN, the key in SALLYPORT_API_KEY, the
 * credentials file, the helper that the file names. Conflicting sources are an error: the result must not depend on
 * which was set last.
 */
import { Problem } from "@sallyport/protocol";
import { demandSafeTransport } from "../transport.ts";
import { readCredential } from "./credential.ts";
import type { Credential } from "./credential.ts";
import { credentialsPath, isOrigin, readCredentialsFile } from "./credentials-file.ts";
import type { CredentialsFile, FileEntry } from "./credentials-file.ts";
import { fromHelper } from "./credential-program.ts";
import { fromKeyVariable, fromTokenVariable } from "./variables.ts";
import type { Variables } from "./variables.ts";

export const DEFAULT_GATEWAY_URL = "http://127.0.0.1:11435";

export interface CredentialOptions {
  /** `http(s)://host:port` of the gateway; else `SALLYPORT_URL`, else `http://127.0.0.1:11435`. */
  readonly url?: string | undefined;
  /** Needed where the file has entries for several environments of the gateway. */
  readonly environment?: string | undefined;
  /** The process's own unless given. */
  readonly env?: Variables | undefined;
  readonly now?: (() => number) | undefined;
}

/** What the places say, before a helper is run. */
export type FoundCredential = Credential | { readonly helper: readonly string[]; readonly environment: string };

/**
 * Throws a `Problem` that says what to do: `credential_missing` where no place gives one, `credential_conflict` where two
 * disagree, `transport_unsafe` where the gateway's address would have it sent in the clear, `credential_unsafe`, `credential_malformed`, `credential_source_failed`, `input_invalid`.
 */
export async function resolveCredential(options: CredentialOptions = {}): Promise<Credential> {
  demandSafeTransport(gatewayUrl(options));
  return resolveForInspection(options);
}

/** The same wherever the gateway is: nothing is sent. */
export async function resolveForInspection(options: CredentialOptions): Promise<Credential> {
  const { env = process.env, now = Date.now } = options;
  const found = findCredential(options);
  if (!("helper" in found)) return found;
  return fromHelper({ command: found.helper, environment: found.environment, env, now: now() });
}

/** The same, without running a program. */
export function findCredential(options: CredentialOptions): FoundCredential {
  const { env = process.env } = options;
  const url = gatewayUrl(options);
  const file = readCredentialsFile(env);
  const variables = [fromTokenVariable(env), fromKeyVariable(env)];
  const held = variables.find((one) => one?.environment)?.environment ?? undefined;
  const entry = file && chooseEntry(file, url, { asked: options.environment, held });
  const given = [...variables, entry && file && storedIn(entry, file)].filter((one) => one !== undefined);
  demandAgreement(given, options.environment);
  const [first] = given;
  if (first) return first;
  if (entry && "helper" in entry.gives) return { helper: entry.gives.helper, environment: entry.environment };
  const place = file?.path ?? credentialsPath(env);
  throw new Problem(
    "credential_missing",
    `none for ${url} in SALLYPORT_TOKEN, SALLYPORT_API_KEY and ${place}: set one, or give that file an entry`,
  );
}

/** The origin of the gateway the options mean. */
export function gatewayUrl({ url, env = process.env }: CredentialOptions): string {
  const said = (url ?? (env["SALLYPORT_URL"] || DEFAULT_GATEWAY_URL)).replace(/\/$/, "");
  if (!isOrigin(said)) throw new Problem("input_invalid", `${said} is not http(s)://host:port, without a path`);
  return said;
}

interface WantedEnvironment {
  /** By the caller. */
  readonly asked?: string | undefined;
  /** By a credential in a variable. */
  readonly held?: string | undefined;
}

/** The file's entry for a gateway and one environment of it; undefined where it has none. */
function chooseEntry(file: CredentialsFile, url: string, { asked, held }: WantedEnvironment): FileEntry | undefined {
  const entries = file.entries.filter((entry) => entry.url === url);
  const names = entries.map(({ environment }) => environment).join(" and ");
  const wanted = asked ?? held;
  if (wanted === undefined && entries.length > 1)
    throw new Problem("credential_conflict", `${file.path} has ${names} of ${url}: say which environment is meant`);
  const found = wanted === undefined ? entries[0] : entries.find(({ environment }) => environment === wanted);
  if (!found && asked === undefined && entries.length > 0)
    throw new Problem("credential_conflict", `a variable is for ${wanted}, and ${file.path} has ${names} of ${url}`);
  return found;
}

/** What lies in the file itself; undefined for an entry with a helper, which is not run for this. */
export function storedIn({ gives, environment }: FileEntry, { path }: CredentialsFile): Credential | undefined {
  const place = { source: "file", where: path, environment } as const;
  if ("key" in gives) return readCredential(gives.key, "key", place);
  return "token" in gives ? readCredential(gives.token, "token", place) : undefined;
}

/** A token beside the key it came from agrees with it; two texts of one kind do not, nor do two environments. */
function demandAgreement(given: readonly Credential[], asked: string | undefined): void {
  given.forEach((one, i) => {
    for (const other of given.slice(i + 1)) {
      if (other.kind === one.kind && other.secret.reveal() !== one.secret.reveal())
        throw new Problem("credential_conflict", `${one.where} and ${other.where} give different ${one.kind}s`);
      if (differ(one.environment, other.environment))
        throw new Problem(
          "credential_conflict",
          `${one.where} is for ${one.environment}, ${other.where} for ${other.environment}`,
        );
    }
    if (asked !== undefined && differ(one.environment, asked))
      throw new Problem("credential_conflict", `${one.where} is for ${one.environment}, and ${asked} is asked for`);
  });
}

function differ(one: string | null, other: string | null): boolean {
  return one !== null && other !== null && one !== other;
}
