/**
 * How a command reaches administration. With SALLYPORT_ADMIN_URL and SALLYPORT_ADMIN_KEY over the network; else over the
 * Unix socket of the server that runs on the data directory; else, where none runs, by opening the directory itself.
 * `--data` always means the directory.
 */
import { connect as connectSocket } from "node:net";
import { join } from "node:path";
import type { AdminClient } from "@sallyport/client";
import { parseKeyText, Problem } from "@sallyport/protocol";
import type { Settings } from "../../config/settings.ts";
import { UsageMistake } from "./usage-mistake.ts";
import type { ServerOptions } from "./options.ts";

export interface Connection {
  readonly client: AdminClient;
  /** `network`: an admin key's right. `socket` and `inside`: the operating-system user's. */
  readonly kind: "network" | "socket" | "inside";
  close(): Promise<void>;
}

export type Connect = (options: ServerOptions) => Promise<Connection>;

export function makeConnect(env: Readonly<Record<string, string | undefined>>): Connect {
  return async (options) => {
    const { AdminClient } = await import("@sallyport/client");
    const network = options.data === undefined ? networkTarget(env) : undefined;
    if (network) return connection(new AdminClient(network), "network");
    const settings = await readSettings(options, env);
    const socketPath = adminSocket(settings);
    if (await isAnswered(socketPath)) return connection(new AdminClient({ socketPath }), "socket");
    const { isInitialized, openAdministration } = await import("../../compose.ts");
    if (!isInitialized(settings.dataDirectory)) throw new Problem("data_missing", settings.dataDirectory);
    const inside = await openAdministration(settings);
    return connection(new AdminClient({ handle: (request) => inside.handle(request) }), "inside", () => inside.close());
  };
}

/** Settings as flags, variables and file say; every mistake at once. */
export async function readSettings(
  options: Readonly<Record<string, unknown>> | ServerOptions,
  env: Readonly<Record<string, string | undefined>>,
): Promise<Settings> {
  const { loadSettings } = await import("../../config/load-settings.ts");
  const flags: Readonly<Record<string, unknown>> = { ...options };
  const file = flags["settings"];
  return loadSettings({ flags, env, ...(typeof file === "string" ? { file } : {}) });
}

export function adminSocket(settings: Settings): string {
  return join(settings.dataDirectory, "admin.sock");
}

/** True when a server accepts connections at the socket. */
export function isAnswered(socketPath: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connectSocket(socketPath);
    probe.once("connect", () => {
      probe.destroy();
      resolve(true);
    });
    probe.once("error", () => resolve(false));
  });
}

function networkTarget(env: Readonly<Record<string, string | undefined>>): { url: string; key: string } | undefined {
  const { SALLYPORT_ADMIN_URL: url = "", SALLYPORT_ADMIN_KEY: key = "" } = env;
  if (url === "" && key === "") return undefined;
  if (url === "" || key === "")
    throw new UsageMistake(
      "SALLYPORT_ADMIN_URL and SALLYPORT_ADMIN_KEY are needed together",
      "set both to administer another machine, or unset both and use --data on the gateway host",
    );
  if (parseKeyText(key)?.kind !== "admin")
    throw new UsageMistake(
      "SALLYPORT_ADMIN_KEY is not a whole admin key (spa_…)",
      "copy the admin key again, from its first to its last character; API keys (sp_…) cannot administer",
    );
  return { url, key };
}

function connection(
  client: AdminClient,
  kind: Connection["kind"],
  end: () => Promise<void> = async () => {},
): Connection {
  return {
    client,
    kind,
    async close() {
      await client.close();
      await end();
    },
  };
}
