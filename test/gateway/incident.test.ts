/** A leaked key on a running gateway: stopped, told of, proved, replaced. By the command line, as a person does it. */
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openDatabase, verifyPath } from "../program-under-test.ts";
import { sallyport, sallyportJson } from "../program/program.ts";
import { codeOf, startGateway } from "./started-gateway.ts";
import type { IssuedKey, StartedGateway } from "./started-gateway.ts";

const CHAT = { model: "llama3.2", messages: [{ role: "user", content: "hi" }], stream: false };
const NO_PINS = { keys: [], checkpoints: [], witnesses: [] };
const HOME = "192.0.2.7";
const STRANGER = "203.0.113.66";
const HOSTILE = `<img src=x onerror=alert(1)>|"'[x](http://evil.example)`;

interface Opened {
  readonly incidentId: string;
  readonly report: string;
  readonly html: string;
  readonly reportFile: string;
  readonly htmlFile: string;
  readonly folder: string;
  readonly evidence: string[];
  readonly wasOpen: boolean;
}

let gateway: StartedGateway;
let stolen: IssuedKey;
let sibling: IssuedKey;
let other: IssuedKey;
let opened: Opened;

async function chat(key: string, address: string, model = "llama3.2"): Promise<string> {
  const answer = await gateway.post("/api/chat", key, { ...CHAT, model }, { "x-forwarded-for": address });
  const text = await answer.text();
  return answer.ok ? "allowed" : codeOf(text);
}

function cli<T>(...words: string[]): Promise<T> {
  return sallyportJson<T>([...words, "--data", gateway.directory]);
}

beforeAll(async () => {
  gateway = await startGateway({
    moreYaml: `roles:
  chatting: { allow: [{ do: [infer:chat], on: [llama3.2] }] }
assign: [{ group: ml, role: chatting, in: [dev] }]
`,
    settings: { trustedProxies: ["127.0.0.1/32"] },
  });
  const { id: owner } = await gateway.admin<{ id: string }>("POST", "/v1/principals", {
    kind: "person",
    name: HOSTILE,
    groups: ["ml"],
  });
  const wish = { owner, allow: ["infer:chat"], models: ["llama3.2"] };
  stolen = await gateway.issue({ ...wish, name: HOSTILE, limits: { requests: "1000/min" } });
  sibling = await gateway.issue({ ...wish, name: "sibling" });
  other = await gateway.issue({ name: "of another" });
  for (let i = 0; i < 3; i++) expect(await chat(stolen.key, HOME)).toBe("allowed");
  expect(await chat(sibling.key, STRANGER)).toBe("allowed");
  expect(await chat(other.key, STRANGER)).toBe("allowed");
  for (let i = 0; i < 5; i++) expect(await chat(stolen.key, STRANGER)).toBe("allowed");
  expect(await chat(stolen.key, STRANGER, "qwen3")).toBe("model_denied");
  opened = await cli<Opened>("incident", "open", "--key-id", stolen.id, "--reason", "found in a public repository");
}, 60_000);
afterAll(() => gateway.stop());

describe("opening", () => {
  it("stops the key at once, in one change with its records, and once", async () => {
    expect(await chat(stolen.key, HOME)).toBe("key_suspended");
    const key = await gateway.admin("GET", `/v1/keys/${stolen.id}`);
    expect(key).toMatchObject({ state: "suspended", reason: "incident" });
    const again = await cli<Opened>("incident", "open", "--key-id", stolen.id);
    expect(again).toMatchObject({ incidentId: opened.incidentId, wasOpen: true });
    const { records } = await gateway.admin<{ records: { type: string; seq: number }[] }>(
      "GET",
      "/v1/audit?environment=dev&limit=1000",
    );
    const [suspended] = records.filter(({ type }) => type === "key.suspended");
    const openings = records.filter(({ type }) => type === "incident.opened");
    expect(openings).toHaveLength(1);
    expect(suspended!.seq).toBe(openings[0]!.seq + 1);
  });

  it("no other way lets the key work again", async () => {
    await expect(gateway.admin("POST", `/v1/keys/${stolen.id}/resume`)).rejects.toThrow(/409.*incident close/);
    expect(await chat(stolen.key, HOME)).toBe("key_suspended");
  });

  it("counts what was done from where, and what else the addresses used", async () => {
    const path = `/v1/incidents/${opened.incidentId}/radius`;
    const { radius } = await gateway.admin<{ radius: Record<string, never> }>("GET", path);
    expect(radius).toMatchObject({
      requests: { served: 8 },
      addresses: {
        rows: [
          { address: HOME, requests: 3 },
          { address: STRANGER, requests: 5, refused: 1 },
        ],
        others: 0,
      },
      siblings: { rows: [{ id: sibling.id }], more: 0 },
      owner: { name: HOSTILE },
    });
    const { shared, models, codes } = radius as unknown as {
      shared: { rows: { address: string; actor: string }[] };
      models: object;
      codes: { rows: { name: string }[] };
    };
    const seen = shared.rows.map(({ actor, address }) => `${actor} ${address}`);
    expect(seen.toSorted()).toEqual([other.id, sibling.id].map((id) => `key:${id} ${STRANGER}`).toSorted());
    expect(models).toMatchObject({ rows: [{ count: 8 }] });
    expect(codes.rows.map(({ name }) => name)).toContain("model_denied");
  });
});

