/**
 * The helper: a program of the user's that prints a credential, so that none lies in a file. It prints one JSON object,
 * `{"version":1,"key":"sp_…"}` or `{"version":1,"token":"…","expiresAt":"2026-01-31T12:00:00Z"}`, and nothing else.
 */
import { isAbsolute } from "node:path";
import { Problem } from "@sallyport/protocol";
import { readCredential } from "./credential.ts";
import type { Credential } from "./credential.ts";
import { programExposures } from "./private-file.ts";
import { runProgram } from "./run-program.ts";
import { KEY_VARIABLE, TOKEN_VARIABLE } from "./variables.ts";
import type { Variables } from "./variables.ts";

export interface HelperCall {
  readonly command: readonly string[];
  readonly environment: string;
  readonly env: Variables;
  /** Epoch ms. */
  readonly now: number;
  readonly timeoutMs?: number;
}

const TIMEOUT_MS = 10_000;
const BYTES_MAX = 64 * 1024;

/** Throws `credential_unsafe` where others could change the program, `credential_source_failed` where it gives nothing usable. */
export async function fromHelper({ command, environment, env, now, timeoutMs }: HelperCall): Promise<Credential> {
  const [program = ""] = command;
  if (!isAbsolute(program))
    throw new Problem("input_invalid", `the helper ${program}: its whole path is needed, none is looked for elsewhere`);
  const mistakes = programExposures(program);
  if (mistakes.length > 0) throw new Problem("credential_unsafe", `the helper ${program}`, mistakes);
  const bounds = {
    env: withoutCredentials(env),
    timeoutMs: timeoutMs ?? TIMEOUT_MS,
    bytesMax: BYTES_MAX,
    isHeard: true,
  };
  const ended = await runProgram(command, bounds);
  if ("failure" in ended) throw failed(program, ended.failure);
  const { key, token, expiresAt } = readPrinted(program, ended.output);
  if (expiresAt !== null && expiresAt <= now) throw failed(program, "what it printed has expired");
  const place = { source: "helper", where: program, environment, expiresAt } as const;
  return key === undefined ? readCredential(token ?? "", "token", place) : readCredential(key, "key", place);
}

/** It must not depend on what it is there to replace. */
function withoutCredentials(env: Variables): Variables {
  return Object.fromEntries(Object.entries(env).filter(([name]) => name !== TOKEN_VARIABLE && name !== KEY_VARIABLE));
}

interface Printed {
  readonly key?: string;
  readonly token?: string;
  readonly expiresAt: number | null;
}

const MEMBERS = new Set(["version", "key", "token", "expiresAt"]);

/** Nothing that was printed is quoted: it may be the secret, in a form that was not expected. */
function readPrinted(program: string, output: string): Printed {
  let read: unknown;
  try {
    read = JSON.parse(output);
  } catch {
    throw failed(program, "what it printed is not JSON");
  }
  if (typeof read !== "object" || read === null || Array.isArray(read))
    throw failed(program, "it printed no JSON object");
  const { version, key, token, expiresAt } = read as Readonly<Record<string, unknown>>;
  if (version !== 1) throw failed(program, "it printed another version than 1");
  if (Object.keys(read).some((name) => !MEMBERS.has(name)))
    throw failed(program, "it printed a member that is not known");
  const isOne = (typeof key === "string" && token === undefined) || (typeof token === "string" && key === undefined);
  if (!isOne) throw failed(program, "it printed not exactly one of key and token");
  const at = expiresAt === undefined ? null : typeof expiresAt === "string" ? Date.parse(expiresAt) : Number.NaN;
  if (Number.isNaN(at)) throw failed(program, "its expiresAt is no time such as 2026-01-31T12:00:00Z");
  return { ...(key === undefined ? { token: token as string } : { key: key as string }), expiresAt: at };
}

function failed(program: string, why: string): Problem {
  return new Problem("credential_source_failed", `${program}: ${why}`);
}
