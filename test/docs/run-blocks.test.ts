/** The guides' shell blocks, run as a user would paste them: only addresses, ids and secrets are replaced. */
import { execFile, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { text } from "node:stream/consumers";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, it } from "vitest";
import { startPractice } from "../program-under-test.ts";
import type { PracticeServer } from "../program-under-test.ts";
import { cleanEnv, ENTRY, sallyportJson, serve } from "../program/program.ts";
import type { Serving } from "../program/program.ts";
import { executedBlocks } from "./executed-blocks.ts";
import { blocksOf } from "./markdown-page.ts";

const run = promisify(execFile);
const hasCurl = spawnSync("curl", ["--version"]).status === 0;
const why = hasCurl ? "" : " (skipped: curl is not here)";

const home = mkdtempSync(join(tmpdir(), "sallyport-blocks-"));
const data = join(home, ".sallyport");
const commands = join(home, "bin");
const env = { ...cleanEnv(), HOME: home, PATH: `${commands}${delimiter}${process.env["PATH"]}` };
let models: PracticeServer;
let gateway: Serving;
/** Printed by earlier blocks; later ones need it. */
const printed = { incident: "", delivery: "" };

beforeAll(async () => {
  models = await startPractice(0);
  mkdirSync(commands);
  const write = (name: string, text: string): void =>
    writeFileSync(join(commands, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  write("sallyport", `exec '${process.execPath}' '${ENTRY}' "$@"`);
  write("npx", 'exec "$@"');
  const curl = spawnSync("/bin/sh", ["-c", "command -v curl"]).stdout.toString().trim();
  // A block whose request the gateway denies must fail.
  write("curl", `exec '${curl}' --silent --show-error --fail-with-body "$@"`);
  writeFileSync(
    join(home, "tokens.conf"),
    'map $http_authorization $app {\n  "Bearer a-token-of-nginx" wiki-bot;\n}\n',
  );
  writeFileSync(join(home, "policy.yaml"), POLICY.replaceAll("UPSTREAM", models.url));
  gateway = await serve(data, ["--policy", join(home, "policy.yaml")]);
});
afterAll(async () => {
  gateway?.child.kill("SIGTERM");
  await gateway?.ended;
  models?.close();
  rmSync(home, { recursive: true, force: true });
});

const POLICY = `environments:
  dev: { upstreams: [{ url: "UPSTREAM", shared: true }] }
  prod: { upstreams: [{ url: "UPSTREAM", shared: true }] }
roles:
  support-bot: { allow: [{ do: [infer:chat], on: [llama3.2] }] }
  night-batch: { allow: [{ do: [infer:generate], on: [llama3.2] }] }
`;

it.skipIf(!hasCurl).each(executedBlocks.map((row, at) => ({ ...row, at })))(
  `$page: $begins${why}`,
  async ({ page, begins, prints, isDenied = false, replace = {}, at }) => {
    const block = blocksOf(page).find(({ text }) => text.startsWith(begins))!;
    const { id, key } = await createKey(`block-${at}`);
    const token = await tokenOf(id, key);
    // A key can rotate itself only from where it was used.
    await fetch(`${gateway.dataUrl}/api/tags`, { headers: { authorization: `Bearer ${token}` } });
    const values: Record<string, string> = {
      ...replace,
      "http://127.0.0.1:11435": gateway.dataUrl,
      "http://127.0.0.1:11436": gateway.adminUrl,
      "https://llm.example.org:11435": gateway.dataUrl,
      "https://llm.example.org": gateway.dataUrl,
      "sp_dev_…": key,
      ...(block.text.includes("spa_…") ? { "spa_…": await createAdminKey(`block-${at}`) } : {}),
      "spt_dev_…": printed.delivery,
      "Bearer eyJ…": `Bearer ${token}`,
      "4fT9wLq2ZbXc": id,
      AbCdEfGhIjKl: id,
      inc_8sQ2mZ0aLw4T: printed.incident,
      ...(block.text.includes("4711") ? { "4711": await revocationRecord() } : {}),
    };
    // Names of keys are unique, and several pages use the same.
    let script = block.text.replace(/ ID\b/g, ` ${id}`).replace(/(keys create .*--name )/g, `$1n${at}-`);
    for (const [from, to] of Object.entries(values)) script = script.replaceAll(from, to);
    const { stdout, stderr } = await run("/bin/sh", [isDenied ? "-uc" : "-euc", script], {
      cwd: home,
      env: { ...env, KEY_ID: id, KEY: key, SALLYPORT_API_KEY: key },
    }).catch((failure: unknown) => {
      const { message, stdout: out } = failure as { message: string; stdout: string };
      throw new Error(`${page}:${block.line}: ${message}\n${out}`);
    });
    expect(stdout + stderr).toMatch(prints);
    printed.incident ||= /inc_[0-9A-Za-z]{12}/.exec(stdout)?.[0] ?? "";
    printed.delivery = /spt_dev_[0-9A-Za-z_]+/.exec(stdout)?.[0] ?? printed.delivery;
  },
);

/** By the socket, as the operating-system user: without the start of another process. */
async function administer<T>(path: string, body: object): Promise<T> {
  return new Promise((resolve, reject) => {
    const headers = { "content-type": "application/json" };
    const sent = request({ socketPath: join(data, "admin.sock"), method: "POST", path, headers }, (answer) => {
      text(answer).then((read) => resolve(JSON.parse(read) as T), reject);
    });
    sent.on("error", reject).end(JSON.stringify(body));
  });
}

function createKey(name: string): Promise<{ id: string; key: string }> {
  const right = { roles: ["cli"], allow: ["self:rotate"], models: ["llama3.2"] };
  return administer("/v1/keys", { environment: "dev", name, ...right, limits: {} });
}

async function createAdminKey(name: string): Promise<string> {
  const body = { name, role: "viewer", environments: ["dev", "prod"] };
  return (await administer<{ key: string }>("/v1/admin-keys", body)).key;
}

async function revocationRecord(): Promise<string> {
  const { records } = await sallyportJson<{ records: { seq: number }[] }>(
    ["audit", "search", "--type", "key.revoked"],
    env,
  );
  return String(records[0]!.seq);
}

async function tokenOf(id: string, key: string): Promise<string> {
  const answer = await fetch(`${gateway.dataUrl}/oauth/token`, {
    method: "POST",
    headers: { authorization: `Basic ${Buffer.from(`${id}:${key}`).toString("base64")}` },
    body: new URLSearchParams({ grant_type: "client_credentials" }),
  });
  return ((await answer.json()) as { access_token: string }).access_token;
}
