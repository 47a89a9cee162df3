/** A gateway whose terminal closes or stops, and whose log nobody reads, goes on serving or ends: it never freezes. */
import { execFileSync, spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { cleanEnv, ENTRY, request } from "./program.ts";

const hasPty = process.platform === "linux" && isInstalled("script");
if (!hasPty) console.warn("skipped: the tests with a real terminal need the command `script` (util-linux)");

const begun: ChildProcess[] = [];
const gateways: number[] = [];
afterEach(() => {
  for (const child of begun.splice(0)) child.kill("SIGKILL");
  for (const pid of gateways.splice(0)) if (isAlive(pid)) process.kill(pid, "SIGKILL");
});

describe.runIf(hasPty)("on a terminal", () => {
  it.each(["serve", "start"])("%s ends when its terminal closes", async (command) => {
    const { terminal, pid, dataUrl } = await onTerminal(command);
    expect((await request("GET", `${dataUrl}/healthz`, "")).status).toBe(200);
    terminal.kill("SIGKILL");
    await gone(pid);
  });

  it("start ends when its terminal closes and no signal says so", async () => {
    // A session of its own gets no signal when the terminal closes.
    const { terminal, pid } = await onTerminal("start", "setsid -w ");
    terminal.kill("SIGKILL");
    await gone(pid);
  });

  it("serves while the terminal is stopped, and SIGTERM ends it", async () => {
    const { terminal, pid, dataUrl } = await onTerminal("serve");
    terminal.kill("SIGSTOP");
    for (let sent = 0; sent < 120; sent++) await request("POST", `${dataUrl}/api/chat`, "sp_wrong", { model: "m" });
    expect((await request("GET", `${dataUrl}/healthz`, "")).status).toBe(200);
    process.kill(pid, "SIGTERM");
    await gone(pid);
  });
});

describe("without a terminal", () => {
  it("serves while nobody reads its log, counts what it drops, and SIGTERM ends it", async () => {
    const data = mkdtempSync(join(tmpdir(), "sallyport-pipe-"));
    const { child, dataUrl } = await piped(data);
    // Standard error is a pipe that is never read: 64 KiB and it is full.
    for (let sent = 0; sent < 400; sent++) await request("GET", `${dataUrl}/api/tags`, `sp_wrong${"x".repeat(300)}`);
    expect((await request("GET", `${dataUrl}/healthz`, "")).status).toBe(200);
    const ended = new Promise((resolve) => child.on("exit", resolve));
    child.kill("SIGTERM");
    expect(await ended).toBe(0);
  });

  it("SIGHUP reloads and does not end it", async () => {
    const data = mkdtempSync(join(tmpdir(), "sallyport-hup-"));
    const { child, dataUrl } = await piped(data, "setsid");
    child.kill("SIGHUP");
    expect((await request("GET", `${dataUrl}/healthz`, "")).status).toBe(200);
    const ended = new Promise((resolve) => child.on("exit", resolve));
    child.kill("SIGTERM");
    expect(await ended).toBe(0);
  });
});

async function onTerminal(command: string, before = "") {
  const data = mkdtempSync(join(tmpdir(), "sallyport-tty-"));
  const line = `${before}${process.execPath} ${ENTRY} ${command} --data ${data} --listen 127.0.0.1:0 --admin-listen 127.0.0.1:0 --log debug`;
  // Ollama is looked for at an address where nothing listens.
  const env = { ...cleanEnv(), OLLAMA_HOST: "127.0.0.1:1" };
  const terminal = spawn("script", ["-qefc", line, "/dev/null"], { env, stdio: ["pipe", "pipe", "ignore"] });
  begun.push(terminal);
  const dataUrl = await readyUrl(terminal);
  const pid = Number(readFileSync(join(data, "lock.pid"), "utf8"));
  gateways.push(pid);
  return { terminal, pid, dataUrl };
}

async function piped(data: string, before?: string) {
  const words = [ENTRY, "serve", "--data", data, "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"];
  const child = spawn(process.execPath, [...words, "--log", "debug"], {
    env: cleanEnv(),
    stdio: ["ignore", "pipe", "pipe"],
    detached: before !== undefined,
  });
  begun.push(child);
  return { child, dataUrl: await readyUrl(child) };
}

function readyUrl(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = "";
    child.stdout?.on("data", (chunk: Buffer) => {
      text += chunk.toString("utf8");
      const ready = /sallyport ready data=(\S+) admin=/.exec(text);
      if (ready) resolve(ready[1]!);
    });
    child.on("exit", () => reject(new Error(`ended: ${text}`)));
  });
}

async function gone(pid: number): Promise<void> {
  await expect.poll(() => isAlive(pid), { timeout: 10_000, interval: 50 }).toBe(false);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    // A stopped parent does not collect a child that has ended.
    return process.platform !== "linux" || !readFileSync(`/proc/${pid}/stat`, "utf8").includes(") Z ");
  } catch {
    return false;
  }
}

function isInstalled(command: string): boolean {
  try {
    execFileSync(command, ["--version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
