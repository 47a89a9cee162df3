// Several gateways on one PostgreSQL (ADR 86), with fsync on: how fast the sequencer appends, how fast a gateway makes
// changes, and what a kill of the active one costs. In each round the active of two gateways is killed (SIGKILL) while
// changes are under way, the standby takes over, and the killed one comes back as the standby. At the end, every key whose
// creation was acknowledged must be on both, no epoch may be missing or there twice, and both must have the same state.
//   node bench/cluster.js [--json] [--kills 50] [--entries 20000] [--writers 8]
// Exits with 1 when something acknowledged is lost or the two differ; figures are for reading.
import { spawn } from "node:child_process";
import { generateKeyPairSync, sign } from "node:crypto";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { makeBase } from "../packages/sallyport/dist/cluster/authority/epoch-entry.js";
import { Sequencer } from "../packages/sallyport/dist/cluster/authority/sequencer.js";
import { PostgresEpochLog } from "../packages/sallyport/dist/cluster/postgres/postgres-epoch-log.js";
import { parsePostgresAddress } from "../packages/sallyport/dist/config/postgres-address.js";
import { dataPaths } from "../packages/sallyport/dist/store/disk/data-paths.js";
import { openDatabase } from "../packages/sallyport/dist/store/disk/sqlite.js";
import { digestState } from "../packages/sallyport/dist/store/state/replica-place.js";
import { query, startPostgres } from "./postgres.js";
import { ENTRY, median, run, stop } from "./processes.js";

const LINES_MIN = 10_000;
const TAKE_OVER_MS_MAX = 5_000;
const WAITING = 1_000;
const LOADED_MS = 300;
const PATIENCE_MS = 30_000;
const CHANGES_MS = 10_000;

const { values: flags } = parseArgs({
  options: {
    json: { type: "boolean", default: false },
    kills: { type: "string", default: "50" },
    entries: { type: "string", default: "20000" },
    writers: { type: "string", default: "8" },
  },
});
const writers = Number(flags.writers);

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const postgres = await startPostgres();
const folder = mkdtempSync(join(tmpdir(), "sallyport-bench-cluster-"));
try {
  const figures = { ...(await measureSequencer()), ...(await measureGateways()) };
  if (flags.json) console.log(JSON.stringify(figures));
  else console.table(figures);
  if (figures.lost > 0 || figures.epochsWrong > 0 || !figures.isSameState || !figures.isVerified) process.exitCode = 1;
} finally {
  await postgres.stop();
  rmSync(folder, { recursive: true, force: true });
}

/** Entries with one ledger line each, a thousand always waiting: hashed, signed, appended and acknowledged. */
async function measureSequencer() {
  const { privateKey } = generateKeyPairSync("ed25519");
  const signer = {
    sign: (text) => sign(null, Buffer.from(text), privateKey).toString("base64"),
    isGenuine: () => true,
  };
  const log = new PostgresEpochLog(parsePostgresAddress(await postgres.makeDatabase()));
  await log.begin(makeBase(signer, "AbCdEf123456", 0, "0".repeat(64)));
  const right = await log.acquire("");
  const batchMs = [];
  const sequencer = new Sequencer(
    {
      fence: right.fence,
      state: right.state,
      async append(entries, expected) {
        const startedMs = performance.now();
        const result = await right.append(entries, expected);
        batchMs.push(performance.now() - startedMs);
        return result;
      },
    },
    signer,
  );
  const event = `{"type":"key.created","at":1700000000000,"environment":"dev","actor":"key_0123456789ab","fields":{"name":"a key","roles":["bot"]}}`;
  const total = Number(flags.entries);
  const startedMs = performance.now();
  let made = 0;
  const write = async () => {
    while (made < total) {
      const draft = {
        author: "bench",
        at: Date.now(),
        version: 1,
        program: "bench",
        operations: JSON.stringify([{ op: "role.remove", name: `role ${made++}` }]),
        events: JSON.stringify([event]),
      };
      await sequencer.append(draft);
    }
  };
  await Promise.all(Array.from({ length: WAITING }, write));
  const seconds = (performance.now() - startedMs) / 1_000;
  await log.close();
  return {
    ledgerLinesPerSecond: Math.round(made / seconds),
    linesGoal: LINES_MIN,
    appendMs: round(median(batchMs)),
    linesInAppend: Math.round(made / batchMs.length),
  };
}

