// The real gateway over a seeded data directory, with the turn meter loaded into it, and calls of its admin API over the
// Unix socket, where no caller's rate is in the way.
import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { Agent, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ENTRY, stop } from "./processes.js";
import { seed } from "./stalls-seed.js";

const METER = new URL("./turn-meter.js", import.meta.url).pathname;
/**
 * After a start keys are read ahead and the state is checked, in the background and with pauses: at 100,000 keys for half a
 * minute and more. It is over when the process takes hardly any processor time, some looks in a row.
 */
const SETTLED_LOOKS = 4;
const LOOK_MS = 500;
const IDLE_CPU_MS = 10;
const SETTLE_MS_MAX = 300_000;

export async function startSeeded(what) {
  const home = mkdtempSync(join(tmpdir(), "sallyport-stalls-"));
  const data = join(home, "data");
  await seed(data, what);
  const words = ["serve", "--data", data, "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--log", "error"];
  const nodeFlags = (process.env.BENCH_NODE_FLAGS ?? "").split(" ").filter(Boolean);
  const child = spawn(process.execPath, [...nodeFlags, "--import", METER, ENTRY, ...words], {
    stdio: ["ignore", "pipe", "inherit", "ipc"],
  });
  const url = await new Promise((resolve, reject) => {
    child.once("exit", (code) => reject(new Error(`serve ended with ${code}`)));
    child.stdout.on("data", (chunk) => {
      const ready = /^sallyport ready data=(\S+) admin=(\S+)$/m.exec(String(chunk));
      if (ready) resolve(ready[1]);
    });
  });
  const gateway = new SeededGateway(child, url, data, home);
  await gateway.settle();
  return gateway;
}

class SeededGateway {
  #agent;
  #child;
  #home;
  #socket;

  constructor(child, url, data, home) {
    this.#child = child;
    this.#home = home;
    this.url = url;
    this.#socket = join(data, "admin.sock");
    this.#agent = new Agent({ keepAlive: true, maxSockets: 8 });
  }

  /** Waits until the work after a start is over. */
  async settle() {
    const until = performance.now() + SETTLE_MS_MAX;
    for (let quiet = 0; quiet < SETTLED_LOOKS && performance.now() < until;) {
      const before = this.cpuMs();
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
      quiet = this.cpuMs() - before < IDLE_CPU_MS ? quiet + 1 : 0;
    }
  }

  /** Runs the work and answers the longest turn meanwhile, and how many were over the budget. */
  async measure(work) {
    this.#child.send("begin");
    const started = performance.now();
    const isWhole = (await work()) !== "timed out";
    const tookMs = performance.now() - started;
    const seen = await new Promise((resolve) => {
      this.#child.once("message", resolve);
      this.#child.send("read");
    });
    return { ...seen, tookMs, isWhole };
  }

  /** One call. The answer is read whole and, where it is JSON, parsed. Throws for a status that is not awaited. */
  call(method, path, body, timeoutMs = 0) {
    const text = body === undefined ? undefined : JSON.stringify(body);
    const type = path.startsWith("/scim") ? "application/scim+json" : "application/json";
    const headers =
      text === undefined ? {} : { "content-type": type, "content-length": String(Buffer.byteLength(text)) };
    return new Promise((resolve, reject) => {
      const asked = request(
        { socketPath: this.#socket, agent: this.#agent, method, path, headers, timeout: timeoutMs },
        (answer) => {
          const chunks = [];
          answer.on("error", reject);
          answer.on("data", (chunk) => chunks.push(chunk));
          answer.on("end", () => {
            const said = Buffer.concat(chunks).toString();
            if (answer.statusCode >= 300)
              return reject(new Error(`${method} ${path}: ${answer.statusCode} ${said.slice(0, 300)}`));
            resolve(said.startsWith("{") ? JSON.parse(said) : said);
          });
        },
      );
      asked.on("error", reject);
      asked.on("timeout", () => {
        resolve("timed out");
        asked.destroy();
      });
      asked.end(text);
    });
  }

  /** CPU of all threads so far, ms. */
  cpuMs() {
    const tasks = `/proc/${this.#child.pid}/task`;
    const ns = readdirSync(tasks).map((task) => {
      try {
        return Number(readFileSync(`${tasks}/${task}/schedstat`, "utf8").split(" ")[0]);
      } catch {
        // The thread has ended since it was listed.
        return 0;
      }
    });
    return ns.reduce((sum, one) => sum + one, 0) / 1e6;
  }

  async stop() {
    this.#agent.destroy();
    if (this.#child.connected) this.#child.disconnect();
    // A sweep that was given up may hold the way to a clean end for hours.
    const kill = setTimeout(() => this.#child.kill("SIGKILL"), 10_000);
    await stop(this.#child);
    clearTimeout(kill);
    rmSync(this.#home, { recursive: true, force: true });
  }
}
