/**
 * Who calls the admin API. Over TCP it is the holder of one admin key; over the Unix socket (0600, in the 0700 data
 * directory) it is the operating-system user, who could read every file anyway and so may do everything.
 */
import { Problem } from "@sallyport/protocol";
import type { CredentialSignal, Refusal } from "@sallyport/protocol";
import { everything } from "../access/everything.ts";
import type { Issuer } from "../access/issuer.ts";
import { extractCredential } from "../listener/credential.ts";
import { expiryOf } from "../keys/key.ts";
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

export interface Caller {
  readonly kind: AdminCaller["kind"];
  readonly issuer: Issuer;
  /** Where the call came from; null over the Unix socket. */
  readonly address: string | null;
  /** When the caller's own right ends, epoch ms; null = never. */
  readonly expiresAt: number | null;
}

/** A denial before the call, with its true reason: the reason is recorded, and not returned. */
export class DoorProblem extends Problem {
  readonly signal: CredentialSignal | null;

  constructor({ code, detail, signal }: Refusal) {
    super(code, detail);
    this.signal = signal ?? null;
  }
}

/** Throws the denial as a `DoorProblem`. */
export function authenticate(ports: Pick<AdminPorts, "keys" | "clock">, caller: AdminCaller, request: Request): Caller {
  if (caller.kind === "socket") {
    return {
      kind: "socket",
      issuer: { actor: `os:${caller.user}`, right: everything },
      address: null,
      expiresAt: null,
    };
  }
  const text = extractCredential(caller.rawHeaders ?? [...request.headers].flat());
  if (typeof text !== "string") throw new DoorProblem(text);
  const found = ports.keys.authenticate(text, ["admin"], ports.clock.now());
  if (!("key" in found)) throw new DoorProblem(found);
  const { key } = found;
  if (key.admin === null) throw new Problem("key_unknown");
  const issuer = { actor: `key:${key.id}`, right: key.admin };
  caller.onProven?.(issuer.actor);
  return { kind: "tcp", issuer, address: caller.address ?? null, expiresAt: expiryOf(key) };
}