async function measureGateways() {
  const homes = [join(folder, "one"), join(folder, "two")];
  const database = await postgres.makeDatabase();
  const { adminKey } = JSON.parse((await run(process.execPath, [ENTRY, "init", "--data", homes[0], "--json"])).stdout);
  await run(process.execPath, [ENTRY, "migrate", "--to", database, "--data", homes[0], "--json"]);
  cpSync(homes[0], homes[1], { recursive: true });
  const environment = { ...process.env, SALLYPORT_DATABASE: database };
  let [active, standby] = [await start(homes[0], environment), await start(homes[1], environment)];

  const acknowledged = new Set();
  const unknown = { count: 0 };
  const load = makeLoad(adminKey, acknowledged, unknown);
  const before = acknowledged.size;
  load.to(active.adminUrl);
  await pause(CHANGES_MS);
  const changesPerSecond = Math.round((acknowledged.size - before) / (CHANGES_MS / 1_000));

  const takeOvers = [];
  for (let kills = 0; kills < Number(flags.kills); kills++) {
    load.to(active.adminUrl);
    await pause(LOADED_MS * (0.5 + Math.random()));
    const killedMs = performance.now();
    active.child.kill("SIGKILL");
    await active.ended;
    load.to(standby.adminUrl);
    await load.next(PATIENCE_MS);
    takeOvers.push(performance.now() - killedMs);
    const killed = active.home;
    active = standby;
    standby = await start(killed, environment);
    if (!flags.json) console.log(`kill ${kills + 1}: ${Math.round(takeOvers.at(-1))} ms, ${acknowledged.size} keys`);
  }
  await load.end();
  await pause(2_000);
  for (const { child, ended } of [standby, active]) {
    await stop(child);
    await ended;
  }
  return {
    changesPerSecond,
    writers,
    kills: takeOvers.length,
    takeOverMs: { median: Math.round(median(takeOvers)), worst: Math.round(Math.max(...takeOvers)) },
    takeOverMsMax: TAKE_OVER_MS_MAX,
    acknowledged: acknowledged.size,
    unansweredOrRejected: unknown.count,
    ...(await judge(homes, environment, database, acknowledged)),
  };
}

/** Both directories, stopped: what each has of what was acknowledged, and what the log has. */
async function judge(homes, env, database, acknowledged) {
  const lost = new Set();
  let isVerified = true;
  for (const data of homes) {
    const options = { env, maxBuffer: 1e9 };
    const words = [ENTRY, "audit", "verify", "--state", "--json", "--data", data];
    isVerified &&= JSON.parse((await run(process.execPath, words, options)).stdout).ok === true;
    const ids = keysOf(data);
    for (const id of acknowledged) if (!ids.has(id)) lost.add(id);
  }
  const rows = await query(database, "SELECT epoch FROM epoch_log ORDER BY epoch");
  const epochsWrong = rows.filter(({ epoch }, i) => Number(epoch) !== Number(rows[0].epoch) + i).length;
  const [one, two] = homes.map((data) => digestState(data));
  return {
    lost: lost.size,
    epochs: rows.length,
    epochsWrong,
    isSameState: one.digest === two.digest && one.rows === two.rows,
    isVerified,
  };
}

function keysOf(data) {
  const database = openDatabase(dataPaths(data).database, { isReadOnly: true });
  const ids = new Set(
    database
      .prepare("SELECT id FROM key")
      .all()
      .map(({ id }) => id),
  );
  database.close();
  return ids;
}

function start(home, env) {
  const words = [ENTRY, "serve", "--data", home, "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"];
  const child = spawn(process.execPath, [...words, "--log", "error"], { env, stdio: ["ignore", "pipe", "inherit"] });
  const ended = new Promise((resolve) => child.once("close", resolve));
  return new Promise((resolve, reject) => {
    child.once("exit", (code) => reject(new Error(`serve ended with ${code}`)));
    child.stdout.on("data", (chunk) => {
      const ready = /^sallyport ready data=(\S+) admin=(\S+)$/m.exec(String(chunk));
      if (ready) resolve({ child, home, ended, adminUrl: ready[2] });
    });
  });
}

/** Several writers that make keys at one gateway, each again as soon as it was answered. */
function makeLoad(adminKey, acknowledged, unknown) {
  let url = "";
  let isOver = false;
  let made = 0;
  let heard = () => {};
  const write = async () => {
    while (!isOver) {
      const target = url;
      const answer = target === "" ? undefined : await makeKey(target, adminKey, `key ${made++}`);
      if (answer?.id) {
        acknowledged.add(answer.id);
        if (target === url) heard();
      } else {
        if (target !== "") unknown.count++;
        await pause(20);
      }
    }
  };
  const writing = Promise.all(Array.from({ length: writers }, write));
  return {
    to: (adminUrl) => void (url = adminUrl),
    /** The next one that the present gateway acknowledges. */
    next: (patienceMs) =>
      new Promise((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error("the standby did not take over")), patienceMs);
        heard = () => (clearTimeout(timer), resolve());
      }),
    async end() {
      isOver = true;
      await writing;
    },
  };
}

/** What was answered; undefined where the gateway is gone or rejects it. */
function makeKey(adminUrl, adminKey, name) {
  const body = JSON.stringify({ environment: "dev", name, allow: ["models:list"] });
  const headers = { authorization: `Bearer ${adminKey}`, "content-type": "application/json" };
  return new Promise((resolve) => {
    const sent = request(`${adminUrl}/v1/keys`, { method: "POST", headers, agent: false }, (answer) => {
      let text = "";
      answer.on("data", (chunk) => (text += chunk));
      answer.on("error", () => resolve(undefined));
      answer.on("end", () => resolve(answer.statusCode < 300 ? JSON.parse(text) : undefined));
    });
    sent.on("error", () => resolve(undefined));
    sent.end(body);
  });
}

function round(ms) {
  return Math.round(ms * 100) / 100;
}
