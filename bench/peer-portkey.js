// Portkey's open gateway as a peer: the npm package, in a folder of its own outside the project, told with a header where
// the model server is. It forwards whatever credential it is given and asks nobody whether it is good.
import { execFile, spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { answers, cpuSeconds, freePort, stop } from "./processes.js";

const NAME = "@portkey-ai/gateway";
export const PORTKEY_VERSION = "1.15.2";
const home = join(tmpdir(), `sallyport-bench-portkey-${PORTKEY_VERSION}`);
const folder = join(home, "node_modules", NAME);
const entry = join(folder, "build", "start-server.js");

/** Installs it where it is not yet; why it cannot be had here, or null. */
export async function portkeyMissing() {
  if (isInstalled()) return null;
  mkdirSync(home, { recursive: true });
  writeFileSync(join(home, "package.json"), '{"private":true}\n');
  const words = [
    "install",
    "--ignore-scripts",
    "--no-audit",
    "--no-fund",
    "--save-exact",
    `${NAME}@${PORTKEY_VERSION}`,
  ];
  try {
    await promisify(execFile)("npm", words, { cwd: home });
  } catch {
    return `npm could not install ${NAME}@${PORTKEY_VERSION}`;
  }
  return isInstalled() ? null : `${NAME}@${PORTKEY_VERSION} is not what it was`;
}

function isInstalled() {
  const manifest = join(folder, "package.json");
  return existsSync(entry) && JSON.parse(readFileSync(manifest, "utf8")).version === PORTKEY_VERSION;
}

export async function startPortkey(upstreamUrl) {
  const port = await freePort();
  // Nothing of our environment: no proxy, no host it should call.
  const env = { PATH: process.env.PATH, NODE_ENV: "production" };
  const child = spawn(process.execPath, [entry, "--headless", `--port=${port}`], {
    env,
    stdio: ["ignore", "ignore", "inherit"],
  });
  const url = `http://127.0.0.1:${port}`;
  await answers(child, url);
  return {
    url,
    key: "any",
    more: { "x-portkey-provider": "openai", "x-portkey-custom-host": `${upstreamUrl}/v1` },
    cpuSeconds: () => cpuSeconds(child.pid),
    stop: () => stop(child),
  };
}
