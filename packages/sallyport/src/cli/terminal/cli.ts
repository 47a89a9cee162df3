/** What every command is given, and the one way a command speaks to a server: connect, call, close. */
import type { AdminClient } from "@sallyport/client";
import { acceptNames } from "./resolve-names.ts";
import type { Connect, Connection } from "./connect.ts";
import type { Io } from "./io.ts";
import type { ServerOptions } from "./options.ts";

export interface Cli {
  readonly io: Io;
  readonly connect: Connect;
  /** Called by a command that did its work and found something wrong: exit code 1. */
  found(): void;
}

/** Runs `work` with a connection that is closed whatever happens. */
export async function withClient<T>(
  cli: Cli,
  options: ServerOptions,
  work: (client: AdminClient, kind: Connection["kind"]) => Promise<T>,
): Promise<T> {
  const connection = await cli.connect(options);
  try {
    return await work(acceptNames(connection.client), connection.kind);
  } finally {
    await connection.close();
  }
}
