/** Sinks of a whole gateway: from a change to the receiver, over a restart, told in status, findings and metrics. */
import { createServer } from "node:http";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { exportAudit, openGateway } from "../program-under-test.ts";
import type { SinkSettings } from "../program-under-test.ts";
import { startGateway } from "../gateway/started-gateway.ts";
import type { StartedGateway } from "../gateway/started-gateway.ts";
import { mistakesOf } from "../ocsf/validate-body.ts";

let root: string;
let gateway: StartedGateway | undefined;
let server: Server;
let url: string;
let heard: { type: string; subject: string; data: Record<string, unknown> }[];
let status: number;

beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), "sallyport-sinks-"));
  writeFileSync(join(root, "secret"), "a secret of the receiver and ours");
  [heard, status] = [[], 200];
  server = createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (chunk: string) => (body += chunk));
    request.on("end", () => {
      if (status === 200) heard.push(...(JSON.parse(body) as typeof heard));
      response.writeHead(status).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/events`;
});
afterEach(async () => {
  await gateway?.stop();
  gateway = undefined;
  server.closeAllConnections();
  server.close();
  rmSync(root, { recursive: true, force: true });
});

const all = { format: "ocsf", environments: null, classes: null } as const;

function sinks(): SinkSettings[] {
  const secret = { kind: "file", path: join(root, "secret") } as const;
  return [
    {
      ...all,
      name: "siem",
      type: "webhook",
      url,
      secret,
      classes: ["security", "administration"],
      environments: ["dev"],
    },
    {
      ...all,
      name: "disk",
      type: "file",
      format: "jsonl",
      path: join(root, "records.jsonl"),
      rotateBytes: 1e9,
      keep: 1,
    },
  ];
}

interface Line {
  readonly seq: number;
  readonly uid: string;
  readonly type: string;
}

/** Whole lines: the last may be half written at that moment. */
const lines = (): Line[] =>
  existsSync(join(root, "records.jsonl"))
    ? readFileSync(join(root, "records.jsonl"), "utf8")
        .split("\n")
        .slice(0, -1)
        .map((line) => JSON.parse(line) as Line)
    : [];

/** Asks until it is so; each look takes a turn of the network. */
async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  for (const begun = performance.now(); !(await isSo());) {
    if (performance.now() - begun > 20_000) throw new Error("it did not happen");
    await gateway!.admin("GET", "/v1/status");
  }
}

interface Status {
  readonly sinks: { name: string; lagRecords: number; lagSeconds: number; trouble: string | null; sent: number }[];
}

it("records go to each sink by its filter and form, go on after a restart, and secrets to none", async () => {
  gateway = await startGateway({ environments: ["dev", "prod"], settings: { sinks: sinks() } });
  const issued = await gateway.issue();
  await gateway.issue({ environment: "prod" });
  await until(() => heard.some(({ data }) => JSON.stringify(data).includes(issued.id)));
  await until(() => lines().filter(({ type }) => type === "key.issued").length === 2);
  await gateway.restart();
  await gateway.admin("POST", `/v1/keys/${issued.id}/revoke`);
  await until(() => heard.some(({ type }) => type === "sallyport.key.revoked"));
  expect(new Set(heard.map(({ subject }) => subject))).toEqual(new Set(["dev"]));
  for (const { data } of heard) expect(mistakesOf(data)).toEqual([]);
  const seqs = [...new Set(lines().map(({ seq }) => seq))];
  expect(seqs).toEqual(Array.from({ length: seqs.length }, (_, i) => seqs[0]! + i));
  const everything = readFileSync(join(root, "records.jsonl"), "utf8") + JSON.stringify(heard);
  expect(everything).not.toContain(issued.key.slice(-49));
  expect(everything).not.toContain(gateway.adminKey.slice(-49));
  if (process.platform !== "win32") {
    expect(statSync(join(gateway.directory, "sinks")).mode & 0o777).toBe(0o700);
    expect(statSync(join(gateway.directory, "sinks", "disk.json")).mode & 0o777).toBe(0o600);
  }
  const metrics = await (
    await fetch(`${gateway.gateway.adminUrl}/metrics`, { headers: { authorization: `Bearer ${gateway.adminKey}` } })
  ).text();
  expect(metrics).toMatch(/sallyport_sink_sent_total\{sink="siem"\} [1-9]/);
  expect(metrics).toMatch(/sallyport_sink_lag_records\{sink="siem"\} \d+/);
});

it("an export in OCSF has the bodies the sinks sent, by the same uid", async () => {
  gateway = await startGateway({ settings: { sinks: sinks().slice(0, 1) } });
  await gateway.issue();
  await until(() => heard.some(({ type }) => type === "sallyport.key.issued"));
  const out = join(root, "export.ocsf");
  await exportAudit(gateway.settings, { format: "ocsf", out });
  const bodies = readFileSync(out, "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  for (const body of bodies) expect(mistakesOf(body)).toEqual([]);
  for (const { data } of heard) expect(bodies).toContainEqual(data);
});

it("a receiver that is down is told, and holds up neither changes nor the other sink", async () => {
  status = 503;
  gateway = await startGateway({ settings: { sinks: sinks() } });
  const issued = await gateway.issue();
  await until(() => lines().some(({ type }) => type === "key.issued"));
  await until(async () => (await gateway!.admin<Status>("GET", "/v1/status")).sinks[0]!.trouble === "status 503");
  const said = await gateway.admin<Status>("GET", "/v1/status");
  expect(said.sinks[0]).toMatchObject({ name: "siem", sent: 0 });
  expect(said.sinks[0]!.lagRecords).toBeGreaterThan(0);
  status = 200;
  await until(() => heard.some(({ data }) => JSON.stringify(data).includes(issued.id)));
});

it("without its secret, or where an authority cannot be read, the gateway does not start", async () => {
  gateway = await startGateway();
  await gateway.gateway.close(100);
  const [siem] = sinks();
  const missing = { kind: "file", path: join(root, "none") } as const;
  const broken: SinkSettings[][] = [
    [{ ...siem!, type: "webhook", url, secret: missing }],
    [{ ...all, name: "s", type: "syslog", host: "127.0.0.1", port: 1, tls: { caFile: join(root, "none.pem") } }],
  ];
  for (const settings of broken)
    await expect(openGateway({ ...gateway.settings, sinks: settings })).rejects.toMatchObject({
      code: "store_unavailable",
    });
  await gateway.restart();
});

it("a cursor that is damaged is told of and not begun anew: nothing is passed over in silence", async () => {
  gateway = await startGateway();
  await gateway.gateway.close(100);
  mkdirSync(join(gateway.directory, "sinks"), { mode: 0o700 });
  writeFileSync(join(gateway.directory, "sinks", "disk.json"), '{"seq":9');
  Object.assign(gateway.settings, { sinks: sinks().slice(1) });
  await gateway.restart();
  await until(async () => /damaged/.test((await gateway!.admin<Status>("GET", "/v1/status")).sinks[0]!.trouble ?? ""));
  expect(lines()).toEqual([]);
});
