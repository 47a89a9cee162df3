// Draws `sallyport top` as a real terminal shows it: `npm run build && node tools/record/top.js` writes docs/images/top.svg.
// Three users share one slow model server; one of them has ten requests at once. Needs tmux.
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { execFileSync } from "node:child_process";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { startModelServer } from "./model-server.js";
import { Terminal } from "./terminal.js";
import { draw } from "./draw.js";

const COLUMNS = 128;
const ROWS = 32;
const FILE = resolve("docs/images/top.svg");
const LABEL =
  "sallyport top in a terminal: models with their slots, each user's share, running and waiting requests, and a budget that is nearly used up";
const SALLYPORT = resolve("packages/sallyport/bin/sallyport.js");

const home = mkdtempSync(join(tmpdir(), "sallyport-top-"));
const models = await startModelServer();
const terminal = new Terminal({ socket: `top-${process.pid}`, columns: COLUMNS, mask: (rows) => rows });
const data = join(home, "data");
const calls = new AbortController();
try {
  symlinkSync(resolve("node_modules"), join(home, "node_modules"));
  writeFileSync(
    join(home, "policy.yaml"),
    `environments:\n  dev:\n    upstreams: [{ id: gpu1, url: "${models.url}", concurrency: 2 }]\n    teams: { research: { weight: 2 } }\n`,
  );
  const sallyport = (...words) =>
    execFileSync(process.execPath, [SALLYPORT, ...words, "--data", data], { encoding: "utf8", cwd: home });
  sallyport("init", "--out", join(home, "recovery"));
  const environment = { HOME: home, PS1: "$ " };
  const server = Object.assign(terminal.open("server", 10, home, environment), { title: "the gateway" });
  await terminal.type(server, `node ${SALLYPORT} serve --data ${data} --listen 127.0.0.1:0 --policy policy.yaml`);
  const [, url] = await terminal.watchFor(server, /"data"\s*:\s*"(http:[^"]+)"/);
  const keys = {};
  for (const [name, team] of [
    ["ada", "research"],
    ["grace", "research"],
    ["linus", null],
  ]) {
    sallyport("people", "create", "--name", name, ...(team === null ? [] : ["--team", team]));
    sallyport("people", "assign", name, "--env", "dev", "--role", "chatbot", "--model", "llama3.2");
    const words = ["keys", "create", "--env", "dev", "--name", `${name}-laptop`, "--owner", name, "--role", "chatbot"];
    const budget = name === "linus" ? ["--output-tokens", "300/day"] : [];
    keys[name] = JSON.parse(sallyport(...words, "--model", "llama3.2", ...budget, "--json")).key;
  }
  const chat = (name, words) =>
    void fetch(`${url}/api/chat`, {
      method: "POST",
      headers: { authorization: `Bearer ${keys[name]}`, "content-type": "application/json" },
      body: JSON.stringify({ model: "llama3.2", messages: [{ role: "user", content: words }] }),
      signal: calls.signal,
    })
      .then((response) => response.text())
      .catch(() => {});
  for (let i = 0; i < 8; i++) for (const name of ["ada", "grace", "linus"]) chat(name, "What is a sallyport?");
  await terminal.watch(9_000);
  for (let i = 0; i < 10; i++) chat("linus", "Tell me a story");
  for (const name of ["ada", "grace"]) chat(name, "Tell me a story");
  await terminal.watch(3_000);
  server.endMs = terminal.nowMs();
  const screen = Object.assign(terminal.open("top", ROWS, home, environment), { title: "an administrator" });
  await terminal.type(screen, `node ${SALLYPORT} top --data ${data}`);
  await terminal.watchFor(screen, /MEAN WAIT/);
  await terminal.watch(2_500);
  // One picture: what the screen showed last.
  const last = screen.samples.at(-1);
  screen.samples = [{ ...last, atMs: 0 }];
  screen.startMs = 0;
  writeFileSync(FILE, draw({ panes: [{ ...screen, endMs: undefined }], columns: COLUMNS, endMs: 1_000, label: LABEL }));
  console.log(terminal.text(screen));
  console.log(FILE);
} catch (error) {
  console.error(error);
  process.exitCode = 1;
} finally {
  calls.abort();
  terminal.close();
  models.close();
  rmSync(home, { recursive: true, force: true });
}
