// Makes a database with the program itself and keeps it in testdata/databases/, with the secrets that belong to it, so
// that later programs can be shown to open it. Run once a schema, by the release that brings it, after a build:
// `node tools/keep-database.js`. What it holds is made for this purpose and used nowhere else.
import { execFileSync } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SCHEMA_VERSION } from "../packages/sallyport/dist/store/disk/schema.js";

const POLICY = `
environments:
  dev: { upstreams: [{ url: "http://127.0.0.1:11434", concurrency: 2 }], limits: { requests: 600/min } }
  prod: { upstreams: [{ url: "http://10.1.0.5:11434" }], keys: { maxAge: 30d } }
roles:
  support-bot:
    allow: [{ do: [infer:chat], on: ["llama3.2", "qwen3:*"] }]
    limits: { requests: 60/min, concurrency: 4 }
    guard: { outputTokens: 2048, images: 4 }
assign: [{ group: ml-team, role: support-bot, in: [dev, prod] }]
`;

const to = join("testdata", "databases", `schema-${SCHEMA_VERSION}`);
if (existsSync(`${to}.db`)) throw new Error(`${to}.db is kept already and must stay as it is`);
const home = mkdtempSync(join(tmpdir(), "sallyport-kept-"));
const data = join(home, "data");
const run = (...words) =>
  JSON.parse(
    execFileSync(process.execPath, ["packages/sallyport/bin/sallyport.js", ...words, "--data", data, "--json"], {
      encoding: "utf8",
      env: { ...process.env, SALLYPORT_LEDGER_RESERVE_BYTES: "0" },
    }),
  );
try {
  writeFileSync(join(home, "policy.yaml"), POLICY);
  const { adminKey } = run("init");
  run("apply", "--yes", "-f", join(home, "policy.yaml"));
  run("people", "create", "--name", "Ada", "--group", "ml-team");
  const key = run("keys", "create", "--env", "dev", "--name", "kept", "--role", "cli", "--model", "llama3.2");
  const ended = run(
    "keys",
    "create",
    "--env",
    "prod",
    "--name",
    "ended",
    "--role",
    "support-bot",
    "--model",
    "llama3.2",
  );
  run("keys", "revoke", ended.id);
  mkdirSync(join("testdata", "databases"), { recursive: true });
  copyFileSync(join(data, "sallyport.db"), `${to}.db`);
  const paths = [
    "secrets/kek",
    "secrets/data-keys.json",
    "secrets/ledger-signing.pem",
    "secrets/peppers.json",
    ...readdirSync(join(data, "secrets", "peppers")).map((name) => `secrets/peppers/${name}`),
    "ledger/public.pem",
  ];
  const files = Object.fromEntries(paths.map((path) => [path, readFileSync(join(data, path), "utf8")]));
  const kept = { madeAt: Date.now(), key: key.key, revoked: ended.key, adminKey, files };
  writeFileSync(`${to}.json`, `${JSON.stringify(kept, null, 2)}\n`);
} finally {
  rmSync(home, { recursive: true, force: true });
}
