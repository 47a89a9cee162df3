// How fast recorded decisions are replayed, and what a shadow costs a request. `--json` prints the figures alone;
// `--decisions N` (default 10000000) and `--records N` (of a real audit log on the disk, default 200000).
//   replay: lines of intents as the gateway writes them, read, folded and decided with and without a proposed boundary
//   walk:   the same from a segment on the disk, by the reader of the audit log: all records, of which half are intents
//   shadow: the listener that compares a request with the boundary of its key, beside one of a key without a shadow
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { encodeEvent, recordLine } from "../packages/ledger/dist/index.js";
import { parseModelName } from "../packages/protocol/dist/index.js";
import { defaultEnvironment } from "../packages/sallyport/dist/access/default-environment.js";
import { Rightsizings } from "../packages/sallyport/dist/access/rightsizing/rightsizings.js";
import { compileSnapshot } from "../packages/sallyport/dist/access/snapshot.js";
import { openRightsizing } from "../packages/sallyport/dist/compose/rightsizing.js";
import { systemClock } from "../packages/sallyport/dist/kernel/clock.js";
import { newKey } from "../packages/sallyport/dist/keys/key.js";
import { replayDecisions } from "../packages/sallyport/dist/rightsizing/decision-replay.js";
import { initDataDirectory } from "../packages/sallyport/dist/store/directory/data-directory.js";
import { dataPaths } from "../packages/sallyport/dist/store/disk/data-paths.js";
import { openDatabase } from "../packages/sallyport/dist/store/disk/sqlite.js";
import { LedgerChain } from "../packages/sallyport/dist/store/ledger/ledger-chain.js";
import { segmentName } from "../packages/sallyport/dist/store/ledger/segment-file.js";
import { openLedgerReader } from "../packages/sallyport/dist/store/search/ledger-reader.js";
import { openSealer } from "../packages/sallyport/dist/store/secrets/open-sealer.js";
import { openSigner, openSigningKey } from "../packages/sallyport/dist/store/secrets/signing-key.js";
import { RowBinding } from "../packages/sallyport/dist/store/state/row-binding.js";
import { commitGroup } from "../packages/sallyport/dist/store/writer/commit-group.js";
import { DecisionFold } from "../packages/sallyport/dist/usage/recorded-decisions.js";

const { values } = parseArgs({
  options: {
    json: { type: "boolean", default: false },
    decisions: { type: "string", default: "10000000" },
    records: { type: "string", default: "200000" },
  },
});
const DECISIONS = Number(values.decisions);
const RECORDS = Number(values.records);
const KEYS = 1_000;
/** Different lines: they are read again and again, as text that was not read before. */
const LINES = 50_000;
const BUDGET_S = 60;
const START_MS = 1_795_000_000_000;
const PERMISSIONS = [
  ["infer:chat"],
  ["infer:generate"],
  ["infer:embed"],
  ["models:list"],
  ["infer:generate", "infer:override"],
];
const MODELS = ["llama3.2:latest", "qwen3:8b", "mistral:latest"].map((name) => `registry.ollama.ai/library/${name}`);

const idOf = (n) => `k${String(n % KEYS).padStart(11, "0")}`;

/** The store records an environment that it does not know under `system`. */
function eventsOf(n) {
  const about = { at: START_MS + n, environment: "dev", actor: `key:${idOf(n)}` };
  const permissions = PERMISSIONS[(n >> 3) % PERMISSIONS.length];
  const model = permissions[0] === "models:list" ? null : MODELS[(n >> 5) % MODELS.length];
  const said = { request: `req_${String(n).padStart(16, "0")}`, principal: `p_${n % 50}` };
  const intent = { ...said, endpoint: "ollama.chat", permissions, model, upstream: "u1", address: "192.0.2.7", client: "curl/8.5.0", is_stream: true, bytes: 412, dropped_fields: 0, adjusted: [] }; // prettier-ignore
  const outcome = { ...said, outcome: "served", upstream: "u1", code: null, upstream_status: 200, model, team: "research", input_tokens: 26, output_tokens: 298, is_estimated: false, compute_ms: 4_710, queue_ms: 12, first_byte_ms: 130, total_ms: 4_850, bytes_in: 412, bytes: 18_230 }; // prettier-ignore
  return [
    encodeEvent({ type: "request.intent", ...about, fields: intent }),
    encodeEvent({ type: "request.outcome", ...about, fields: outcome }),
  ];
}

const ceiling = { roles: [], allow: [...new Set(PERMISSIONS.flat()), "models:delete"], models: ["*"] };
const snapshot = compileSnapshot({
  epoch: 1,
  environments: [{ ...defaultEnvironment, name: "dev" }],
  roles: [],
  principals: [{ id: "p", kind: "person", name: "p", team: null, groups: [], isDisabled: false, disabledBy: [], revocations: 0, external: null, createdAt: 0 }],
  assignments: [{ id: "a", subject: { principal: "p" }, environment: "dev", right: ceiling, source: "admin" }],
}); // prettier-ignore
const boundary = [
  { permissions: ["infer:chat", "infer:generate", "infer:override"], models: MODELS },
  { permissions: ["models:list"], models: null },
];

function keyNamed(id) {
  const what = {
    id,
    environment: "dev",
    name: id,
    owner: "p",
    ceiling,
    limits: {},
    admin: null,
    createdAt: 0,
    createdBy: "bench",
  };
  return newKey(what, { hash: new Uint8Array(32), pepperVersion: 1, expiresAt: null });
}

