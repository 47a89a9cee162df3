// A really full disk, again and again: `sudo node bench/full-disk.js [ROUNDS]`, after `npm run build`. The data directory is on
// a file system of 96 MiB; each round fills it while keys are made, revoked and used, then makes room. What was acknowledged
// must be there afterwards, `audit verify` and `audit verify --state` must hold, and a revocation must work while it is full.
import { execFileSync, spawn } from "node:child_process";
import { createServer } from "node:http";
import { mkdirSync, mkdtempSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const ROUNDS = Number(process.argv[2] ?? 20);
const SIZE = "96m";
const program = fileURLToPath(new URL("../packages/sallyport/bin/sallyport.js", import.meta.url));
const mount = mkdtempSync(join(tmpdir(), "full-disk-"));
const data = join(mount, "data");
const cli = (...words) =>
  JSON.parse(execFileSync(process.execPath, [program, ...words, "--json"], { encoding: "utf8" }));

const upstream = createServer((request, response) => {
  request.resume().on("end", () => {
    if (request.url === "/api/tags") return response.end('{"models":[]}');
    response.writeHead(200, { "content-type": "application/json" });
    response.end('{"model":"llama3.2","message":{"role":"assistant","content":"hi"},"done":true}');
  });
});
await new Promise((resolve) => upstream.listen(0, "127.0.0.1", resolve));

execFileSync("mount", ["-t", "tmpfs", "-o", `size=${SIZE}`, "tmpfs", mount]);
let failures = 0;
try {
  mkdirSync(data, { mode: 0o700 });
  rmSync(data, { recursive: true });
  const { adminKey } = cli("init", "--data", data);
  const settings = join(mount, "settings.yaml");
  writeFileSync(settings, "ledger: { reserveBytes: 8388608 }\n");
  const policy = join(mount, "policy.yaml");
  writeFileSync(
    policy,
    `environments:\n  dev: { upstreams: [{ url: "http://127.0.0.1:${upstream.address().port}" }] }\n`,
  );
  const alive = new Map();
  const revoked = new Set();
  for (let round = 0; round < ROUNDS; round++) {
    const { child, dataUrl, adminUrl } = await serve(settings, policy);
    const admin = async (path, body) => {
      const asked = {
        method: "POST",
        headers: { authorization: `Bearer ${adminKey}`, "content-type": "application/json" },
      };
      if (body !== undefined) asked.body = JSON.stringify(body);
      const answer = await fetch(adminUrl + path, asked);
      return { status: answer.status, body: await answer.json().catch(() => ({})) };
    };
    const chat = (key) =>
      fetch(`${dataUrl}/api/chat`, {
        method: "POST",
        headers: { authorization: `Bearer ${key}` },
        body: '{"model":"llama3.2","messages":[{"role":"user","content":"x"}],"stream":false}',
      }).then((answer) => answer.text().then(() => answer.status));
    const filler = join(mount, "filler");
    let refused = 0;
    for (let turn = 0; turn < 400 && refused < 20; turn++) {
      if (turn === 40) fillUp(filler);
      const made = await admin("/v1/keys", {
        environment: "dev",
        name: `k${turn}`,
        allow: ["infer:chat"],
        models: ["llama3.2"],
      });
      if (made.status === 201) alive.set(made.body.id, made.body.key);
      else refused++;
      await chat(alive.values().next().value);
    }
    const victim = [...alive.keys()].find((id) => !revoked.has(id));
    const revocation = await admin(`/v1/keys/${victim}/revoke`);
    const after = await chat(alive.get(victim));
    if (revocation.status === 200) revoked.add(victim);
    const isStopped = revocation.status === 200 && after === 401;
    rmSync(filler, { force: true });
    child.kill("SIGTERM");
    await new Promise((resolve) => child.once("exit", resolve));
    const verified = cli("audit", "verify", "--data", data);
    const state = cli("audit", "verify", "--state", "--data", data);
    const { keys } = cli("keys", "list", "--data", data);
    const states = new Map(keys.map(({ id, state: is }) => [id, is]));
    const lost = [...alive.keys()].filter((id) => (revoked.has(id) ? states.get(id) !== "revoked" : !states.has(id)));
    const isGood = isStopped && verified.ok && state.ok && lost.length === 0 && refused >= 20;
    if (!isGood) failures++;
    console.log(
      `round ${round + 1}: refused ${refused}, revoked while full ${revocation.status}, then ${after}; verify ${verified.ok}, state ${state.ok}, lost ${lost.length}`,
    );
  }
} finally {
  execFileSync("umount", [mount]);
  rmSync(mount, { recursive: true });
  upstream.close();
}
console.log(failures === 0 ? `${ROUNDS} rounds, nothing lost` : `${failures} rounds FAILED`);
process.exit(failures === 0 ? 0 : 1);

function fillUp(path) {
  const { bavail, bsize } = statfsSync(mount);
  try {
    writeFileSync(path, Buffer.alloc(bavail * bsize));
  } catch {
    // Full before all of it was written: so much the better.
  }
}

function serve(settings, policy) {
  const child = spawn(
    process.execPath,
    [
      program,
      "serve",
      "--data",
      data,
      "--settings",
      settings,
      "--policy",
      policy,
      "--listen",
      "127.0.0.1:0",
      "--admin-listen",
      "127.0.0.1:0",
      "--log",
      "silent",
    ],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  return new Promise((resolve, reject) => {
    child.once("exit", (code) => reject(new Error(`serve ended with ${code}`)));
    child.stdout.setEncoding("utf8").on("data", (text) => {
      const found = /data=(\S+) admin=(\S+)/.exec(text);
      if (found) resolve({ child, dataUrl: found[1], adminUrl: found[2] });
    });
  });
}
