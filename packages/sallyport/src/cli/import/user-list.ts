/** `user:key` lines, as ollama_proxy_server keeps them in `authorized_users.txt`. */
import { SourceFindings } from "./source-read.ts";
import type { SourceRead } from "./source-read.ts";

export function readUserList(text: string): SourceRead {
  const findings = new SourceFindings();
  for (const [at, written] of text.split("\n").entries()) {
    const line = at + 1;
    const entry = written.trim();
    if (entry === "" || entry.startsWith("#")) continue;
    const colon = entry.indexOf(":");
    const user = entry.slice(0, Math.max(0, colon)).trim();
    // The line may be a bare key, so the message does not repeat it.
    if (colon < 0 || user === "" || entry.slice(colon + 1).trim() === "") findings.reject(line, "expected `user:key`");
    else findings.addKey(line, user);
  }
  return findings.result();
}
