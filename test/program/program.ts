/** The built program as a user runs it: a process, its standard output, its exit code. */
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { request as httpRequest } from "node:http";
import { fileURLToPath } from "node:url";

export const ENTRY = fileURLToPath(new URL("../../packages/sallyport/bin/sallyport.js", import.meta.url));

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs one command to its end. */
export function sallyport(
  words: readonly string[],
  env: Readonly<Record<string, string>> = {},
  input = "",
): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [ENTRY, ...words], {
      env: { ...cleanEnv(), ...env },
      stdio: ["pipe", "pipe", "pipe"],
    });
    let stdout = "";
    let stderr = "";
    child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString("utf8")));
    child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString("utf8")));
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, stdout, stderr }));
    child.stdin.end(input);
  });
}

/** Runs a command with `--json` and reads its answer. */
export async function sallyportJson<T>(
  words: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<T> {
  const { code, stdout, stderr } = await sallyport([...words, "--json"], env);
  if (code !== 0) throw new Error(`sallyport ${words.join(" ")}: exit ${code}: ${stderr}${stdout}`);
  return JSON.parse(stdout) as T;
}

export interface Serving {
  readonly child: ChildProcess;
  readonly dataUrl: string;
  readonly adminUrl: string;
  /** Resolves when the process has ended. */
  readonly ended: Promise<Ended>;
}

/** Starts `serve` on free ports and waits for its ready line. */
export function serve(
  data: string,
  more: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): Promise<Serving> {
  const words = ["serve", "--data", data, "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", ...more];
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [ENTRY, ...words], {
      env: { ...cleanEnv(), ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let stdout = "";
    let stderr = "";
    const ended = new Promise<Ended>((done) => child.on("close", (code) => done({ code, stdout, stderr })));
    child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString("utf8")));
    child.stdout.on("data", (chunk: Buffer) => {
      stdout += chunk.toString("utf8");
      const ready = /^sallyport ready data=(\S+) admin=(\S+)$/m.exec(stdout);
      if (ready) resolve({ child, dataUrl: ready[1]!, adminUrl: ready[2]!, ended });
    });
    ended.then(({ code }) => reject(new Error(`serve ended with ${code}: ${stderr}`)), reject);
  });
}

export function cleanEnv(): Record<string, string> {
  return Object.fromEntries(
    Object.entries(process.env).filter(
      ([name, value]) => !/^(?:SALLYPORT_|NO_COLOR$|FORCE_COLOR$|CLICOLOR)/.test(name) && value !== undefined,
    ),
  ) as Record<string, string>;
}

export interface Answered {
  readonly status: number;
  readonly requestId: string;
  readonly text: string;
}

/** One request on a connection of its own: a pool of connections would remember servers that were killed. */
export function request(method: string, url: string, key: string, body?: unknown): Promise<Answered> {
  return new Promise((resolve, reject) => {
    const headers = {
      authorization: `Bearer ${key}`,
      ...(body === undefined ? {} : { "content-type": "application/json" }),
    };
    const sent = httpRequest(url, { method, headers, agent: false }, (answer) => {
      let text = "";
      answer.on("data", (chunk: Buffer) => (text += chunk.toString("utf8")));
      answer.on("error", reject);
      answer.on("end", () =>
        resolve({ status: answer.statusCode ?? 0, requestId: String(answer.headers["x-request-id"] ?? ""), text }),
      );
    });
    sent.on("error", reject);
    sent.end(body === undefined ? undefined : JSON.stringify(body));
  });
}
