// Caddy as a peer: one static bearer token compared as text, streams passed on unbuffered, HTTP/1.1 on both sides. It is
// a Go program like most gateways for models, and so shows what that runtime costs for the same work.
import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { answers, cpuSeconds, freePort, stop } from "./processes.js";

const settings = (port, upstream, token) => `
{
  admin off
  auto_https off
  servers {
    protocols h1
  }
  log {
    level ERROR
  }
}
http://127.0.0.1:${port} {
  @unknown not header Authorization "Bearer ${token}"
  respond @unknown 401
  reverse_proxy ${upstream} {
    flush_interval -1
    header_up -Authorization
    transport http {
      compression off
      keepalive_idle_conns 256
      keepalive_idle_conns_per_host 256
    }
  }
}
`;

/** Why Caddy cannot be measured here, or null. */
export function caddyMissing() {
  try {
    execFileSync("caddy", ["version"], { stdio: "ignore" });
    return null;
  } catch {
    return "Caddy is not installed (apt-get install caddy; stop the service that comes with it)";
  }
}

/** The token is the gateway's key where both get the same load. */
export async function startCaddy(upstreamUrl, token) {
  const home = mkdtempSync(join(tmpdir(), "sallyport-bench-caddy-"));
  const port = await freePort();
  const file = join(home, "Caddyfile");
  writeFileSync(file, settings(port, new URL(upstreamUrl).host, token));
  const child = spawn("caddy", ["run", "--adapter", "caddyfile", "--config", file], {
    env: { PATH: process.env.PATH, HOME: home, XDG_DATA_HOME: home, XDG_CONFIG_HOME: home },
    stdio: "ignore",
  });
  const url = `http://127.0.0.1:${port}`;
  await answers(child, url);
  return {
    url,
    key: token,
    cpuSeconds: () => cpuSeconds(child.pid),
    async stop() {
      await stop(child);
      rmSync(home, { recursive: true, force: true });
    },
  };
}
