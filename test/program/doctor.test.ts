/** `sallyport doctor` as an operator runs it: what is wrong has a stable code and a remedy, and ends with 1. */
import { chmodSync, copyFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { GoUpstream } from "../upstream/go-upstream.ts";
import { sallyport, serve } from "./program.ts";
import type { Serving } from "./program.ts";

interface Finding {
  readonly check: string;
  readonly code: string;
  readonly state: string;
  readonly says: string;
  readonly remedy: string;
}

const upstream = new GoUpstream();
let root: string;
let data: string;
let server: Serving;
beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), "sallyport-doctor-"));
  data = join(root, "data");
  const url = await upstream.listen();
  writeFileSync(
    join(root, "policy.yaml"),
    `environments:\n  dev:\n    upstreams: [{ url: "${url}" }]\n  prod:\n    upstreams: [{ url: "${url}" }]\nassign: [{ group: all, role: chatbot, on: ["*"], in: [prod] }]\n`,
  );
  server = await serve(data, ["--policy", join(root, "policy.yaml")]);
});
afterAll(async () => {
  server.child.kill("SIGTERM");
  await server.ended;
  await upstream.close();
  rmSync(root, { recursive: true, force: true });
});

async function doctor(env: Record<string, string> = {}): Promise<{ code: number | null; findings: Finding[] }> {
  // Port 0, so that a gateway which happens to run on this machine's own port is not taken for the one that is looked at.
  const elsewhere = { SALLYPORT_LISTEN: "127.0.0.1:0", SALLYPORT_ADMIN_LISTEN: "127.0.0.1:0" };
  const { code, stdout } = await sallyport(["doctor", "--data", data, "--json"], { HOME: root, ...elsewhere, ...env });
  const { ok, findings } = JSON.parse(stdout) as { ok: boolean; findings: Finding[] };
  expect(code).toBe(ok ? 0 : 1);
  for (const one of findings) expect([one.code, one.remedy !== ""]).toEqual([one.code, one.state !== "ok"]);
  return { code, findings };
}
const wrong = (findings: readonly Finding[]): string[] =>
  findings.filter(({ state }) => state === "wrong").map(({ code }) => code);

it("tells the mistakes of the running server's policy", { timeout: 60_000 }, async () => {
  const { code, findings } = await doctor();
  expect(code).toBe(1);
  expect(wrong(findings)).toEqual(["environments_share_server", "environments_share_server", "wildcard_in_prod"]);
  for (const named of ["secrets", "kek_beside", "disk", "port_elsewhere", "upstream", "upstream_on_loopback"])
    expect(findings.map((one) => one.code)).toContain(named);
});

it(
  "tells who else could read what is secret, and that a certificate has a wrong key",
  { timeout: 60_000 },
  async () => {
    const kek = join(data, "secrets", "kek");
    chmodSync(kek, 0o644);
    const certificate = join(root, "one.pem");
    const key = join(root, "two-key.pem");
    copyFileSync("testdata/tls/one.pem", certificate);
    copyFileSync("testdata/tls/two-key.pem", key);
    chmodSync(key, 0o640);
    const env = { SALLYPORT_TLS_CERTIFICATE: certificate, SALLYPORT_TLS_KEY: key, OLLAMA_HOST: "0.0.0.0" };
    const { findings } = await doctor(env);
    expect(wrong(findings).slice(0, 4)).toEqual([
      "secrets_open",
      "kek_open",
      "certificate_key_foreign",
      "certificate_key_open",
    ]);
    expect(findings.map(({ code }) => code)).toContain("ollama_host_open");
    chmodSync(kek, 0o600);
  },
);

it("tells what is wrong with the credentials on this machine, without their text", { timeout: 60_000 }, async () => {
  const file = join(root, "credentials.json");
  writeFileSync(file, "{}");
  chmodSync(file, 0o666);
  expect(wrong((await doctor({ SALLYPORT_CREDENTIALS: file })).findings)).toContain("credential_unsafe");
  const people = await sallyport(["doctor", "--data", data], { HOME: root, SALLYPORT_API_KEY: "sp_dev_nonsense" });
  expect(people.stdout).toMatch(/credential +wrong +SALLYPORT_API_KEY holds no whole key/);
  expect(people.stdout).toMatch(/REMEDY FOR +CODE +DO/);
  expect(people.stdout + people.stderr).not.toContain("sp_dev_nonsense");
});
