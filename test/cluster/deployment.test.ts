/** Two gateways, as processes, that share their changes through a real PostgreSQL. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, lstatSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { cleanEnv, ENTRY, request, sallyport, sallyportJson, serve } from "../program/program.ts";
import type { Answered, Serving } from "../program/program.ts";
import { digestState } from "../program-under-test.ts";
import { runSql, startPostgres } from "./postgres-server.ts";
import type { PostgresServer } from "./postgres-server.ts";

// Each test starts several gateways and a server of PostgreSQL, one process after the other.
vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 });

interface Deployment {
  readonly folder: string;
  /** Data directories of the two gateways. */
  readonly one: string;
  readonly two: string;
  readonly database: string;
  readonly env: Readonly<Record<string, string>>;
  readonly adminKey: string;
}

interface MadeKey {
  readonly id: string;
  readonly key: string;
}

let server: PostgresServer;
const folders: string[] = [];
const running: Serving[] = [];
/** What tests begin with: a machine that was just moved. */
let model: Pick<Deployment, "one" | "database" | "adminKey">;
beforeAll(async () => {
  server = await startPostgres();
  const one = join(makeFolder(), "one");
  const { adminKey } = await sallyportJson<{ adminKey: string }>(["init", "--data", one]);
  const database = await server.makeDatabase();
  await sallyportJson(["migrate", "--to", database, "--data", one]);
  model = { one, database, adminKey };
});
afterEach(async () => {
  for (const { child, ended } of running.splice(0)) {
    child.kill("SIGKILL");
    await ended;
  }
});
afterAll(async () => {
  await server.close();
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

function makeFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "sallyport-deployment-"));
  folders.push(folder);
  return folder;
}

/** A moved single machine, and a copy of it. */
async function deploy(from = model): Promise<Deployment> {
  const folder = makeFolder();
  const [one, two] = [join(folder, "one"), join(folder, "two")];
  // A gateway that was killed leaves sockets.
  const filter = (path: string): boolean => !lstatSync(path).isSocket();
  for (const data of [one, two]) cpSync(from.one, data, { recursive: true, filter });
  const database = await server.makeDatabase(from.database);
  return { folder, one, two, database, env: { SALLYPORT_DATABASE: database }, adminKey: from.adminKey };
}

async function start(data: string, env: Readonly<Record<string, string>>): Promise<Serving> {
  const gateway = await serve(data, ["--log", "error"], env);
  running.push(gateway);
  return gateway;
}

async function kill(gateway: Serving): Promise<void> {
  gateway.child.kill("SIGKILL");
  await gateway.ended;
  running.splice(running.indexOf(gateway), 1);
}

function makeKey({ adminUrl }: Serving, adminKey: string, name: string): Promise<Answered> {
  const body = { environment: "dev", name, allow: ["models:list"] };
  return request("POST", `${adminUrl}/v1/keys`, adminKey, body);
}

const keyOf = ({ text }: Answered): MadeKey => JSON.parse(text) as MadeKey;
const codeOf = ({ text }: Answered): string => (JSON.parse(text) as { code: string }).code;

/** Whether the gateway knows the key: what comes after that is the model server's. */
async function knows({ dataUrl }: Serving, key: string): Promise<boolean> {
  return (await request("GET", `${dataUrl}/api/tags`, key)).status !== 401;
}

