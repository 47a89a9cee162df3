// A gateway with every layer on, as the bench uses it: a key with limits from three places, the ledger, a policy with roles.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ENTRY, run, serve, stop } from "./processes.js";

export async function startGateway(upstreamUrl, more = []) {
  const home = mkdtempSync(join(tmpdir(), "sallyport-bench-"));
  const data = join(home, "data");
  const policy = join(home, "policy.yaml");
  writeFileSync(
    policy,
    `environments:
  dev:
    upstreams: [{ url: "${upstreamUrl}" }]
    limits: { requests: 10000000/min, concurrency: 100000 }
  prod:
    upstreams: [{ url: "${upstreamUrl}" }]
roles:
  bot:
    allow: [{ do: [infer:chat], on: ["llama3.2", "qwen3:*"] }]
    limits: { requests: 10000000/min, concurrency: 100000 }
    guard: { images: 4 }
`,
  );
  await run(process.execPath, [ENTRY, "init", "--data", data, "--json"]);
  const served = await serve(data, policy, more);
  const words = [
    "keys",
    "create",
    "--data",
    data,
    "--env",
    "dev",
    "--name",
    "bench",
    "--role",
    "bot",
    "--model",
    "*",
    "--json",
  ];
  const { stdout } = await run(process.execPath, [ENTRY, ...words]);
  const { key, id } = JSON.parse(stdout);
  return {
    ...served,
    data,
    key,
    keyId: id,
    async stop() {
      await stop(served.child);
      rmSync(home, { recursive: true, force: true });
    },
  };
}
