// Starting the parts of a bench as processes of their own, and reading what CPU and memory the kernel says they took.
import { execFile, execFileSync, fork, spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { createServer } from "node:net";
import { promisify } from "node:util";

const TICKS_PER_SECOND = Number(execFileSync("getconf", ["CLK_TCK"], { encoding: "utf8" }));
const HAS_SCHEDSTAT = existsSync("/proc/self/schedstat");
export const ENTRY = new URL("../packages/sallyport/bin/sallyport.js", import.meta.url).pathname;
export const run = promisify(execFile);

/** A forked file of this folder, and the first message it sends. */
export function start(file, env = {}, execPath = process.execPath) {
  const child = fork(new URL(file, import.meta.url), { env: { ...process.env, ...env }, execPath });
  return new Promise((resolve, reject) => {
    child.once("exit", (code) => reject(new Error(`${file} ended with ${code}`)));
    child.once("message", (first) => resolve({ child, ...first }));
  });
}

/** Asks a forked file something and waits for its answer. */
export function ask(child, question) {
  return new Promise((resolve, reject) => {
    const onExit = (code) => reject(new Error(`ended with ${code}`));
    child.once("exit", onExit);
    child.once("message", (said) => {
      child.off("exit", onExit);
      resolve(said);
    });
    child.send(question);
  });
}

/**
 * CPU seconds of the whole process, all its threads, user and system. In nanoseconds where the kernel keeps them; its
 * ticks of 10 ms elsewhere. What a thread took that has ended meanwhile is only in the ticks.
 */
export function cpuSeconds(pid) {
  if (!HAS_SCHEDSTAT) return tickSeconds(pid);
  let ns = 0;
  for (const task of readdirSync(`/proc/${pid}/task`)) ns += threadNs(pid, task);
  return ns / 1e9;
}

function threadNs(pid, task) {
  try {
    return Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, "utf8").split(" ")[0]);
  } catch {
    return 0;
  }
}

function tickSeconds(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
    .replace(/^.*\) /, "")
    .split(" ");
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

/** Resident memory, MB. */
export function residentMb(pid) {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))[1]) / 1024;
}

/** `sallyport serve` on free ports, from start to its ready line. */
export function serve(data, policy, more = [], { entry = ENTRY, execPath = process.execPath } = {}) {
  const started = performance.now();
  // BENCH_NODE_FLAGS=--cpu-prof profiles the gateway.
  const flags = (process.env.BENCH_NODE_FLAGS ?? "").split(" ").filter(Boolean);
  const words = [
    ...flags,
    entry,
    "serve",
    "--data",
    data,
    "--listen",
    "127.0.0.1:0",
    "--admin-listen",
    "127.0.0.1:0",
    "--policy",
    policy,
    ...more,
  ];
  const child = spawn(execPath, words, { stdio: ["ignore", "pipe", "inherit"] });
  return new Promise((resolve, reject) => {
    child.once("exit", (code) => reject(new Error(`serve ended with ${code}`)));
    child.stdout.on("data", (chunk) => {
      const ready = /^sallyport ready data=(\S+) admin=(\S+)$/m.exec(String(chunk));
      if (ready)
        resolve({ child, url: ready[1], adminUrl: ready[2], startSeconds: (performance.now() - started) / 1000 });
    });
  });
}

/** Of a Node that may be another one than this. */
export async function nodeVersion(execPath) {
  return (await run(execPath, ["--version"])).stdout.trim().slice(1);
}

/** A port nobody listens on, for programs that cannot choose one themselves. */
export function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

/** Waits until something answers at the address, with whatever status. */
export async function answers(child, url) {
  for (let tries = 0; tries < 200; tries++) {
    if (child.exitCode !== null) throw new Error(`${child.spawnfile} ended with ${child.exitCode}`);
    try {
      await (await fetch(url)).arrayBuffer();
      return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
  throw new Error(`${child.spawnfile} does not answer`);
}

export async function stop(child) {
  child.removeAllListeners("exit");
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGTERM");
  await ended;
}

/** The smallest, the middle and the largest of several measurements. */
export function spread(values) {
  return { min: Math.min(...values), median: median(values), max: Math.max(...values) };
}

export function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}
