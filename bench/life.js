// A gateway's life: start to listening, memory at rest and after much work; revocation to refusal and to a cut stream.
import { startGateway } from "./gateway.js";
import { nodePath } from "./options.js";
import { ask, ENTRY, median, residentMb, run, start, stop } from "./processes.js";

const WORK = Number(process.env.WORK ?? 1_000_000);
const STARTS = 5;
const REVOCATIONS = 40;

export async function startAndMemory(execPath = nodePath) {
  const upstream = await start("./upstream.js");
  const startOne = () => startGateway(upstream.url, ["--log", "error"], { execPath });
  const starts = [];
  let idleMb = 0;
  for (let i = 0; i < STARTS; i++) {
    const gateway = await startOne();
    starts.push(gateway.startSeconds);
    idleMb = residentMb(gateway.child.pid);
    await gateway.stop();
  }
  const { url, key, child, stop: stopGateway } = await startOne();
  const load = await start("./load.js");
  const memory = [];
  for (let part = 0; part < 4; part++) {
    await ask(load.child, { url, key, requests: WORK / 4, connections: 32, bodyBytes: 400, isStream: false });
    memory.push(residentMb(child.pid));
  }
  await stop(load.child);
  await stopGateway();
  await stop(upstream.child);
  return { startSeconds: median(starts), idleMb, memory, requests: WORK };
}

export async function revocations() {
  const upstream = await start("./upstream.js", { FIRST_MS: "0", GAP_MS: "5", CHUNKS: "100000" });
  const gateway = await startGateway(upstream.url, ["--log", "error"]);
  const refused = [];
  const cut = [];
  const words = `keys create --data ${gateway.data} --env dev --role bot --model * --json --name`.split(" ");
  for (let i = 0; i < REVOCATIONS; i++) {
    const { stdout } = await run(process.execPath, [ENTRY, ...words, `k${i}`]);
    const { id, key } = JSON.parse(stdout);
    const times = await revoke(gateway, id, key);
    refused.push(times.refusedMs);
    cut.push(times.cutMs);
  }
  await gateway.stop();
  await stop(upstream.child);
  return {
    refusedMs: median(refused),
    refusedWorstMs: Math.max(...refused),
    cutMs: median(cut),
    cutWorstMs: Math.max(...cut),
  };
}

/** From sending the revocation to its acknowledgement, by when the next request must be refused, and to the end of a running stream. */
async function revoke(gateway, id, key) {
  const headers = { authorization: `Bearer ${key}` };
  const body = '{"model":"llama3.2","messages":[{"role":"user","content":"x"}]}';
  const running = await fetch(`${gateway.url}/api/chat`, { method: "POST", headers, body });
  const reader = running.body.getReader();
  await reader.read();
  const started = performance.now();
  let cutMs = 0;
  const ended = (async () => {
    while (!(await reader.read()).done);
    cutMs = performance.now() - started;
  })();
  const { AdminClient } = await import("../packages/client/dist/index.js");
  const client = new AdminClient({ socketPath: `${gateway.data}/admin.sock` });
  await client.call("keys.revoke", { params: { id } });
  const refusedMs = performance.now() - started;
  const next = await fetch(`${gateway.url}/api/chat`, { method: "POST", headers, body });
  if (next.status !== 401) throw new Error(`not refused: ${next.status}`);
  await ended;
  await client.close();
  return { refusedMs, cutMs };
}

if (process.argv[1] === new URL(import.meta.url).pathname)
  console.log({ ...(await startAndMemory()), ...(await revocations()) });