describe("what is kept", () => {
  it("is readable by nobody else", () => {
    expect(statSync(opened.folder).mode & 0o777).toBe(0o700);
    for (const name of ["incident.json", "report.md", "report.html", "report.json"])
      expect(statSync(join(opened.folder, name)).mode & 0o777).toBe(0o600);
  });

  it("every proof is verified alone, and the evidence whole", async () => {
    const proofs = readdirSync(join(opened.folder, "proofs"));
    expect(proofs.length).toBeGreaterThanOrEqual(6);
    for (const name of proofs)
      expect(await verifyPath(join(opened.folder, "proofs", name), NO_PINS)).toMatchObject({ ok: true, records: 1 });
    expect(opened.evidence).toHaveLength(2);
    for (const folder of opened.evidence) expect(await verifyPath(folder, NO_PINS)).toMatchObject({ ok: true });
    const markdown = readFileSync(opened.reportFile, "utf8");
    expect(markdown).toMatch(/\| key\.suspended \| sallyport audit verify proofs/);
    for (const name of proofs) expect(markdown).toContain(name.replace(".tlog-proof", ""));
  });

  it("the report says it in words, and what is hostile in it stays text", () => {
    const html = readFileSync(opened.htmlFile, "utf8");
    expect(html).toContain("found in a public repository");
    expect(html).toContain(`sallyport keys rotate ${sibling.id}`);
    expect(html).toContain(`sallyport incident open --key-id ${other.id}`);
    expect(html).not.toContain("<img");
    expect(html).not.toMatch(/<script|<link|<iframe|javascript:|<[^>]*\son[a-z]+=/i);
    const markdown = readFileSync(opened.reportFile, "utf8");
    expect(markdown).not.toMatch(/(?<!\\)<img/);
    expect(markdown).not.toMatch(/(?<!\\)\]\(/);
  });

  it("the report's text comes from any machine, made by the server", async () => {
    const elsewhere = { SALLYPORT_ADMIN_URL: gateway.gateway.adminUrl, SALLYPORT_ADMIN_KEY: gateway.adminKey };
    const words = ["incident", "report", opened.incidentId];
    const { stdout, stderr, code } = await sallyport([...words, "--json"], elsewhere);
    expect([code, stderr]).toEqual([0, ""]);
    const said = JSON.parse(stdout) as Opened;
    expect(said.incidentId).toBe(opened.incidentId);
    expect((await sallyport(words, elsewhere)).stdout).toMatch(/^# Incident inc/m);
    expect(said.report).toMatch(/^# Incident inc/);
    expect(said.report).toContain("found in a public repository");
    expect(said.html).toMatch(/^<!doctype html>/i);
    // The file is written again with each report, whose times are of its own minute.
    const title = (text: string): string | undefined => text.split("\n", 1)[0];
    expect(title(readFileSync(opened.reportFile, "utf8"))).toBe(title(opened.report));
  });

  it("an open incident is told by status and doctor, also after a restart", async () => {
    await gateway.restart();
    expect(await cli("status")).toMatchObject({ openIncidents: 1 });
    const { findings } = await gateway.admin<{ findings: { code: string }[] }>("GET", "/v1/findings");
    expect(findings.map(({ code }) => code)).toContain("incident_open");
    expect(await cli("incident", "list")).toMatchObject({ incidents: [{ id: opened.incidentId, state: "open" }] });
  });

  it("is in a backup, and back after a restore", async () => {
    const place = join(gateway.directory, "backups", "of-the-test");
    const restored = join(gateway.directory, "backups", "restored");
    await cli("backup", place, "--plain");
    await sallyportJson(["restore", place, "--data", restored]);
    const name = join("incidents", opened.incidentId);
    for (const file of ["incident.json", "report.html", "evidence/dev/manifest"])
      expect(readFileSync(join(restored, name, file))).toEqual(readFileSync(join(gateway.directory, name, file)));
    expect(readdirSync(join(restored, name, "proofs"))).toEqual(readdirSync(join(opened.folder, "proofs")));
    expect(await verifyPath(join(restored, name, "evidence", "dev"), NO_PINS)).toMatchObject({ ok: true });
  });
});

describe("closing", () => {
  it("revokes the key and makes another of the same right, delivered by a ticket", async () => {
    type Closed = { issued: { id: string; ticket: string; key?: string }; report: string; outcome: string };
    const note = ["--note", "the repository is private"];
    const closed = await cli<Closed>("incident", "close", opened.incidentId, "--reissue", "--deliver", ...note);
    expect(closed).toMatchObject({ outcome: "reissued", reportFile: opened.reportFile });
    expect(closed.issued.key).toBeUndefined();
    expect(closed.issued.ticket).toMatch(/^spt_/);
    expect(await chat(stolen.key, HOME)).toBe("key_revoked");
    type Key = Record<"owner" | "allow" | "models" | "roles" | "networks" | "limits" | "state", unknown>;
    const old = await gateway.admin<Key>("GET", `/v1/keys/${stolen.id}`);
    const next = await gateway.admin<Key>("GET", `/v1/keys/${closed.issued.id}`);
    for (const part of ["owner", "allow", "models", "roles", "networks", "limits"] as const)
      expect(next[part]).toEqual(old[part]);
    expect([old.state, next.state]).toEqual(["revoked", "active"]);
    expect(readFileSync(opened.reportFile, "utf8")).toContain(`key ${closed.issued.id} took its place`);
    const again = await sallyport(["incident", "close", opened.incidentId, "--reissue", "--data", gateway.directory]);
    expect([again.code, again.stderr]).toEqual([1, expect.stringContaining("is closed")]);
  });

  it("what runs is cut, and a false alarm lets the key work again", async () => {
    gateway.upstream().intercept = (_seen, response) => {
      response.writeHead(200, { "content-type": "application/x-ndjson" });
      response.write('{"model":"m","created_at":"x","message":{"role":"assistant","content":"a"},"done":false}\n');
      return true;
    };
    const running = await gateway.post("/api/chat", other.key, { ...CHAT, stream: true });
    const { incidentId } = await cli<Opened>("incident", "open", "--key-id", other.id);
    gateway.upstream().intercept = undefined;
    expect(codeOf((await running.text()).trim().split("\n").at(-1)!)).toBe("key_suspended");
    expect(await chat(other.key, HOME)).toBe("key_suspended");
    await cli("incident", "close", incidentId, "--false-alarm");
    expect(await chat(other.key, HOME)).toBe("allowed");
    expect(await cli("status")).toMatchObject({ openIncidents: 0 });
  });

  it("works without a running server as well", async () => {
    await gateway.gateway.close(200);
    const { incidentId, reportFile } = await cli<Opened>("incident", "open", "--key-id", sibling.id, "--since", "1h");
    expect(existsSync(reportFile)).toBe(true);
    expect(await cli("incident", "close", incidentId)).toMatchObject({ outcome: "revoked", issued: null });
    await gateway.restart();
    expect(await chat(sibling.key, HOME)).toBe("key_revoked");
  });

  it("a ledger that somebody changed is told in the report, and keeps nobody from stopping a key", async () => {
    await gateway.gateway.close(200);
    const database = openDatabase(join(gateway.directory, "sallyport.db"), { isReadOnly: false });
    database.exec("UPDATE ledger SET line = replace(line, 'request.outcome', 'request.outcame') WHERE seq < 30");
    database.close();
    const { report } = await cli<Opened>("incident", "open", "--key-id", other.id);
    expect(report).toMatch(/more: records without a proof: .*the audit log is damaged/);
    expect((await sallyport(["audit", "verify", "--data", gateway.directory])).code).toBe(1);
  });
});
