// The ledger alone: records sequenced and committed a second, the latency of one commit, records verified a second.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { encodeEvent } from "../packages/ledger/dist/index.js";
import { systemClock } from "../packages/sallyport/dist/kernel/clock.js";
import { initDataDirectory } from "../packages/sallyport/dist/store/directory/data-directory.js";
import { openLedgerReader } from "../packages/sallyport/dist/store/search/ledger-reader.js";
import { openStore } from "../packages/sallyport/dist/store/directory/open-store.js";

const RECORDS = Number(process.env.RECORDS ?? 200_000);

export async function ledger() {
  const directory = join(mkdtempSync(join(tmpdir(), "sallyport-ledger-")), "data");
  initDataDirectory(directory);
  const store = await openStore({
    directory,
    clock: systemClock,
    ledger: { retentionDays: 365, retentionBytes: 1e12, reserveBytes: 1 << 20 },
  });
  const event = (n) =>
    encodeEvent({
      type: "request.intent", at: Date.now(), environment: "dev", actor: "key:AAAAAAAAAAAA",
      fields: { request: `req_${n}`, principal: "p_AAAAAAAAAAAA", endpoint: "ollama.chat", model: "registry.ollama.ai/library/llama3.2:latest", upstream: "u1", address: "127.0.0.1", is_stream: true, bytes: 400 },
    }); // prettier-ignore
  const durable = (ticket) => new Promise((resolve) => store.whenDurable(ticket, resolve));
  const single = [];
  for (let n = 0; n < 300; n++) {
    const started = performance.now();
    await durable(store.append(event(n)));
    single.push(performance.now() - started);
  }
  const threadMicros = await onTheRequestsThread(store, event, durable);
  const started = performance.now();
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
  const seconds = (performance.now() - started) / 1000;
  await store.close();
  const reader = openLedgerReader(directory);
  const cpu = process.cpuUsage();
  const verdict = await reader.verify();
  const { user, system } = process.cpuUsage(cpu);
  if (!verdict.ok) throw new Error("the ledger does not verify");
  rmSync(directory, { recursive: true, force: true });
  const sorted = single.toSorted((a, b) => a - b);
  return {
    sequencedPerSecond: RECORDS / seconds,
    verifiedPerCpuSecond: verdict.records / ((user + system) / 1e6),
    threadMicrosPerRecord: threadMicros,
    commitP50Ms: sorted[150],
    commitP99Ms: sorted[297],
  };
}

if (process.argv[1] === new URL(import.meta.url).pathname) {
  console.log(await ledger());
  process.exit(0);
}

/** Time of the thread that serves requests, for a record in a group of 16: what the writer's thread does is not in it. */
async function onTheRequestsThread(store, event, durable) {
  const groups = 2_000;
  let before;
  for (let group = 0; group < groups; group++) {
    if (group === groups / 4) before = performance.eventLoopUtilization();
    let ticket;
    for (let n = 0; n < 16; n++) ticket = store.append(event(n));
    await durable(ticket);
  }
  return (performance.eventLoopUtilization(before).active * 1_000) / (groups * 0.75 * 16);
}
