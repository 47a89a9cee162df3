/**
 * One session with PostgreSQL. It connects when it is first used, connects again after it was lost, runs one statement at
 * a time, and bounds each by a time. A session that failed is closed, so that no answer is taken for another one's.
 */
import pg from "pg";
import { Problem } from "@sallyport/protocol";
import type { PostgresAddress } from "../../config/postgres-address.ts";

export type PgValue = string | number | boolean | readonly string[] | readonly number[];
export type PgRow = Readonly<Record<string, unknown>>;

const CONNECT_MS = 3_000;
/** Of the server, and of the client a little more: the server's own answer says more. */
const STATEMENT_MS = 5_000;
const CLIENT_GRACE_MS = 1_000;

/**
 * The server finds within seconds that a machine or its network is gone, and frees its locks. A process that stands still
 * (stopped, swapped out) says nothing for so long, and its session is ended.
 */
const DETECTION = {
  tcp_keepalives_idle: "1",
  tcp_keepalives_interval: "1",
  tcp_keepalives_count: "2",
  tcp_user_timeout: "3000",
  client_connection_check_interval: "1000",
};
const IDLE_SESSION_MS = 4_000;

export interface SessionOptions {
  /** As `pg_stat_activity` shows it. */
  readonly name: string;
  /** The session holds a lock that another waits for: it is ended if nothing is heard of it. */
  readonly isWatched: boolean;
}

export class PostgresSession {
  readonly #address: PostgresAddress;
  readonly #options: SessionOptions;
  #client: pg.Client | null = null;
  #last: Promise<unknown> = Promise.resolve();
  #isClosed = false;

  constructor(address: PostgresAddress, options: SessionOptions) {
    this.#address = address;
    this.#options = options;
  }

  /** Whether the session is the one that was connected, and nothing has gone wrong with it. */
  get isConnected(): boolean {
    return this.#client !== null;
  }

  /** Runs one statement and returns its rows. Throws `log_unavailable`. */
  query(text: string, values: readonly PgValue[] = [], { connects = true } = {}): Promise<readonly PgRow[]> {
    const run = (): Promise<readonly PgRow[]> => this.#query(text, values, connects);
    const mine = this.#last.then(run, run);
    this.#last = mine.catch(() => undefined);
    return mine;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#last;
    await this.#drop();
  }

  async #query(text: string, values: readonly PgValue[], connects: boolean): Promise<readonly PgRow[]> {
    if (this.#isClosed || (!connects && !this.#client)) throw this.#unavailable("the session is closed");
    try {
      const client = (this.#client ??= await this.#connect());
      const { rows } = await client.query<Record<string, unknown>>({ text, values: [...values] });
      return rows;
    } catch (cause) {
      void this.#drop();
      throw this.#unavailable(reasonOf(cause));
    }
  }

  async #connect(): Promise<pg.Client> {
    const { host, port, user, database, password, tls } = this.#address;
    const client = new pg.Client({
      host,
      port,
      user,
      database,
      password: password?.reveal() ?? "",
      ssl: tls ? { rejectUnauthorized: true, ...(tls.ca === null ? {} : { ca: tls.ca }), servername: host } : false,
      application_name: this.#options.name,
      connectionTimeoutMillis: CONNECT_MS,
      statement_timeout: STATEMENT_MS,
      lock_timeout: STATEMENT_MS,
      query_timeout: STATEMENT_MS + CLIENT_GRACE_MS,
      keepAlive: true,
    });
    // Without a listener, a server that goes away would end the program.
    client.on("error", () => void this.#drop(client));
    client.on("end", () => void this.#drop(client));
    try {
      await client.connect();
      // Not as options of the connection: a proxy in between may reject those.
      const settings = this.#options.isWatched
        ? { ...DETECTION, idle_session_timeout: String(IDLE_SESSION_MS) }
        : DETECTION;
      for (const [name, value] of Object.entries(settings))
        await client.query("SELECT set_config($1, $2, false)", [name, value]);
      return client;
    } catch (cause) {
      await endQuietly(client);
      throw cause;
    }
  }

  async #drop(client = this.#client): Promise<void> {
    if (!client) return;
    if (this.#client === client) this.#client = null;
    await endQuietly(client);
  }

  #unavailable(reason: string): Problem {
    return new Problem("log_unavailable", `${this.#address.shown}: ${reason}`);
  }
}

async function endQuietly(client: pg.Client): Promise<void> {
  // A server that does not answer does not hold up the end.
  client.connection.stream.destroy();
  await client.end().catch(() => {});
}

/** The server's code and sentence, without what was sent: a statement's values are changes. */
function reasonOf(cause: unknown): string {
  if (cause instanceof Problem) return cause.detail ?? cause.message;
  if (!(cause instanceof Error)) return "unknown";
  const { code } = cause as { readonly code?: unknown };
  return typeof code === "string" ? `${cause.message} (${code})` : cause.message;
}
