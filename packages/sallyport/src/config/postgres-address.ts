/** Where the database of changes is, as `SALLYPORT_DATABASE` says it. The password is a secret from here on. */
import { readFileSync } from "node:fs";
import { Secret } from "@sallyport/protocol";

export interface PostgresAddress {
  /** A host name or address, or the folder of a Unix socket. */
  readonly host: string;
  /** For people: without the password. */
  readonly shown: string;
  readonly port: number;
  readonly user: string;
  readonly database: string;
  readonly password: Secret | null;
  /** Null = without TLS: allowed on loopback and over a Unix socket only. */
  readonly tls: { readonly ca: string | null } | null;
}

export const POSTGRES_WANTED =
  "is not postgres://USER[:PASSWORD]@HOST[:PORT]/DATABASE[?sslmode=verify-full&sslrootcert=FILE]; beyond loopback, sslmode=verify-full is required";

const PARAMETERS = new Set(["sslmode", "sslrootcert", "host"]);
const LOOPBACK = new Set(["localhost", "127.0.0.1", "[::1]"]);

/**
 * Undefined for an address that is not one, that has a parameter this program does not know, or that would send a
 * password in the clear. `readFile` reads the certificate of the authority that signed the server's.
 */
export function parsePostgresAddress(
  text: string,
  readFile: (path: string) => string = (path) => readFileSync(path, "utf8"),
): PostgresAddress | undefined {
  if (!/^postgres(?:ql)?:\/\//.test(text) || !URL.canParse(text)) return undefined;
  const url = new URL(text);
  const { searchParams: parameters } = url;
  const names = [...parameters.keys()];
  if (url.hash !== "" || names.some((name) => !PARAMETERS.has(name)) || new Set(names).size < names.length)
    return undefined;
  const [user, password, database] = [url.username, url.password, url.pathname.slice(1)].map(decoded);
  if (!user || password === undefined || !database || database.includes("/")) return undefined;
  const socket = parameters.get("host");
  if (socket !== null && (!socket.startsWith("/") || url.hostname !== "localhost")) return undefined;
  const mode = parameters.get("sslmode");
  if (mode !== null && mode !== "verify-full") return undefined;
  const isNear = socket !== null || LOOPBACK.has(url.hostname);
  const file = parameters.get("sslrootcert");
  if ((mode === null && (!isNear || file !== null)) || (mode !== null && socket !== null)) return undefined;
  let ca: string | null = null;
  try {
    ca = file === null ? null : readFile(file);
  } catch {
    return undefined;
  }
  if (url.hostname === "") return undefined;
  const port = url.port === "" ? 5432 : Number(url.port);
  return {
    shown: `postgres://${socket === null ? url.hostname : ""}:${port}/${database}`,
    host: socket ?? url.hostname.replace(/^\[|\]$/g, ""),
    port,
    user,
    database,
    password: password === "" ? null : new Secret(password),
    tls: mode === null ? null : { ca },
  };
}

function decoded(part: string): string | undefined {
  try {
    return decodeURIComponent(part);
  } catch {
    return undefined;
  }
}

/**
 * `SALLYPORT_DATABASE`: an address, or `file:PATH` with one. A variable and no setting of the file, because it holds a
 * password. Null where it is not set; findings go to `mistakes`.
 */
export function readDatabaseVariable(
  env: Readonly<Record<string, string | undefined>>,
  mistakes: string[],
): PostgresAddress | null {
  const given = env["SALLYPORT_DATABASE"] ?? "";
  if (given === "") return null;
  let text = given;
  try {
    if (given.startsWith("file:")) text = readFileSync(given.slice("file:".length), "utf8").trim();
  } catch {
    mistakes.push("SALLYPORT_DATABASE: the file cannot be read");
    return null;
  }
  const address = parsePostgresAddress(text);
  // Without what was given: it may hold the password.
  if (!address) mistakes.push(`SALLYPORT_DATABASE: ${POSTGRES_WANTED}`);
  return address ?? null;
}
