/** An identity provider that cannot be used is in the log at start, at each failed log-in, and in `doctor`. */
import { createServer } from "node:http";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, it } from "vitest";
import { sallyport, serve } from "../program/program.ts";
import type { Serving } from "../program/program.ts";
import { closedUrl } from "../upstream/free-port.ts";

interface Report {
  readonly findings: readonly { readonly code: string; readonly says: string }[];
}

let serving: Serving | undefined;
let strange: Server | undefined;
afterEach(async () => {
  serving?.child.kill("SIGKILL");
  await serving?.ended;
  strange?.close();
});

it.each([
  ["nothing listens there", closedUrl, "ECONNREFUSED"],
  ["it is another issuer", otherIssuer, "issuer"],
])("%s", async (_case, makeIssuer, reason) => {
  const issuer = await makeIssuer();
  const data = join(mkdtempSync(join(tmpdir(), "sallyport-oidc-")), "data");
  const settings = join(mkdtempSync(join(tmpdir(), "sallyport-oidc-")), "sallyport.yaml");
  writeFileSync(settings, `oidc: { issuer: "${issuer}", clientId: gateway }\n`);
  serving = await serve(data, ["--settings", settings]);
  let log = "";
  serving.child.stderr!.on("data", (chunk: Buffer) => (log += chunk.toString("utf8")));

  const report = await sallyport(["doctor", "--json", "--data", data, "--settings", settings]);
  const { findings } = JSON.parse(report.stdout) as Report;
  expect(report.code).toBe(1);
  expect(findings.find(({ code }) => code === "issuer_unreachable")?.says).toContain(reason);

  const begun = await fetch(`${serving.dataUrl}/e/dev/oauth/device_authorization`, {
    method: "POST",
    body: new URLSearchParams({ client_id: "sallyport-cli" }),
  });
  const { user_code: code } = (await begun.json()) as { user_code: string };
  await fetch(`${serving.dataUrl}/e/dev/login`, {
    method: "POST",
    body: new URLSearchParams({ user_code: code, answer: "yes" }),
    headers: { origin: serving.dataUrl },
  });
  serving.child.kill("SIGTERM");
  const { stderr } = await serving.ended;
  const lines = stderr.split("\n").filter((line) => line.startsWith("{"));
  const messages = lines.map((line) => JSON.parse(line) as { msg: string; cause?: string });
  const atStart = messages.find(({ msg }) => msg.includes("users cannot log in"));
  expect(atStart?.cause).toContain(reason);
  expect(messages.find(({ msg }) => msg.includes("a log-in failed at the identity provider"))?.cause).toContain(reason);
});

async function otherIssuer(): Promise<string> {
  strange = createServer((_request, response) => {
    response.setHeader("content-type", "application/json");
    response.end(
      JSON.stringify({ issuer: "https://other.example.org", token_endpoint: "https://other.example.org/token" }),
    );
  });
  await new Promise<void>((resolve) => strange!.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(strange.address() as AddressInfo).port}`;
}
