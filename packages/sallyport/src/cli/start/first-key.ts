/** The one key of the first minute: made once, shown on a terminal or kept in a 0600 file, found again by its name. */
import { closeSync, openSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { AdminClient } from "@sallyport/client";
import { allKeys } from "../terminal/every-page.ts";
import type { Io } from "../terminal/io.ts";
import { keepOrRevoke } from "../terminal/keep-or-revoke.ts";

export interface FirstKey {
  readonly id: string;
  readonly environment: string;
  readonly expiresAt: string;
  /** Only right after it was made, on a terminal. */
  readonly text: string | undefined;
  /** Where it was written, when there is no terminal. */
  readonly file: string | undefined;
  /** It is accepted from this machine alone. */
  readonly isLoopbackOnly: boolean;
}

export interface FirstKeyOrder {
  readonly environment: string;
  readonly name: string;
  readonly ttl: string;
  readonly directory: string;
  /** The data plane is reached from this machine alone. */
  readonly isOnLoopback: boolean;
}

const LOOPBACK = ["127.0.0.0/8", "::1/128"];

export async function keepFirstKey(io: Io, client: AdminClient, order: FirstKeyOrder): Promise<FirstKey> {
  const { environment, name, ttl } = order;
  const keys = await allKeys(client, { environment });
  const held = keys.find((key) => key.name === name && key.state === "active" && !key.isExpired);
  if (held)
    return {
      id: held.id,
      environment,
      expiresAt: held.expiresAt ?? "",
      text: undefined,
      file: undefined,
      isLoopbackOnly: isLoopbackOnly(held.networks),
    };
  const file = io.isTerminal ? undefined : join(order.directory, `first-key-${environment}`);
  // The file comes first: a key that cannot be kept is not made.
  const open = file === undefined ? undefined : openNew(file);
  const made = await client.call("keys.create", {
    body: {
      environment,
      name,
      roles: ["cli"],
      models: ["*"],
      ttl,
      ...(order.isOnLoopback ? { networks: LOOPBACK } : { binding: "first_use" as const }),
    },
  });
  const { id, key } = made;
  if (key === undefined) throw new TypeError("the key was made and its text is missing");
  if (open !== undefined) {
    await keepOrRevoke(client, id, () => {
      writeFileSync(open, `${key}\n`);
      closeSync(open);
    });
  }
  return {
    id,
    environment,
    expiresAt: made.expiresAt ?? "",
    text: file === undefined ? key : undefined,
    file,
    isLoopbackOnly: order.isOnLoopback,
  };
}

function isLoopbackOnly(networks: readonly string[] | null): boolean {
  return networks !== null && networks.length > 0 && networks.every((network) => LOOPBACK.includes(network));
}

/** An older one is of a key that has ended. */
function openNew(path: string): number {
  try {
    unlinkSync(path);
  } catch {
    // There was none.
  }
  return openSync(path, "wx", 0o600);
}