async function until(isSo: () => Promise<boolean>): Promise<number> {
  const startedMs = performance.now();
  while (!(await isSo())) {
    if (performance.now() - startedMs > 15_000) throw new Error("it did not come to be");
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  return performance.now() - startedMs;
}

describe("two gateways on one database", () => {
  it("share every change; the standby takes over when the active one is killed, and nothing is lost", async () => {
    const { one, two, env, adminKey, database } = await deploy();
    const active = await start(one, env);
    const standby = await start(two, env);
    const first = keyOf(await makeKey(active, adminKey, "first"));
    await until(() => knows(standby, first.key));

    const refused = await makeKey(standby, adminKey, "refused");
    expect([refused.status, codeOf(refused)]).toEqual([503, "authority_standby"]);
    await until(async () => (await makeKey(standby, adminKey, "refused")).text.includes(active.adminUrl));
    const revoked = await request("POST", `${active.adminUrl}/v1/keys/${first.id}/revoke`, adminKey);
    expect(revoked.status).toBe(200);
    await until(async () => !(await knows(standby, first.key)));

    const last = keyOf(await makeKey(active, adminKey, "last"));
    await kill(active);
    let second: MadeKey | undefined;
    const takeOverMs = await until(async () => {
      const answer = await makeKey(standby, adminKey, "after the take-over");
      if (answer.status < 300) second = keyOf(answer);
      return second !== undefined;
    });
    expect(takeOverMs).toBeLessThan(5_000);
    expect(await knows(standby, last.key)).toBe(true);

    const again = await start(one, env);
    expect(await knows(again, second!.key)).toBe(true);
    expect(await knows(again, first.key)).toBe(false);
    expect((await makeKey(again, adminKey, "not here")).status).toBe(503);
    await kill(standby);
    await kill(again);
    expect(digestState(one)).toEqual(digestState(two));
    for (const data of [one, two])
      expect(await sallyportJson(["audit", "verify", "--state", "--data", data])).toMatchObject({ ok: true });
    const rows = await runSql(database, "SELECT epoch FROM epoch_log ORDER BY epoch");
    expect(rows.map(({ epoch }) => Number(epoch))).toEqual(rows.map((_, i) => Number(rows[0]!["epoch"]) + i));
  });

  it("serve on while the database is away, refuse changes with a code, and need no restart when it is back", async () => {
    const { one, env, adminKey } = await deploy();
    const gateway = await start(one, env);
    const made = keyOf(await makeKey(gateway, adminKey, "before"));
    await server.stop();
    try {
      const refused = await makeKey(gateway, adminKey, "meanwhile");
      expect([refused.status, codeOf(refused)]).toEqual([503, "log_unavailable"]);
      expect(await knows(gateway, made.key)).toBe(true);
      expect((await request("GET", `${gateway.adminUrl}/v1/keys`, adminKey)).status).toBe(200);
      const code = await serve(one, [], env).catch((failure: Error) => failure.message);
      expect(code).toContain("data_in_use");
    } finally {
      await server.start();
    }
    await until(async () => (await makeKey(gateway, adminKey, "after")).status < 300);
    const listed = await request("GET", `${gateway.adminUrl}/v1/keys`, adminKey);
    expect(listed.text).not.toContain("meanwhile");
  });
});

/** Sessions of gateways: a database in use cannot be copied. */
const BACKENDS = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()";

describe("a start", () => {
  const failure = async (data: string, env: Readonly<Record<string, string>>): Promise<string> => {
    const outcome = await serve(data, [], env).catch((refused: Error) => refused.message);
    if (typeof outcome === "string") return outcome;
    running.push(outcome);
    return "it serves";
  };

  it("is refused where a setting would be kept by half: no address, or changes that are in no log", async () => {
    const { one, env, folder } = await deploy();
    expect(await failure(one, {})).toContain("log_required");
    const { stderr } = await sallyport([
      "keys",
      "create",
      "--env",
      "dev",
      "--name",
      "x",
      "--allow",
      "models:list",
      "--data",
      one,
    ]);
    expect(stderr).toContain("log_required");
    const single = join(folder, "single");
    await sallyportJson(["init", "--data", single]);
    expect(await failure(single, env)).toContain("log_missing");
  });

  it("is refused on a database that has no log, another deployment's, or is away, and says no password", async () => {
    const { two } = await deploy();
    expect(await failure(two, { SALLYPORT_DATABASE: await server.makeDatabase() })).toContain("log_missing");
    const { env: foreign, database } = await deploy();
    await runSql(database, "UPDATE epoch_log_state SET deployment = 'AnotherOne12'");
    expect(await failure(two, foreign)).toContain("log_foreign");
    expect(await failure(two, { SALLYPORT_DATABASE: "postgres://x@127.0.0.1:1/x" })).toContain("log_unavailable");
    const wrong = await failure(two, { SALLYPORT_DATABASE: "postgres://x:hunter2@db.example.org/x" });
    expect(wrong).toContain("SALLYPORT_DATABASE");
    expect(wrong).not.toContain("hunter2");
  });

  it("is refused on a log that was changed", async () => {
    const used = await deploy();
    const active = await start(used.one, used.env);
    for (const name of ["a", "b"]) expect((await makeKey(active, used.adminKey, name)).status).toBeLessThan(300);
    await kill(active);
    await until(async () => (await runSql(used.database, BACKENDS)).length === 0);
    const failed = async (statement: string, isAhead: boolean): Promise<string> => {
      const { one, two, database, env } = await deploy(used);
      // One that is behind finds what is wrong in what it has to apply, the other that the end is another one.
      if (!isAhead) rmSync(two, { recursive: true });
      if (!isAhead) cpSync(model.one, two, { recursive: true });
      await runSql(database, statement);
      return failure(isAhead ? one : two, env);
    };
    const behind = "DELETE FROM epoch_log; UPDATE epoch_log_state SET epoch = base_epoch, head = base_head";
    expect(await failed(behind, true)).toContain("log_ahead");
    for (const statement of [
      "UPDATE epoch_log SET operations = replace(operations, 'key', 'kex')",
      "DELETE FROM epoch_log WHERE epoch = (SELECT min(epoch) FROM epoch_log)",
      "UPDATE epoch_log SET signature = repeat('A', 86) || '=='",
    ])
      expect(await failed(statement, false)).toContain("log_damaged");
  });
});

/** Runs the command again and again, and kills it a little later each time, until it comes to its end. */
async function killed(words: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<void> {
  const began = performance.now();
  await sallyport([...words, "--help"]);
  const startMs = performance.now() - began;
  for (let part = 0.6; part < 3; part += 0.4) {
    const child = spawn(process.execPath, [ENTRY, ...words], { env: { ...cleanEnv(), ...env }, stdio: "ignore" });
    const ended = once(child, "exit");
    const timer = setTimeout(() => child.kill("SIGKILL"), startMs * part);
    const [code] = (await ended) as [number | null];
    clearTimeout(timer);
    if (code !== null) return;
  }
}

describe("migrate", () => {
  it("goes on after it was killed, wherever that was, both ways", async () => {
    const folder = makeFolder();
    const data = join(folder, "killed");
    await sallyportJson(["init", "--data", data]);
    const database = await server.makeDatabase();
    const before = digestState(data);
    await killed(["migrate", "--to", database, "--data", data]);
    expect(await sallyportJson(["migrate", "--to", database, "--data", data])).toMatchObject(before);
    const [log, ...others] = await runSql(database, "SELECT base_digest, epoch FROM epoch_log_state");
    expect([log, others]).toEqual([{ base_digest: before.digest, epoch: String(before.epoch) }, []]);
    const env = { SALLYPORT_DATABASE: database };
    await killed(["migrate", "--to", "sqlite", "--data", data], env);
    // Done already, if the last kill came too late.
    const back = await sallyport(["migrate", "--to", "sqlite", "--data", data], env);
    expect(back.code === 0 || back.stderr.includes("a single machine's already")).toBe(true);
    const closed = await runSql(database, "SELECT closed FROM epoch_log_state");
    expect([digestState(data), closed]).toEqual([before, [{ closed: true }]]);
  });

  it("is done once, and comes back with every change", async () => {
    const { one, two, database, env, adminKey } = await deploy();
    const again = await sallyportJson<{ wasDone: boolean; digest: string }>([
      "migrate",
      "--to",
      database,
      "--data",
      one,
    ]);
    expect(again).toMatchObject({ wasDone: true, digest: digestState(one).digest });
    const active = await start(one, env);
    const made = keyOf(await makeKey(active, adminKey, "kept"));
    const early = await sallyport(["migrate", "--to", "sqlite", "--data", one], env);
    expect(early.stderr).toContain("data_in_use");
    const elsewhere = await sallyport(["migrate", "--to", "sqlite", "--data", two], env);
    expect(elsewhere.stderr).toContain("authority_standby");
    await kill(active);
    const behind = await sallyport(["migrate", "--to", "sqlite", "--data", two], env);
    expect(behind.stderr).toContain("start this gateway once");
    const before = digestState(one);
    const back = await sallyportJson<{ digest: string }>(["migrate", "--to", "sqlite", "--data", one], env);
    expect(back.digest).toBe(before.digest);
    expect((await sallyport(["serve", "--data", two], env)).stderr).toContain("log_foreign");
    const single = await start(one, {});
    expect(await knows(single, made.key)).toBe(true);
    expect((await makeKey(single, adminKey, "alone")).status).toBeLessThan(300);
  });
});
