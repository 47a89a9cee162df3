// Takes the picture of an incident report for the README: `npm run build && node tools/record/picture.js` writes
// docs/images/incident-report.png. It needs Chromium (SALLYPORT_CHROMIUM, else /usr/bin/chromium). The report is the
// program's; the requests in it are made here.
import { execFile, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { chromium } from "playwright-core";
import { startModelServer } from "./model-server.js";

const FILE = resolve("docs/images/incident-report.png");
const PROGRAM = resolve("packages/sallyport/bin/sallyport.js");
const run = promisify(execFile);

const home = mkdtempSync(join(tmpdir(), "sallyport-picture-"));
const models = await startModelServer();
const env = { ...process.env, HOME: home, OLLAMA_HOST: models.url, SALLYPORT_DATA: join(home, "data") };
const addresses = ["--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"];
const server = spawn(process.execPath, [PROGRAM, "start", ...addresses], { env, stdio: ["ignore", "pipe", "inherit"] });
try {
  const url = await readyUrl(server);
  const created = await sallyport(
    "keys",
    "create",
    "--env",
    "dev",
    "--name",
    "build-bot",
    "--role",
    "cli",
    "--model",
    "llama3.2",
  );
  await useLikeAThief(url, created.key);
  const reason = "found in a public repository";
  const opened = await sallyport("incident", "open", "--key-id", "build-bot", "--reason", reason);
  mkdirSync(resolve("docs/images"), { recursive: true });
  await takePicture(opened.htmlFile);
  console.log(FILE);
} finally {
  const ended = once(server, "exit");
  server.kill("SIGTERM");
  await ended;
  models.close();
  rmSync(home, { recursive: true, force: true });
}

async function sallyport(...words) {
  const { stdout } = await run(process.execPath, [PROGRAM, ...words, "--json"], { env, cwd: home });
  return JSON.parse(stdout);
}

async function readyUrl({ stdout }) {
  let said = "";
  for await (const chunk of stdout.iterator({ destroyOnReturn: false })) {
    said += chunk;
    const found = /data=(\S+)/.exec(said);
    if (found !== null && said.includes("sallyport doctor")) return found[1];
  }
  throw new Error(`the server did not start:\n${said}`);
}

/** Some chats, then what a thief tries: to list, to pull, to delete. */
async function useLikeAThief(url, key) {
  const headers = { authorization: `Bearer ${key}`, "user-agent": "curl/8.14.1" };
  const send = async (path, options) => (await fetch(`${url}${path}`, { headers, ...options })).arrayBuffer();
  const ask = (path, body, method = "POST") => send(path, { method, body: JSON.stringify(body) });
  const messages = [{ role: "user", content: "What is a sallyport?" }];
  for (let count = 0; count < 12; count++) await ask("/api/chat", { model: "llama3.2", messages });
  await send("/api/tags");
  for (const model of ["llama3.2", "qwen3:32b"]) await ask("/api/pull", { model });
  await ask("/api/delete", { model: "llama3.2" }, "DELETE");
  await ask("/api/chat", { model: "gpt-oss:120b-cloud", messages });
}

async function takePicture(file) {
  const executablePath = process.env.SALLYPORT_CHROMIUM ?? "/usr/bin/chromium";
  const args = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync"];
  const browser = await chromium.launch({ executablePath, args });
  try {
    const page = await browser.newPage({ viewport: { width: 960, height: 616 } });
    await page.goto(pathToFileURL(resolve(home, file)).href);
    await page.screenshot({ path: FILE });
  } finally {
    await browser.close();
  }
}
