// What counting usage costs the writer for each record: groups of records are committed in turn by a chain with the
// counters and by one without. The disk is not waited for, because it would hide what is measured. `--groups N`.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { encodeEvent } from "../packages/ledger/dist/index.js";
import { initDataDirectory } from "../packages/sallyport/dist/store/directory/data-directory.js";
import { dataPaths } from "../packages/sallyport/dist/store/disk/data-paths.js";
import { openDatabase } from "../packages/sallyport/dist/store/disk/sqlite.js";
import { LedgerChain } from "../packages/sallyport/dist/store/ledger/ledger-chain.js";
import { openSealer } from "../packages/sallyport/dist/store/secrets/open-sealer.js";
import { openSigner, openSigningKey } from "../packages/sallyport/dist/store/secrets/signing-key.js";
import { RowBinding } from "../packages/sallyport/dist/store/state/row-binding.js";
import { commitGroup } from "../packages/sallyport/dist/store/writer/commit-group.js";
import { UsageCounting } from "../packages/sallyport/dist/store/writer/usage-counting.js";

const { values } = parseArgs({ options: { groups: { type: "string", default: "1500" } } });
const GROUPS = Number(values.groups);
const REQUESTS = 50;
const KEYS = 200;
const home = mkdtempSync(join(tmpdir(), "sallyport-usage-"));

function open(name, isCounting) {
  const directory = join(home, name);
  initDataDirectory(directory);
  const paths = dataPaths(directory);
  const signingKey = openSigningKey(paths, openSealer(directory));
  const database = openDatabase(paths.database, { isReadOnly: false });
  database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; PRAGMA temp_store = MEMORY");
  const usage = new UsageCounting(database, {
    directory: paths.ledger,
    isOpen: () => true,
    trouble: (text) => console.error(text),
  });
  const binding = new RowBinding(database, signingKey);
  const signer = openSigner(paths, signingKey);
  const chain = isCounting
    ? new LedgerChain(database, signer, signingKey, binding, usage)
    : new LedgerChain(database, signer, signingKey, binding);
  return { parts: { database, chain, apply: () => {}, keysOf: () => [] }, usage, cpuMs: 0 };
}

function linesOf(group) {
  return Array.from({ length: REQUESTS }, (_, i) => {
    const n = group * REQUESTS + i;
    const about = { at: 1_795_000_000_000 + n, environment: "system", actor: `key:k${String(n % KEYS).padStart(11, "0")}` };
    const said = { request: `req_${String(n).padStart(16, "0")}`, principal: `p_${n % 50}` };
    const model = `registry.ollama.ai/library/llama${n % 3}:latest`;
    const intent = { ...said, endpoint: "ollama.chat", permissions: ["infer:chat"], model, upstream: "u1", address: "192.0.2.7", client: "curl/8.5.0", is_stream: true, bytes: 412, dropped_fields: [], adjusted: [] };
    const outcome = { ...said, outcome: "served", upstream: "u1", code: null, upstream_status: 200, model, team: "research", input_tokens: 26, output_tokens: 298, is_estimated: false, compute_ms: 4_710, queue_ms: 12, first_byte_ms: 130, total_ms: 4_850, bytes_in: 412, bytes: 18_230 };
    return [encodeEvent({ type: "request.intent", ...about, fields: intent }), encodeEvent({ type: "request.outcome", ...about, fields: outcome })];
  }).flat(); // prettier-ignore
}

try {
  const sides = [open("without", false), open("with", true)];
  const differencesUs = [];
  for (let group = 0; group < GROUPS; group++) {
    const lines = linesOf(group);
    const tookMs = [0, 0];
    // In turns, so that neither always runs on the other's warm caches.
    for (const at of group % 2 === 0 ? [0, 1] : [1, 0]) {
      const side = sides[at];
      const before = process.cpuUsage();
      commitGroup(side.parts, { changes: [], lines, now: Date.now() });
      if (at === 1 && group % 100 === 99) side.usage.write();
      const { user, system } = process.cpuUsage(before);
      tookMs[at] = (user + system) / 1_000;
      side.cpuMs += tookMs[at];
    }
    differencesUs.push(((tookMs[1] - tookMs[0]) * 1_000) / lines.length);
  }
  const settled = differencesUs.slice(100).toSorted((a, b) => a - b);
  const records = GROUPS * REQUESTS * 2;
  const perRecord = ({ cpuMs }) => ((cpuMs * 1_000) / records).toFixed(2);
  console.log(
    JSON.stringify({
      records,
      withoutUs: Number(perRecord(sides[0])),
      withUs: Number(perRecord(sides[1])),
      medianDifferenceUs: Number(settled[Math.floor(settled.length / 2)].toFixed(2)),
      meanDifferenceUs: Number((settled.reduce((sum, one) => sum + one, 0) / settled.length).toFixed(2)),
    }),
  );
} finally {
  rmSync(home, { recursive: true, force: true });
}
