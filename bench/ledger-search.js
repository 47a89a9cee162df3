// Searching the ledger by its indexes: RECORDS are written as the gateway writes them, indexed, and searched for what is
// rare, for what is common together with what is rare, and page by page; the same by reading everything beside it.
import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { encodeEvent } from "../packages/ledger/dist/index.js";
import { systemClock } from "../packages/sallyport/dist/kernel/clock.js";
import { initDataDirectory } from "../packages/sallyport/dist/store/directory/data-directory.js";
import { openLedgerReader } from "../packages/sallyport/dist/store/search/ledger-reader.js";
import { openStore } from "../packages/sallyport/dist/store/directory/open-store.js";

const RECORDS = Number(process.env.RECORDS ?? 200_000);
const INDEX_KEY = Buffer.alloc(32, 1);
/** Five records of the rare key; one refusal of the common key with the rare code in a hundred thousand. */
const RARE_EVERY = Math.floor(RECORDS / 5);
const CODE_EVERY = 100_000;
const PAGE = 100;

/** Repeatable, uniform in [0, 1). */
function dice(seed) {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/** 500 keys, used as Zipf says: the first far more than the last. */
function makeEvent() {
  const next = dice(7);
  const zipf = () => Math.floor(500 ** next());
  const begun = Date.now() - RECORDS;
  return (n) => {
    const key = n % RARE_EVERY === 17 ? "RareRareRare" : `K${String(zipf()).padStart(11, "0")}`;
    const isRefused = n % CODE_EVERY === CODE_EVERY - 1;
    return encodeEvent({
      type: isRefused ? "request.refused" : "request.intent",
      at: begun + n,
      environment: n % 10 === 0 ? "dev" : "prod",
      actor: `key:${isRefused ? "K00000000001" : key}`,
      fields: {
        request: `req_${n}`, principal: `p_${zipf()}`, code: isRefused ? "model_denied" : null, endpoint: "ollama.chat",
        model: `registry.ollama.ai/library/m${zipf()}:latest`, upstream: "u1", address: `10.0.${zipf() % 200}.${zipf() % 200}`,
        is_stream: true, bytes: 400,
      },
    }); // prettier-ignore
  };
}

async function timed(work) {
  const started = performance.now();
  const value = await work();
  return { value, ms: performance.now() - started };
}

export async function ledgerSearch() {
  const directory = join(mkdtempSync(join(tmpdir(), "sallyport-search-")), "data");
  try {
    initDataDirectory(directory);
    const store = await openStore({
      directory,
      clock: systemClock,
      ledger: { retentionDays: 365, retentionBytes: 1e12, reserveBytes: 1 << 20 },
    });
    const durable = (ticket) => new Promise((resolve) => store.whenDurable(ticket, resolve));
    const event = makeEvent();
    const writing = await timed(async () => {
      let last;
      for (let n = 0; n < RECORDS;) {
        const ticket = store.append(event(n));
        if (ticket === undefined) await durable(last);
        else {
          last = ticket;
          n++;
        }
      }
      await durable(last);
    });
    await store.close();
    const bytes = (folder) =>
      readdirSync(join(directory, folder)).reduce((sum, name) => sum + statSync(join(directory, folder, name)).size, 0);
    const made = openLedgerReader(directory, INDEX_KEY);
    const indexing = await timed(() => made.care());
    made.close();
    // As after a start: nothing is in memory, and each index is looked at against its segment.
    const reader = openLedgerReader(directory, INDEX_KEY);
    const search = (filter) => timed(() => reader.search({ limit: PAGE, order: "newest", ...filter }));
    const rare = { key: "RareRareRare" };
    const both = { key: "K00000000001", code: "model_denied" };
    const first = await search(rare);
    const again = await search(rare);
    const common = await search(both);
    const network = await search({ address: "10.0.199.0/24", key: "RareRareRare" });
    const page = await search({ key: "K00000000001" });
    const deep = await search({ key: "K00000000001", before: Math.floor(RECORDS / 2) });
    const nothing = await search({ model: "no such model" });
    reader.close();
    const whole = openLedgerReader(directory);
    const scan = await timed(() => whole.search({ limit: PAGE, order: "newest", ...rare }));
    whole.close();
    if (JSON.stringify(scan.value) !== JSON.stringify(again.value) || again.value.length !== 5)
      throw new Error("the index answers otherwise than the ledger");
    if (common.value.length !== Math.min(PAGE, Math.floor(RECORDS / CODE_EVERY)))
      throw new Error("records are missing");
    return {
      records: RECORDS,
      writtenPerSecond: RECORDS / (writing.ms / 1000),
      indexedPerSecond: RECORDS / (indexing.ms / 1000),
      indexShare: bytes("index") / bytes("ledger"),
      rareFirstMs: first.ms,
      rareMs: again.ms,
      commonAndRareMs: common.ms,
      networkMs: network.ms,
      pageMs: page.ms,
      deepPageMs: deep.ms,
      nothingMs: nothing.ms,
      wholeMs: scan.ms,
    };
  } finally {
    rmSync(join(directory, ".."), { recursive: true, force: true });
  }
}

if (process.argv[1] === new URL(import.meta.url).pathname) {
  console.log(await ledgerSearch());
  process.exit(0);
}
