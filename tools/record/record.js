// Records the first minute for the README: `npm run build && node tools/record/record.js` writes
// docs/images/first-minute.svg. It runs the built program in a temporary home, so it needs tmux, curl and jq, and the
// default ports. Keys are masked; they open nothing once the folder is deleted.
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { startModelServer } from "./model-server.js";
import { Terminal } from "./terminal.js";
import { draw } from "./draw.js";

const COLUMNS = 112;
const FILE = resolve("docs/images/first-minute.svg");
const LABEL =
  "Terminal recording: sallyport start creates a key; the key chats but may not pull a model; revoking it aborts its running request";

const home = mkdtempSync(join(tmpdir(), "sallyport-recording-"));
const secrets = [];
const models = await startModelServer();
const terminal = new Terminal({ socket: `recording-${process.pid}`, columns: COLUMNS, mask });
try {
  symlinkSync(resolve("node_modules"), join(home, "node_modules"));
  const environment = { HOME: home, OLLAMA_HOST: models.url, PS1: "$ ", npm_config_update_notifier: "false" };

  const server = pane("the machine with Ollama", "server", 24, environment);
  await terminal.watch(300);
  await terminal.type(server, "npx sallyport start");
  const [key] = await terminal.watchFor(server, /sp_\w{20,}/);
  secrets.push(key);
  await terminal.watch(2_500);
  server.endMs = terminal.nowMs();

  const app = pane("an application", "app", 12, { ...environment, KEY: key, API: "http://127.0.0.1:11435/api" });
  const admin = pane("an administrator", "admin", 16, environment);
  await terminal.watch(300);
  const ask = (words) =>
    `curl -sSN $API/chat -H "Authorization: Bearer $KEY" -d '{"model":"llama3.2","messages":[{"role":"user","content":"${words}"}]}'`;
  await terminal.type(app, `${ask("What is a sallyport?")} | jq -j .message.content; echo`);
  await terminal.watchFor(app, /way in or out\./);
  await terminal.watch(400);
  await terminal.type(
    app,
    `curl -s $API/pull -H "Authorization: Bearer $KEY" -d '{"model":"llama3.2"}' | jq .error,.code`,
  );
  await terminal.watchFor(app, /permission_denied/);
  await terminal.watch(1_000);
  await terminal.type(admin, "npx sallyport keys list");
  const [, id] = await terminal.watchFor(admin, /\n(\w+) +dev +first/);
  await terminal.watch(600);
  await terminal.type(app, `${ask("Tell me a story")} | jq -j '.message.content // .error'; echo`);
  await terminal.watchFor(app, /Once there was/);
  await terminal.type(admin, `npx sallyport keys revoke ${id}`);
  await terminal.watchFor(admin, /Revoked key/);
  await terminal.watchFor(app, /revoked/);
  await terminal.watch(2_500);
  mkdirSync(dirname(FILE), { recursive: true });
  writeFileSync(FILE, draw({ panes: terminal.panes, columns: COLUMNS, endMs: terminal.nowMs(), label: LABEL }));
  console.log(FILE);
} catch (error) {
  console.error(error);
  process.exitCode = 1;
} finally {
  if (terminal.panes.length > 0) await terminal.interrupt(terminal.panes[0]);
  terminal.close();
  models.close();
  rmSync(home, { recursive: true, force: true });
}

function pane(title, name, rows, environment) {
  return Object.assign(terminal.open(name, rows, home, environment), { title });
}

/** Hides all of a key but its beginning, on one row or at the ends of two. */
function mask(rows) {
  const found = rows.join("\n").match(/sp_\w{20,}/g) ?? [];
  let text = rows.join("\n");
  for (const secret of new Set([...secrets, ...found]))
    for (let length = secret.length; length >= 12; length--)
      for (const part of [secret.slice(0, length), secret.slice(-length)])
        text = text.replaceAll(
          part,
          part.startsWith("sp_") ? part.slice(0, 11) + "•".repeat(length - 11) : "•".repeat(length),
        );
  return text.split("\n");
}
