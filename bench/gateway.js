// A gateway with every layer on, as the bench uses it: a key with limits from three places, the ledger, a policy with roles.
// `program` is the checkout whose built program runs, `execPath` the Node that runs it.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { nodePath } from "./options.js";
import { ENTRY, run, serve, stop } from "./processes.js";

export async function startGateway(upstreamUrl, more = [], { program, execPath = nodePath } = {}) {
  const entry = program === undefined ? ENTRY : join(program, "packages/sallyport/bin/sallyport.js");
  const home = mkdtempSync(join(tmpdir(), "sallyport-bench-"));
  const data = join(home, "data");
  const policy = join(home, "policy.yaml");
  writeFileSync(
    policy,
    `environments:
  dev:
    upstreams: [{ url: "${upstreamUrl}", concurrency: 100000 }]
    limits: { requests: 10000000/min, concurrency: 100000 }
  prod:
    upstreams: [{ url: "${upstreamUrl}", concurrency: 100000 }]
roles:
  bot:
    allow: [{ do: [infer:chat, infer:embed], on: ["llama3.2", "qwen3:*"] }]
    limits: { requests: 10000000/min, concurrency: 100000 }
    guard: { images: 4 }
`,
  );
  await run(execPath, [entry, "init", "--data", data, "--json"]);
  const served = await serve(data, policy, more, { entry, execPath });
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
  const { stdout } = await run(execPath, [entry, ...words]);
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
