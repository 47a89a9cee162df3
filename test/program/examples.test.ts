/** Each folder of examples/ as it stands, started with the real program: only addresses and paths are replaced. */
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { request as tlsRequest } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it, vi } from "vitest";
import { parse } from "yaml";
import { IdentityProvider } from "../login/identity-provider.ts";
import { loadSettings, readPolicy } from "../program-under-test.ts";
import { GoUpstream } from "../upstream/go-upstream.ts";
import { cleanEnv, ENTRY, request, sallyport, sallyportJson, serve } from "./program.ts";
import type { Serving } from "./program.ts";

const root = join(import.meta.dirname, "../..");
const examples = join(root, "examples");
const CHAT = { model: "llama3.2", messages: [{ role: "user", content: "x" }], stream: false };

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
});

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), "sallyport-example-"));
  ends.push(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

async function upstream(): Promise<GoUpstream & { readonly url: string }> {
  const server = new GoUpstream();
  const url = await server.listen();
  ends.push(() => server.close());
  return Object.assign(server, { url });
}

/** Writes the example's file with other addresses, each of which must be in it. */
function adapted(name: string, file: string, changes: Readonly<Record<string, string>>, into: string): string {
  let text = readFileSync(join(examples, name, file), "utf8");
  for (const [from, to] of Object.entries(changes)) {
    expect(text).toContain(from);
    text = text.replaceAll(from, to);
  }
  writeFileSync(join(into, file), text);
  return join(into, file);
}

interface Changes {
  readonly settings?: Readonly<Record<string, string>>;
  readonly policy: Readonly<Record<string, string>>;
}

/** The data directory must exist; the policy is named by a flag, because the example's path is another machine's. */
async function start(name: string, into: string, { settings = {}, policy }: Changes): Promise<Serving> {
  const settingsFile = adapted(name, "sallyport.yaml", settings, into);
  const policyFile = adapted(name, "policy.yaml", policy, into);
  const serving = await serve(join(into, "data"), ["--settings", settingsFile, "--policy", policyFile]);
  ends.push(async () => {
    serving.child.kill("SIGTERM");
    await serving.ended;
  });
  return serving;
}

async function createKey(into: string, environment: string, name: string, more: readonly string[]): Promise<string> {
  const words = ["keys", "create", "--env", environment, "--name", name, ...more, "--data", join(into, "data")];
  return (await sallyportJson<{ key: string }>(words)).key;
}

/** `scanning` has hooks and CI jobs, and no configuration of a gateway. */
const configurations = readdirSync(examples).filter((name) => name !== "scanning");

describe.each(configurations)("%s", (name) => {
  const textOf = (file: string): string => readFileSync(join(examples, name, file), "utf8");

  it("has settings that the program takes, and a policy", () => {
    const file = join(examples, name, "sallyport.yaml");
    expect(() => loadSettings({ flags: {}, env: {}, file })).not.toThrow();
    expect(readPolicy(parse(textOf("policy.yaml")))).toMatchObject({ ok: true });
  });

  it("has a compose file that mounts both, publishes nothing beyond this machine, and trusts its own network", () => {
    if (!existsSync(join(examples, name, "compose.yaml"))) return;
    const compose = parse(textOf("compose.yaml")) as {
      services: Record<string, { ports?: string[]; volumes: string[]; networks: string[]; read_only?: boolean }>;
      networks: { clients: { ipam: { config: { subnet: string }[] } } };
    };
    const { sallyport: gateway, ollama, ...others } = compose.services;
    expect(gateway!.volumes).toEqual(
      expect.arrayContaining([
        "./sallyport.yaml:/etc/sallyport/sallyport.yaml:ro",
        "./policy.yaml:/etc/sallyport/policy.yaml:ro",
      ]),
    );
    expect([ollama!.ports, ollama!.networks, gateway!.read_only]).toEqual([undefined, ["models"], true]);
    expect(Object.values(others).flatMap((one) => one.networks)).not.toContain("models");
    for (const port of Object.values(compose.services).flatMap((one) => one.ports ?? []))
      expect(port).toMatch(/^127\.0\.0\.1:/);
    const { subnet } = compose.networks.clients.ipam.config[0]!;
    expect((parse(textOf("sallyport.yaml")) as { trustedProxies: string[] }).trustedProxies).toContain(subnet);
  });
});

it("home: three applications with one key each, as the README creates them", async () => {
  const into = folder();
  const server = await upstream();
  const { dataUrl } = await start("home", into, { policy: { "http://ollama:11434": server.url } });
  const created = [...readFileSync(join(examples, "home/README.md"), "utf8").matchAll(/sallyport keys create (.*)$/gm)];
  const keys: Record<string, string> = {};
  for (const [, words] of created) {
    const [, environment, , name, ...more] = words!.replaceAll("'", "").split(/ +/);
    keys[name!] = await createKey(into, environment!, name!, more);
  }
  expect(Object.keys(keys)).toEqual(["chat", "editor", "assistant"]);
  for (const key of Object.values(keys)) {
    expect((await request("POST", `${dataUrl}/api/chat`, key, CHAT)).status).toBe(200);
    expect((await request("POST", `${dataUrl}/api/pull`, key, { model: "x" })).status).toBe(403);
  }
  const other = { ...CHAT, model: "qwen3:8b" };
  expect((await request("POST", `${dataUrl}/api/chat`, keys["chat"]!, other)).status).toBe(200);
  expect((await request("POST", `${dataUrl}/api/chat`, keys["assistant"]!, other)).status).toBe(403);
}, 60_000);

it("team: requests over TLS go to the servers of prod only, and a log-in begins", async () => {
  const into = folder();
  const [one, two, lab] = [await upstream(), await upstream(), await upstream()];
  const provider = new IdentityProvider();
  await provider.listen("https://models.example.org:11435/oidc/callback");
  ends.push(() => provider.close());
  writeFileSync(join(into, "secret"), "the provider's secret for the gateway");
  const { dataUrl } = await start("team", into, {
    settings: {
      "/etc/sallyport/tls/cert.pem": join(root, "testdata/tls/one.pem"),
      "/etc/sallyport/tls/key.pem": join(root, "testdata/tls/one-key.pem"),
      "https://id.example.org/realms/main": provider.url,
      "file:/etc/sallyport/oidc-secret": `file:${join(into, "secret")}`,
      "10.1.0.0/24": "127.0.0.1",
    },
    policy: {
      "http://10.1.0.5:11434": one.url,
      "http://10.1.0.6:11434": two.url,
      "http://10.1.0.7:11434": lab.url,
    },
  });
  expect(dataUrl).toMatch(/^https:/);
  const key = await createKey(into, "prod", "support-bot", [
    "--role",
    "support-bot",
    "--model",
    "llama3.2,qwen3:*",
    "--ttl",
    "30d",
  ]);
  const json = { authorization: `Bearer ${key}`, "content-type": "application/json" };
  for (let count = 0; count < 4; count++)
    expect((await overTls(`${dataUrl}/api/chat`, json, JSON.stringify(CHAT))).status).toBe(200);
  expect([one.models.length > 0 || two.models.length > 0, lab.models.length]).toEqual([true, 0]);
  const form = { "content-type": "application/x-www-form-urlencoded" };
  const login = await overTls(`${dataUrl}/e/prod/oauth/device_authorization`, form, "client_id=sallyport-cli");
  expect([login.status, login.text]).toEqual([200, expect.stringContaining("https://models.example.org:11435/")]);
}, 60_000);

it("audited: records reach the archive and the webhook, and a witness cosigns the log", async () => {
  const into = folder();
  const server = await upstream();
  const heard = await webhook();
  mkdirSync(join(into, "archive"), { mode: 0o700 });
  for (const secret of ["kek", "alarms"])
    writeFileSync(join(into, secret), Buffer.alloc(32, secret).toString("base64"), { mode: 0o600 });
  const kek = { SALLYPORT_KEY_ENCRYPTION_KEY: `file:${join(into, "kek")}` };
  await sallyport(["init", "--json", "--data", join(into, "data")], kek);
  const keys = await sallyport(["audit", "keys", "--data", join(into, "data")], kek);
  writeFileSync(join(into, "keys.txt"), keys.stdout);
  const witness = await startWitness(into);
  const { dataUrl } = await start("audited", into, {
    settings: {
      "file:/run/secrets/kek": `file:${join(into, "kek")}`,
      "file:/run/secrets/alarms": `file:${join(into, "alarms")}`,
      "/var/log/sallyport/records.jsonl": join(into, "archive/records.jsonl"),
      "https://alarms.example.org/sallyport": heard.url,
      "https://witness.example": witness.url,
      "witness.example/w1+7a9bc963+BCHT0a+nYGpkT5uS2BxCeQJVR9hEpxgZKE7zM55vjOOh": witness.key,
    },
    policy: { "http://ollama:11434": server.url },
  });
  const key = await createKey(into, "prod", "wiki", [
    "--role",
    "app",
    "--model",
    "llama3.2,nomic-embed-text",
    "--ttl",
    "30d",
  ]);
  expect((await request("POST", `${dataUrl}/api/chat`, key, CHAT)).status).toBe(200);
  const patience = { timeout: 30_000, interval: 50 };
  await vi.waitFor(() => {
    expect(readFileSync(join(into, "archive/records.jsonl"), "utf8")).toContain("llama3.2");
    expect(heard.texts.join("")).toContain("key.issued");
    expect(existsSync(join(into, "data/ledger/witnessed"))).toBe(true);
    expect(readdirSync(join(into, "data/ledger/witnessed")).length).toBeGreaterThan(0);
  }, patience);
}, 90_000);

async function webhook(): Promise<{ readonly url: string; readonly texts: string[] }> {
  const texts: string[] = [];
  const server = createServer((asked, answer) => {
    let text = "";
    asked.on("data", (chunk: Buffer) => (text += chunk.toString("utf8")));
    asked.on("end", () => {
      texts.push(text);
      answer.writeHead(204).end();
    });
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  ends.push(() => (server.closeAllConnections(), server.close()));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/sallyport`, texts };
}

function startWitness(into: string): Promise<{ readonly url: string; readonly key: string }> {
  const words = ["audit", "witness", "--name", "witness.example/w1", "--dir", join(into, "witness"), "--json"];
  const more = ["--log", join(into, "keys.txt"), "--listen", "127.0.0.1:0"];
  const child = spawn(process.execPath, [ENTRY, ...words, ...more], {
    env: cleanEnv(),
    stdio: ["ignore", "pipe", "ignore"],
  });
  ends.push(() => child.kill("SIGTERM"));
  return new Promise((resolve, reject) => {
    child.stdout.on("data", (line: Buffer) =>
      resolve(JSON.parse(line.toString("utf8")) as { url: string; key: string }),
    );
    child.on("close", (code) => reject(new Error(`the witness ended with ${code}`)));
  });
}

function overTls(
  url: string,
  headers: Record<string, string>,
  body: string,
): Promise<{ status: number; text: string }> {
  const ca = readFileSync(join(root, "testdata/tls/one.pem"));
  return new Promise((resolve, reject) => {
    const sent = tlsRequest(
      url,
      {
        method: "POST",
        headers: { ...headers, host: "models.example.org" },
        ca,
        servername: "localhost",
        agent: false,
      },
      (answer) => {
        let text = "";
        answer.on("data", (chunk: Buffer) => (text += chunk.toString("utf8")));
        answer.on("end", () => resolve({ status: answer.statusCode ?? 0, text }));
      },
    );
    sent.on("error", reject);
    sent.end(body);
  });
}