function decideAgain(folded) {
  let [of, wouldDeny] = [0, 0];
  for (const { id, decisions } of folded) {
    const key = keyNamed(id);
    const replayed = replayDecisions(snapshot.rightOf(key), snapshot.rightOf({ ...key, boundary }), decisions);
    of += replayed.of;
    wouldDeny += replayed.wouldDeny;
  }
  return { of, wouldDeny };
}

function names(environment) {
  return Array.from({ length: KEYS }, (_, n) => ({ environment, id: idOf(n) }));
}

function replay() {
  const prev = "0".repeat(64);
  // As bytes: each line becomes a text when it is read, as from a file.
  const lines = Array.from({ length: LINES }, (_, n) => Buffer.from(recordLine(n + 1, prev, eventsOf(n)[0])));
  const fold = new DecisionFold(names("dev"), 0, Infinity);
  const begun = performance.now();
  for (let n = 0; n < DECISIONS; n++) fold.take(lines[n % LINES].toString("latin1"));
  const sums = decideAgain(fold.result());
  return { ...sums, seconds: (performance.now() - begun) / 1_000 };
}

async function walk() {
  const home = mkdtempSync(join(tmpdir(), "sallyport-rightsize-"));
  try {
    initDataDirectory(home);
    const paths = dataPaths(home);
    const signingKey = openSigningKey(paths, openSealer(home));
    const database = openDatabase(paths.database, { isReadOnly: false });
    database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF");
    const chain = new LedgerChain(
      database,
      openSigner(paths, signingKey),
      signingKey,
      new RowBinding(database, signingKey),
    );
    const parts = { database, chain, apply: () => {}, keysOf: () => [] };
    for (let n = 0; n < RECORDS / 2; n += 500) {
      const lines = Array.from({ length: 500 }, (_, i) => eventsOf(n + i)).flat();
      commitGroup(parts, { changes: [], lines, now: Date.now() });
    }
    // As after a rotation: all but the newest record are in a segment.
    const segment = openSync(join(paths.ledger, segmentName(1)), "w");
    for (const { line } of database.prepare("SELECT line FROM ledger WHERE seq < ? ORDER BY seq").iterate(RECORDS))
      writeSync(segment, `${String(line)}\n`);
    closeSync(segment);
    database.prepare("DELETE FROM ledger WHERE seq < ?").run(RECORDS);
    const reader = openLedgerReader(home);
    const begun = performance.now();
    const cpu = process.cpuUsage();
    const { keys } = await reader.decisions({ keys: names("system"), since: 0, until: START_MS * 2 }, () => {});
    const sums = decideAgain(keys);
    const seconds = (performance.now() - begun) / 1_000;
    const { user, system } = process.cpuUsage(cpu);
    reader.close();
    database.close();
    return { records: RECORDS, ...sums, seconds, cpuUsPerRecord: (user + system) / RECORDS };
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

/** Microseconds of the listener for one request, as the smallest of some rounds. */
function shadow() {
  const key = keyNamed("k00000000001");
  const begun = {
    boundary,
    by: "bench",
    at: 0,
    until: Number.MAX_SAFE_INTEGER,
    compared: 0,
    differences: 0,
    examples: [],
    end: null,
  };
  const rightsizings = new Rightsizings(() => [{ environment: "dev", key: key.id, state: "shadow", ...begun }]);
  const core = {
    clock: systemClock,
    rightsizings,
    restrictions: { of: () => [] },
    keys: { find: () => key },
    snapshot: () => snapshot,
    changes: { inTurn: (work) => work(), change: async () => ({ epoch: 1 }) },
  };
  const { listener } = openRightsizing(core, { error: console.error });
  const model = parseModelName("mistral");
  const demands = [{ permission: "infer:chat", model, field: "model" }];
  const exchangeOf = (id) => ({
    key: { ...key, id },
    endpoint: { id: "ollama.chat" },
    id: "req_0000000000000001",
    at: START_MS,
    refusal: null,
    question: { demands },
    demands,
    serialized: { relied: undefined },
    understood: { model },
    ticket: 1,
    isUnrecorded: false,
  });
  const [compared, other] = [exchangeOf(key.id), exchangeOf("k00000000002")];
  const usOf = (exchange) => {
    let least = Infinity;
    for (let round = 0; round < 9; round++) {
      const from = performance.now();
      for (let n = 0; n < 200_000; n++) listener.ended(exchange, "served", 1);
      least = Math.min(least, ((performance.now() - from) * 1_000) / 200_000);
    }
    return least;
  };
  usOf(compared);
  return { comparedUs: usOf(compared), otherUs: usOf(other) };
}

const figures = { shadow: shadow(), replay: replay(), walk: await walk() };
const perTenMillion = (figures.replay.seconds * 10_000_000) / figures.replay.of;
if (values.json) console.log(JSON.stringify({ ...figures, secondsPerTenMillion: perTenMillion, isMet: perTenMillion <= BUDGET_S && figures.shadow.comparedUs <= 2 })); // prettier-ignore
else {
  const { replay: replayed, walk: walked, shadow: costs } = figures;
  console.log(`replayed ${replayed.of} recorded decisions in ${replayed.seconds.toFixed(1)} s; ${replayed.wouldDeny} would be denied (budget: 10,000,000 in ${BUDGET_S} s)`);
  console.log(`from the disk: ${walked.records} records, ${walked.of} decisions in ${walked.seconds.toFixed(2)} s, ${walked.cpuUsPerRecord.toFixed(2)} us of processor time a record`);
  console.log(`shadow: ${costs.comparedUs.toFixed(3)} us a request (budget: 2 us); key without one: ${costs.otherUs.toFixed(3)} us`);
} // prettier-ignore
process.exit(0);
