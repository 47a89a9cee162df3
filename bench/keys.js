// Verifying a key and deciding, with a thousand keys and with a million, used as Zipf says; unknown ids beside.
// Both are in one process and take turns, so that the same machine code, garbage collection and neighbours count for both.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { formatKeyText, parseModelName } from "../packages/protocol/dist/index.js";
import { decide } from "../packages/sallyport/dist/access/decide.js";
import { environmentDefaults } from "../packages/sallyport/dist/access/default-environment.js";
import { compileSnapshot } from "../packages/sallyport/dist/access/snapshot.js";
import { fillKeyTable } from "../packages/sallyport/dist/keys/fill-table.js";
import { KeyDirectory } from "../packages/sallyport/dist/keys/directory.js";
import { hashKeyText } from "../packages/sallyport/dist/keys/hash.js";
import { newKey } from "../packages/sallyport/dist/keys/key.js";
import { initDataDirectory } from "../packages/sallyport/dist/store/directory/data-directory.js";
import { openReader } from "../packages/sallyport/dist/store/state/reader.js";
import { makeApplyOperation } from "../packages/sallyport/dist/store/state/operations.js";
import { openDatabase } from "../packages/sallyport/dist/store/disk/sqlite.js";
import { median } from "./processes.js";

const USES = 400_000;
const CALLS_PER_ROUND = 20_000;
/** Rounds that are not counted. */
const WARM_UP = 2;
const pepper = { version: 1, bytes: Buffer.alloc(32, 3) };
const ring = { current: () => pepper, get: () => pepper, create: () => pepper };
const right = { roles: [], allow: ["infer:chat"], models: ["llama3.2", "qwen3:*"] };
const question = {
  demands: [{ permission: "infer:chat", model: parseModelName("llama3.2"), field: "model" }],
  registries: [],
  asked: { images: 0 },
  keepAliveSeconds: null,
};

const PRESENTED = { address: "127.0.0.1", isSigned: false, isIdentified: false };

const idOf = (n) => n.toString(36).padStart(12, "0");
const textOf = (n) => formatKeyText("sp", "dev", idOf(n), "s".repeat(43));

function fill(directory, count) {
  initDataDirectory(directory);
  const database = openDatabase(join(directory, "sallyport.db"), { isReadOnly: false });
  const apply = makeApplyOperation(database);
  database.exec("BEGIN");
  apply({ op: "environment.put", environment: { ...environmentDefaults, name: "dev", upstreams: [] } });
  apply({
    op: "principal.put",
    principal: {
      id: "p",
      kind: "service",
      name: "p",
      team: null,
      groups: [],
      isDisabled: false,
      disabledBy: [],
      revocations: 0,
      external: null,
      createdAt: 0,
    },
  });
  for (let n = 0; n < count; n++) {
    const key = newKey(
      { id: idOf(n), environment: "dev", name: "k", owner: "p", ceiling: right, limits: {}, admin: null, createdAt: 0, createdBy: "os:bench" },
      { hash: hashKeyText(textOf(n), pepper), pepperVersion: 1, expiresAt: 9e15 },
    ); // prettier-ignore
    apply({ op: "key.insert", key });
  }
  database.exec("COMMIT");
  database.close();
}

/** Ranks drawn so that the n-th key is used in proportion to 1/n; the same series for every size. */
function zipf(count) {
  const total = Math.log(count);
  let seed = 1;
  return Array.from({ length: USES }, () => {
    seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
    return Math.max(0, Math.min(count - 1, Math.floor(Math.exp((seed / 2 ** 32) * total)) - 1));
  });
}

/** Which key has the rank: those that are used most were not made one after the other, so their rows are nowhere near. */
const keyOfRank = (rank, count) => (rank * 654_435_761) % count;

/** Credentials as bytes, one after the other. Each is made a text when its turn comes, as the parser of a request does. */
class Credentials {
  #bytes;
  #length;
  constructor(numbers) {
    this.count = numbers.length;
    this.#length = textOf(0).length;
    this.#bytes = Buffer.from(numbers.map(textOf).join(""), "latin1");
  }
  text(n) {
    return this.#bytes.latin1Slice(n * this.#length, (n + 1) * this.#length);
  }
}

async function keysOf(count) {
  const directory = join(mkdtempSync(join(tmpdir(), "sallyport-keys-")), "data");
  fill(directory, count);
  const reader = openReader(directory);
  const keys = new KeyDirectory(reader, ring);
  // As some time after a start: the table is filled in the background, whose timers keep no program running.
  const awake = setInterval(() => {}, 1_000);
  const cpu = process.cpuUsage();
  await fillKeyTable(keys, (page) => reader.keys(page), 0).filled;
  clearInterval(awake);
  const { user, system } = process.cpuUsage(cpu);
  const state = reader.policy();
  const snapshot = compileSnapshot({
    ...state,
    assignments: [{ id: "a", subject: { principal: "p" }, environment: "dev", right, source: "admin" }],
  });
  reader.close();
  rmSync(directory, { recursive: true, force: true });
  return {
    count,
    keys,
    snapshot,
    known: new Credentials(zipf(count).map((rank) => keyOfRank(rank, count))),
    unknown: new Credentials(Array.from({ length: CALLS_PER_ROUND }, (_, n) => count + 1 + n)),
    knownUs: [],
    unknownUs: [],
    fillUs: (user + system) / count,
  };
}

/** CPU of one call, us. */
function time({ keys, snapshot }, credentials, from, isKnown) {
  const started = process.cpuUsage();
  for (let n = from; n < from + CALLS_PER_ROUND; n++) {
    const verified = keys.authenticate(credentials.text(n), ["api"], 1);
    if ("code" in verified === isKnown) throw new Error("not what was expected");
    if (isKnown && !decide(snapshot.rightOf(verified.key), question, PRESENTED).isAllowed) throw new Error("refused");
  }
  const { user, system } = process.cpuUsage(started);
  return (user + system) / CALLS_PER_ROUND;
}

/** What a use costs with so many keys and with so many more, and the median of the rounds' ratios. */
export async function keyCost(few = 1_000, many = Number(process.env.KEYS ?? 1_000_000)) {
  const sides = [await keysOf(few), await keysOf(many)];
  for (let from = 0; from < USES; from += CALLS_PER_ROUND) {
    for (const side of sides) side.knownUs.push(time(side, side.known, from, true));
    for (const side of sides) side.unknownUs.push(time(side, side.unknown, 0, false));
  }
  const [small, large] = sides;
  const ratioOf = (what) => median(large[what].map((us, round) => us / small[what][round]).slice(WARM_UP));
  return {
    sides: sides.map(({ count, keys, knownUs, unknownUs, fillUs }) => ({
      count,
      knownUs: median(knownUs.slice(WARM_UP)),
      unknownUs: median(unknownUs.slice(WARM_UP)),
      fillUs,
      keyBytes: keys.tableBytes / count,
    })),
    knownRatio: ratioOf("knownUs"),
    unknownRatio: ratioOf("unknownUs"),
  };
}

if (process.argv[1] === new URL(import.meta.url).pathname) {
  const { sides, knownRatio, unknownRatio } = await keyCost();
  console.table([...sides, { count: "ratio", knownUs: knownRatio, unknownUs: unknownRatio }]);
}
