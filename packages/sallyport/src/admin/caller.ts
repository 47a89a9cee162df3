/**
 * Who calls the admin API. Over TCP it is the holder of one admin key; over the Unix socket (0600, in the 0700 data
 * directory) it is the operating-system user, who could read every file anyway and so may do everything.
 */
import { Problem, refuse } from "@sallyport/protocol";
import type { CredentialSignal, Refusal } from "@sallyport/protocol";
import { everything } from "../access/everything.ts";
import type { Issuer } from "../access/issuer.ts";
import { extractCredential } from "../listener/credential.ts";
import { expiryOf } from "../keys/key.ts";
import type { KeyRecord } from "../keys/key.ts";
import type { ConsoleSession, SessionHolder } from "./console/console-sessions.ts";
import { sessionCredential } from "./console/session-credential.ts";
import type { SessionCredential } from "./console/session-credential.ts";
import type { AdminPorts } from "./ports.ts";

export type AdminCaller =
  | { readonly kind: "socket"; readonly user: string }
  /**
   * `rawHeaders` as node gives them, name and value in turn; without them the request's headers are read. `address` is
   * the client's, absent if a proxy's statement of it is invalid. `onProven` learns who has proved to be the caller.
   */
  | {
      readonly kind: "tcp";
      readonly rawHeaders?: readonly string[];
      readonly address?: string;
      readonly onProven?: (actor: string) => void;
    };

type TcpCaller = Extract<AdminCaller, { readonly kind: "tcp" }>;

export interface Caller {
  readonly kind: AdminCaller["kind"];
  readonly issuer: Issuer;
  /** Where the call came from; null over the Unix socket. */
  readonly address: string | null;
  /** When the caller's own right ends, epoch ms; null = never. What they make may not outlive it; a session is no right. */
  readonly expiresAt: number | null;
  /** Whose right it is, for a session of the console that continues it. */
  readonly holder: SessionHolder;
  /** The session of the console by which it came; null = with a credential. */
  readonly session: ConsoleSession | null;
}

/** A denial before the call, with its true reason: the reason is recorded, and not returned. */
export class DoorProblem extends Problem {
  readonly signal: CredentialSignal | null;

  constructor({ code, detail, signal }: Refusal) {
    super(code, detail);
    this.signal = signal ?? null;
  }
}

type CallerPorts = Pick<AdminPorts, "keys" | "clock" | "console">;

/** Throws the denial as a `DoorProblem`. `isUse`: the call counts as a use of its session. */
export function authenticate(ports: CallerPorts, caller: AdminCaller, request: Request, isUse = true): Caller {
  if (caller.kind === "socket") {
    const actor = `os:${caller.user}`;
    const holder = { kind: "socket", actor } as const;
    return {
      kind: "socket",
      issuer: { actor, right: everything },
      address: null,
      expiresAt: null,
      holder,
      session: null,
    };
  }
  const rawHeaders = caller.rawHeaders ?? [...request.headers].flat();
  const text = extractCredential(rawHeaders);
  if (typeof text !== "string") {
    const credential = text.code === "credential_missing" ? sessionCredential(rawHeaders) : undefined;
    if (credential === undefined) throw new DoorProblem(text);
    return callerOfSession(ports, caller, credential, isUse);
  }
  const found = ports.keys.authenticate(text, ["admin"], ports.clock.now());
  if (!("key" in found)) throw new DoorProblem(found);
  return callerWithKey(caller, found.key, null);
}

/** The right is the holder's as it is now: a key that was revoked takes its sessions along. */
function callerOfSession(
  { keys, clock, console: sessions }: CallerPorts,
  caller: TcpCaller,
  { cookie, token }: SessionCredential,
  isUse: boolean,
): Caller {
  const address = caller.address ?? null;
  const session = sessions.use(cookie, token, address, isUse);
  if (session === undefined) throw new DoorProblem(refuse("console_session_ended"));
  const { holder } = session;
  if (holder.kind === "socket") {
    caller.onProven?.(holder.actor);
    const issuer = { actor: holder.actor, right: everything };
    return { kind: "tcp", issuer, address, expiresAt: null, holder, session };
  }
  const key = keys.find(holder.environment, holder.id);
  const found = key ? keys.admit(key, clock.now()) : refuse("key_unknown");
  if ("key" in found) return callerWithKey(caller, found.key, session);
  sessions.end(session);
  throw new DoorProblem(found);
}

function callerWithKey(caller: TcpCaller, key: KeyRecord, session: ConsoleSession | null): Caller {
  if (key.admin === null) throw new Problem("key_unknown");
  const issuer = { actor: `key:${key.id}`, right: key.admin };
  caller.onProven?.(issuer.actor);
  const { environment, id } = key;
  return {
    kind: "tcp",
    issuer,
    address: caller.address ?? null,
    expiresAt: expiryOf(key),
    holder: { kind: "key", actor: issuer.actor, environment, id },
    session,
  };
}
