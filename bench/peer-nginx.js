// nginx as a peer: one worker, one static bearer token compared as text, streams passed on unbuffered.
import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { answers, cpuSeconds, freePort, stop } from "./processes.js";

const settings = (port, upstream, token) => `
worker_processes 1;
daemon off;
pid nginx.pid;
error_log stderr error;
events { worker_connections 1024; }
http {
  access_log off;
  map_hash_bucket_size 256;
  client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
  keepalive_requests 1000000;
  map $http_authorization $is_known { default 0; "Bearer ${token}" 1; }
  upstream model { server ${upstream}; keepalive 256; keepalive_requests 1000000; }
  server {
    listen 127.0.0.1:${port};
    location / {
      if ($is_known = 0) { return 401; }
      proxy_pass http://model;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Authorization "";
      proxy_buffering off;
      client_body_buffer_size 64k;
    }
  }
}
`;

/** Why it cannot be had here, or null. */
export function nginxMissing() {
  try {
    execFileSync("nginx", ["-v"], { stdio: "ignore" });
    return null;
  } catch {
    return "nginx is not installed (apt-get install nginx-light)";
  }
}

export async function startNginx(upstreamUrl, token) {
  const home = mkdtempSync(join(tmpdir(), "sallyport-bench-nginx-"));
  const port = await freePort();
  const file = join(home, "nginx.conf");
  writeFileSync(file, settings(port, new URL(upstreamUrl).host, token));
  const child = spawn("nginx", ["-p", home, "-c", file, "-e", "stderr"], { stdio: ["ignore", "ignore", "inherit"] });
  const url = `http://127.0.0.1:${port}`;
  await answers(child, url);
  // The first process only watches: the work is its worker's.
  const workers = readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, "utf8").trim().split(" ");
  return {
    url,
    key: token,
    cpuSeconds: () => workers.reduce((sum, pid) => sum + cpuSeconds(pid), 0),
    async stop() {
      await stop(child);
      rmSync(home, { recursive: true, force: true });
    },
  };
}
