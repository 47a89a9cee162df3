/**
 * Findings about the credentials on this machine, and the one that would be used: every source is checked, nothing is
 * sent, and no secret is returned. A helper is run only if it would be used.
 */
import { existsSync } from "node:fs";
import { Problem, problems } from "@sallyport/protocol";
import type { ProblemCode } from "@sallyport/protocol";
import type { Credential } from "./credential.ts";
import { credentialsPath, readCredentialsFile } from "./credentials-file.ts";
import type { CredentialsFile } from "./credentials-file.ts";
import { envFilesWithKeys, purposeOf } from "./env-files.ts";
import type { EnvFile } from "./env-files.ts";
import { isTrackedByGit } from "./git.ts";
import { isSafeTransport } from "../transport.ts";
import { programExposures } from "./private-file.ts";
import { findCredential, gatewayUrl, resolveForInspection, storedIn } from "./resolve.ts";
import type { CredentialOptions, FoundCredential } from "./resolve.ts";

type NamedHelper = Extract<FoundCredential, { readonly helper: readonly string[] }>;

export interface CredentialFinding {
  /** Stable. */
  readonly code:
    | ProblemCode
    | "credential_found"
    | "credential_tracked"
    | "credential_shared"
    | "credential_in_the_clear";
  readonly state: "ok" | "note" | "wrong";
  readonly says: string;
  /** What to do about it; empty where nothing is to be done. */
  readonly remedy: string;
}

export interface InspectOptions extends CredentialOptions {
  /** Where files of variables are looked at; the working directory unless given. */
  readonly directory?: string;
  /** False: a helper is named and not run, for who only looks around. */
  readonly isHelperRun?: boolean;
}

export interface CredentialReport {
  /** Of the gateway it is for. */
  readonly url: string;
  /** What would be used, without its text. */
  readonly credential: Omit<Credential, "secret"> | null;
  readonly findings: readonly CredentialFinding[];
}

export async function inspectCredentials(options: InspectOptions = {}): Promise<CredentialReport> {
  const { env = process.env } = options;
  let url: string;
  try {
    url = gatewayUrl(options);
  } catch (problem) {
    return { url: options.url ?? env["SALLYPORT_URL"] ?? "", credential: null, findings: [findingOf(problem)] };
  }
  const findings: CredentialFinding[] = [];
  let credential: CredentialReport["credential"] = null;
  try {
    const found = options.isHelperRun === false ? findCredential(options) : await resolveForInspection(options);
    if ("helper" in found) findings.push(helperFinding(found));
    else {
      credential = shownOf(found);
      findings.push(sayFound(found));
    }
    if (!isSafeTransport(url)) findings.push(inTheClear(url));
  } catch (problem) {
    findings.push(findingOf(problem));
  }
  findings.push(...(await fileFindings(credentialsPath(env), options)));
  findings.push(...envFileFindings(await envFilesWithKeys(options.directory ?? process.cwd(), env)));
  return { url, credential, findings: unique(findings) };
}

async function fileFindings(path: string, { env = process.env }: CredentialOptions): Promise<CredentialFinding[]> {
  if (!existsSync(path)) return [];
  const tracked: CredentialFinding[] = (await isTrackedByGit(path, env)) ? [trackedFinding(path)] : [];
  try {
    const file = readCredentialsFile(env);
    return file ? [...tracked, ...entryFindings(file)] : tracked;
  } catch (problem) {
    return [...tracked, findingOf(problem)];
  }
}

/** Entries that are not used now count too: a key kept for another environment, or the same one in two places. */
function entryFindings(file: CredentialsFile): CredentialFinding[] {
  const places = new Map<string, string[]>();
  const findings: CredentialFinding[] = [];
  for (const entry of file.entries) {
    try {
      const stored = storedIn(entry, file);
      if (!stored?.keyId) continue;
      const name = `${stored.environment} ${stored.keyId}`;
      places.set(name, [...(places.get(name) ?? []), `${entry.environment} of ${entry.url}`]);
    } catch (problem) {
      findings.push(findingOf(problem));
    }
  }
  for (const [name, of] of places) if (of.length > 1) findings.push(sharedFinding(name, of));
  return findings;
}

function envFileFindings(files: readonly EnvFile[]): CredentialFinding[] {
  const places = new Map<string, Map<string, string>>();
  const findings: CredentialFinding[] = [];
  for (const { path, keys, isTracked, exposures } of files) {
    if (isTracked) findings.push(trackedFinding(path));
    if (exposures.length > 0)
      findings.push(findingOf(new Problem("credential_unsafe", `${path} holds a key`, exposures)));
    const purpose = purposeOf(path);
    if (purpose !== "")
      for (const key of keys) places.set(key, (places.get(key) ?? new Map<string, string>()).set(purpose, path));
  }
  for (const [key, of] of places) if (of.size > 1) findings.push(sharedFinding(key, [...of.values()]));
  return findings;
}

/** `key` is `environment id`. */
function sharedFinding(key: string, places: readonly string[]): CredentialFinding {
  return {
    code: "credential_shared",
    state: "wrong",
    says: `the key ${key.split(" ")[1]} is used for ${places.join(" and ")}`,
    remedy: "give each its own key, so that one can be ended without the other: sallyport keys create",
  };
}

function findingOf(problem: unknown): CredentialFinding {
  if (!(problem instanceof Problem)) throw problem;
  const { code, detail, mistakes } = problem;
  const { title, remedy } = problems[code];
  const says = [detail ?? title, ...mistakes].join("; ");
  if (code === "credential_missing")
    return { code, state: "note", says, remedy: "needed only where this machine itself calls models" };
  if (code === "input_invalid" && mistakes.length === 0)
    return { code, state: "wrong", says, remedy: "correct what is named" };
  return { code, state: "wrong", says, remedy };
}

function sayFound({ kind, where, environment, keyId }: Credential): CredentialFinding {
  const of = environment === null ? "" : ` of ${environment}`;
  const says = `${keyId === null ? `a ${kind}` : `key ${keyId}`}${of} from ${where}`;
  return { code: "credential_found", state: "ok", says, remedy: "" };
}

function helperFinding({ helper: [program = ""], environment }: NamedHelper): CredentialFinding {
  const mistakes = programExposures(program);
  if (mistakes.length > 0) return findingOf(new Problem("credential_unsafe", `the helper ${program}`, mistakes));
  return {
    code: "credential_found",
    state: "ok",
    says: `the helper ${program} for ${environment}, not run now`,
    remedy: "",
  };
}

function trackedFinding(path: string): CredentialFinding {
  return {
    code: "credential_tracked",
    state: "wrong",
    says: `${path} is tracked by git: anyone who has the repository can read it`,
    remedy: `git rm --cached it, add it to .gitignore, and rotate what was in it: sallyport keys rotate ID`,
  };
}

function inTheClear(url: string): CredentialFinding {
  return {
    code: "credential_in_the_clear",
    state: "wrong",
    says: `${url} is not on this machine and is spoken to without TLS: the credential can be read on the way`,
    remedy: "give the gateway a certificate (tls in its settings) and use its https:// address",
  };
}

function shownOf({ kind, source, where, environment, keyId, expiresAt }: Credential): CredentialReport["credential"] {
  return { kind, source, where, environment, keyId, expiresAt };
}

/** A failed resolution often is the finding about the file. */
function unique(findings: readonly CredentialFinding[]): CredentialFinding[] {
  return [...new Map(findings.map((finding) => [`${finding.code} ${finding.says}`, finding])).values()];
}
