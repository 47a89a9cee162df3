/** A whole gateway for one test file: its own data directory, free ports, a gullible model server behind each environment. */
import { mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { initialize, openGateway, systemClock } from "../program-under-test.ts";
import type { Clock, Gateway, Settings } from "../program-under-test.ts";
import { GoUpstream } from "../upstream/go-upstream.ts";

export interface KeyWish {
  readonly environment?: string;
  readonly name?: string;
  readonly owner?: string;
  readonly roles?: readonly string[];
  readonly allow?: readonly string[];
  readonly models?: readonly string[];
  readonly ttl?: string;
  readonly limits?: object;
  readonly require?: readonly string[];
  readonly decoy?: boolean;
}

export interface IssuedKey {
  readonly id: string;
  readonly key: string;
  readonly environment: string;
  readonly expiresAt: string;
}

export interface RawAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export class StartedGateway {
  readonly directory: string;
  readonly settings: Settings;
  readonly adminKey: string;
  /** One model server an environment. */
  readonly upstreams: Readonly<Record<string, GoUpstream>>;
  gateway: Gateway;
  readonly clock: Clock;

  constructor(
    settings: Settings,
    adminKey: string,
    upstreams: Readonly<Record<string, GoUpstream>>,
    gateway: Gateway,
    clock: Clock,
  ) {
    this.clock = clock;
    this.directory = settings.dataDirectory;
    this.settings = settings;
    this.adminKey = adminKey;
    this.upstreams = upstreams;
    this.gateway = gateway;
  }

  get url(): string {
    return this.gateway.dataUrl;
  }

  upstream(environment = "dev"): GoUpstream {
    return this.upstreams[environment]!;
  }

  /** Calls the admin API with the recovery key; throws what it answers when it is not a success. */
  async admin<T = Record<string, unknown>>(
    method: string,
    path: string,
    body?: object,
    key = this.adminKey,
  ): Promise<T> {
    const answer = await fetch(`${this.gateway.adminUrl}${path}`, {
      method,
      headers: { authorization: `Bearer ${key}`, ...(body ? { "content-type": "application/json" } : {}) },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${answer.status} ${text}`);
    return JSON.parse(text) as T;
  }

  /** What the newest request came to, as soon as it is recorded. */
  async lastOutcome(): Promise<Record<string, unknown>> {
    for (;;) {
      const { records } = await this.admin<{ records: { type: string; fields: Record<string, unknown> }[] }>(
        "GET",
        "/v1/audit?limit=50&order=newest",
      );
      // Each look is a record itself.
      const newest = records.find(({ type }) => type !== "audit.read");
      if (newest?.type === "request.outcome") return newest.fields;
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  issue(wish: KeyWish = {}): Promise<IssuedKey> {
    return this.admin<IssuedKey>("POST", "/v1/keys", {
      environment: "dev",
      name: `test ${Math.random().toString(36).slice(2)}`,
      allow: ["infer:chat", "infer:generate", "infer:embed", "models:list", "models:show"],
      models: ["llama3.2"],
      ...wish,
    });
  }

  apply(text: string): Promise<{ changes: string[] }> {
    return this.admin("POST", "/v1/policy", { text });
  }

  post(path: string, key: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> {
    return fetch(this.url + path, {
      method: "POST",
      headers: { authorization: `Bearer ${key}`, "content-type": "application/json", ...headers },
      body: typeof body === "string" || body instanceof Uint8Array ? (body as string) : JSON.stringify(body),
      redirect: "manual",
    });
  }

  /** Bytes as they are, over a socket of their own. */
  raw(bytes: string | Buffer): Promise<RawAnswer> {
    return rawRequest(this.url, bytes);
  }

  async restart(): Promise<void> {
    await this.gateway.close(1_000);
    this.gateway = await openGateway(this.settings, { clock: this.clock });
  }

  async stop(): Promise<void> {
    await this.gateway.close(200);
    for (const upstream of Object.values(this.upstreams)) await upstream.close();
    rmSync(this.directory, { recursive: true, force: true });
  }
}

export interface StartOptions {
  /** Environments to make, each with its own upstream; default dev. */
  readonly environments?: readonly string[];
  /** YAML added under each environment's entry, two more spaces in. */
  readonly environmentYaml?: string;
  /** YAML after the environments (roles, assign). */
  readonly moreYaml?: string;
  readonly settings?: Partial<Settings>;
  readonly clock?: Clock;
}

export function testSettings(directory: string, more: Partial<Settings> = {}): Settings {
  return {
    dataDirectory: directory,
    keyEncryptionKey: { kind: "file", path: join(directory, "secrets", "kek") },
    listen: { host: "127.0.0.1", port: 0 },
    adminListen: { host: "127.0.0.1", port: 0 },
    tls: null,
    trustedProxies: [],
    proxyHops: 1,
    publicUrl: null,
    hosts: [],
    corsOrigins: [],
    environments: null,
    policyFile: null,
    logLevel: "silent",
    tracing: null,
    notices: null,
    mail: null,
    oidc: null,
    identity: null,
    sinks: [],
    witnesses: [],
    ledger: {
      retentionDays: 365,
      retentionBytes: 1e9,
      reserveBytes: 65_536,
      requestDays: 3_650,
      personalDays: 3_650,
      securityPersonalDays: 3_650,
    },
    inFlightBytesMax: 256 * 1024 * 1024,
    drainMs: 1_000,
    ...more,
  };
}

export async function startGateway(options: StartOptions = {}): Promise<StartedGateway> {
  const settings = testSettings(mkdtempSync(join(tmpdir(), "sallyport-test-")), options.settings);
  const upstreams: Record<string, GoUpstream> = {};
  const { adminKey } = await initialize(settings);
  const clock = options.clock ?? systemClock;
  const gateway = await openGateway(settings, { clock });
  const started = new StartedGateway(settings, adminKey.reveal(), upstreams, gateway, clock);
  let yaml = "environments:\n";
  for (const name of options.environments ?? ["dev"]) {
    const upstream = new GoUpstream();
    upstreams[name] = upstream;
    yaml += `  ${name}:\n    upstreams: [{ url: "${await upstream.listen()}" }]\n${options.environmentYaml ?? ""}`;
  }
  await started.apply(yaml + (options.moreYaml ?? ""));
  return started;
}

export function rawRequest(url: string, bytes: string | Buffer): Promise<RawAnswer> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const socket = connect(Number(port), hostname, () => socket.write(bytes));
    socket.on("data", (chunk: Buffer) => {
      chunks.push(chunk);
      if (isWhole(Buffer.concat(chunks))) socket.destroy();
    });
    socket.on("error", reject);
    socket.on("close", () => resolve(parseAnswer(Buffer.concat(chunks).toString("utf8"))));
  });
}

function isWhole(answer: Buffer): boolean {
  const text = answer.toString("latin1");
  const head = text.indexOf("\r\n\r\n");
  if (/transfer-encoding: chunked/i.test(text)) return text.endsWith("\r\n0\r\n\r\n");
  const length = /content-length: (\d+)/i.exec(text)?.[1];
  return head >= 0 && length !== undefined && text.length >= head + 4 + Number(length);
}

function parseAnswer(text: string): RawAnswer {
  const [head = "", ...rest] = text.split("\r\n\r\n");
  const [line = "", ...fields] = head.split("\r\n");
  const headers = Object.fromEntries(
    fields.map((field) => [
      field.slice(0, field.indexOf(":")).toLowerCase(),
      field.slice(field.indexOf(":") + 1).trim(),
    ]),
  );
  return { status: Number(line.split(" ")[1] ?? 0), headers, body: rest.join("\r\n\r\n") };
}

/** The stable code of a refusal, whatever the dialect's shape. */
export function codeOf(body: string): string {
  const said = JSON.parse(body) as { code?: string; error?: { code?: string } | string };
  return said.code ?? (typeof said.error === "object" ? (said.error.code ?? "") : "");
}
