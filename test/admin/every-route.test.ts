/** Every row of the contract: 401 without a credential, 403 without the permission, 403 in another environment. */
import { readFileSync } from "node:fs";
import { isRefusal } from "@sallyport/protocol";
import { beforeEach, describe, expect, it } from "vitest";
import { AdminClient } from "@sallyport/client";
import { contract } from "@sallyport/contract";
import type { ContractRow, RouteName } from "@sallyport/contract";
import { beginRotation, eventTypes, everything, noteFirstUse } from "../program-under-test.ts";
import type { AdminRight, KeyRecord } from "../program-under-test.ts";
import { REVIEW_ID, storedLine, storedReview } from "../review-rows.ts";
import { DAY_MS, MemoryGateway, POLICY, START_MS } from "./memory-ports.ts";

const routes = Object.keys(contract) as RouteName[];
let gateway: MemoryGateway;
/** Ids in prod that paths and bodies name. */
let known: { key: string; principal: string; assignment: string; adminKey: string };

interface Said {
  readonly status: number;
  readonly code: string | undefined;
  readonly headers: Headers;
  readonly body: Record<string, unknown>;
}

beforeEach(async () => {
  gateway = new MemoryGateway();
  const client = new AdminClient({
    handle: (request) => gateway.app.handle(request, { kind: "socket", user: "root" }),
  });
  await client.call("policy.apply", { body: { text: POLICY } });
  const key = await client.call("keys.create", {
    body: { environment: "prod", name: "k", roles: ["bot"], models: ["llama3.2"] },
  });
  const { assignments } = await client.call("assignments.list", {
    query: { environment: "prod", principal: key.owner },
  });
  const admin = await client.call("adminKeys.create", { body: { name: "a", role: "admin", environments: ["prod"] } });
  known = { key: key.id, principal: key.owner, assignment: assignments[0]!.id, adminKey: admin.id };
  gateway.events.length = 0;
});

function requestOf(name: RouteName): { path: string; init: RequestInit } {
  const row: ContractRow = contract[name];
  const id = name.startsWith("keys.")
    ? known.key
    : name.startsWith("principals.")
      ? known.principal
      : name.startsWith("adminKeys.")
        ? known.adminKey
        : known.assignment;
  const path = row.path
    .replace("incidents/:id", `incidents/${INCIDENT.id}`)
    .replace("reviews/:id", `reviews/${REVIEW_ID}`)
    .replace(":line", "1")
    .replace(":seq", "1")
    .replace(":id", id)
    .replace(":name", name.startsWith("roles.") ? "bot" : "prod")
    .replace(":upstream", "u1");
  const bodies: Partial<Record<RouteName, object>> = {
    "keys.create": { environment: "prod", name: "n", roles: ["bot"], models: ["llama3.2"] },
    "keys.rotate": { grace: "1d" },
    "anomalies.answer": { alert: `prod/${known.key}/flood/1`, verdict: "false_alarm" },
    "leaks.report": { keyId: known.key, url: "https://example.org/paste" },
    "incidents.open": { keyId: known.key, reason: "x" },
    "incidents.close": { outcome: "reissue", note: "x" },
    "keys.sweep": { dryRun: false },
    "keys.factors": { networks: ["10.0.0.0/8"], require: ["signature"] },
    "keys.addSigner": { use: "request", hmac: true },
    "keys.removeSigner": { signer: "hmac-x" },
    "keys.addWorkload": { template: "github", audience: "a", claims: { repository_id: "1", repository_owner_id: "2" } },
    "keys.removeWorkload": { workload: "w" },
    "adminKeys.create": { name: "n", role: "viewer", environments: ["prod"] },
    "principals.create": { kind: "person", name: "n", groups: ["ops"] },
    "assignments.create": { subject: { group: "g" }, environment: "prod", roles: ["bot"] },
    "upstreams.drain": {},
    "upstreams.setTls": { ca: readFileSync("testdata/tls/one.pem", "utf8") },
    "upstreams.setCredential": { credential: "token-abc123" },
    "policy.plan": { text: POLICY.replace("30d", "20d") },
    "policy.apply": { text: POLICY.replace("30d", "20d") },
    "findings.accept": { ...FINDING, until: new Date(START_MS + DAY_MS).toISOString(), reason: "x" },
    "findings.reopen": FINDING,
    "rightsizing.plan": { environment: "prod" },
    "rightsizing.shadow": { keyId: known.key, for: "7d" },
    "rightsizing.apply": { keyId: known.key, guard: "32d" },
    "rightsizing.stop": { keyId: known.key },
    "reviews.start": { environment: "prod" },
    "reviews.decide": { decision: "revoke", reason: "x" },
    "reviews.delegate": { lines: [1], to: "os:ada" },
    "reviews.restore": { reason: "x" },
    "reviews.report": { manifest: "0".repeat(64) },
    explainToken: { keyId: known.key, allow: ["infer:chat"], isBound: true },
    explain: { keyId: known.key, method: "POST", path: "/api/chat", model: "llama3.2" },
  };
  const body = bodies[name];
  const init = body
    ? { method: row.method, body: JSON.stringify(body), headers: { "content-type": "application/json" } }
    : { method: row.method };
  return { path, init };
}

async function call(name: RouteName, right: AdminRight | null, suffix = ""): Promise<Said> {
  const { path, init } = requestOf(name);
  const request = new Request(`http://localhost${path}${suffix}`, init);
  if (right) request.headers.set("authorization", `Bearer ${gateway.adminKey(right, null)}`);
  const response = await gateway.app.handle(request, { kind: "tcp" });
  const body = (await response.json()) as Record<string, unknown>;
  return { status: response.status, code: body["code"] as string | undefined, headers: response.headers, body };
}

const FINDING = { code: "no_limits_in_prod", environment: "prod", subject: "environment:prod" } as const;

function anAcceptance(): void {
  const id = `${FINDING.environment}/${FINDING.code}/${FINDING.subject}`;
  const acceptance = { until: gateway.nowMs + DAY_MS, reason: "x", by: "x", at: 0 };
  gateway.findings.set(id, { ...FINDING, id, firstSeenAt: 0, fixedAt: null, acceptance });
}

const RECORD = { seq: 1, at: 0, environment: "prod", type: "key.issued", actor: "x", fields: {} } as const;

function aRequest(): void {
  const request = { key: known.key, keyName: "k", owner: null, endpoint: "chat", model: "llama3.2" };
  gateway.running.set(known.assignment, { environment: "prod", ...request, end: () => true } as never);
}

function aShadow(): void {
  const shadow = { state: "shadow", boundary: [], by: "x", at: 0, until: gateway.nowMs + DAY_MS } as const;
  const counted = { compared: 0, differences: 0, examples: [], end: null };
  gateway.rightsizings.set(`prod/${known.key}`, { environment: "prod", key: known.key, ...shadow, ...counted });
}

const HMAC_SIGNER = { id: "hmac-x", use: "request", algorithm: "hmac-sha256", material: "1", createdAt: 0, createdBy: "x" } as const; // prettier-ignore

const WORKLOAD = { id: "w", issuer: "https://i.example", audience: "a", claims: { sub: "s" }, jwks: null, createdAt: 0, createdBy: "x" } as const; // prettier-ignore

/** The principal is a person, who has been invited. */
function aPerson(): void {
  const principals = gateway.state.principals.map((one) => ({ ...one, kind: "person" as const }));
  gateway.state = { ...gateway.state, principals };
  const login = {
    principal: known.principal,
    invitation: null,
    sealed: null,
    otpStep: 0,
    invitedAt: 0,
    enrolledAt: null,
  };
  gateway.localLogins.set(known.principal, login);
  gateway.ports.localLogins.rebuild();
}

const INCIDENT = { id: "inc_0123456789ab", environment: "prod", keyName: "k", owner: null, since: 0, reason: null, openedAt: 0, openedBy: "x", closed: null } as const; // prettier-ignore

function anIncident(): void {
  gateway.incidents.set(INCIDENT.id, { ...INCIDENT, key: known.key });
}

const SUSPENDED = { what: "suspended", at: 0, says: "x", undo: null } as const;

/** A review of the key, in the state that the route asks for. */
function aReview(name: RouteName): void {
  const isClosed = ["reviews.restore", "reviews.export", "reviews.records", "reviews.report"].includes(name);
  const dueAt = name === "reviews.close" ? 1 : START_MS + DAY_MS;
  const outcome = name === "reviews.restore" ? SUSPENDED : null;
  const state = isClosed ? "closed" : "open";
  gateway.reviewTable.set(REVIEW_ID, storedReview({ environment: "prod", state, dueAt }));
  const line = storedLine({ status: isClosed ? "ended" : "open", outcome }, `key:${known.key}`);
  gateway.reviewLines.set(`${REVIEW_ID}/1`, line);
  gateway.reviews.rebuild();
}

/** The key as it is after the first use of a new secret. */
function overlapping(key: KeyRecord): KeyRecord {
  const at = gateway.nowMs;
  const secret = { hash: Buffer.alloc(32), pepperVersion: 1, expiresAt: null };
  const begun = beginRotation(key, { by: "x", at, graceMs: 9e6, capMs: 9e6, secret, sealed: null });
  if (isRefusal(begun)) throw new Error(begun.code);
  return noteFirstUse(begun, 2, at);
}

describe.each(routes)("%s", (name) => {
  const row: ContractRow = contract[name];

  it("is 401 without a credential, and recorded", async () => {
    const said = await call(name, null);
    expect(said).toMatchObject({ status: 401, code: "credential_missing" });
    expect(said.headers.get("content-type")).toMatch(/^application\/problem\+json/);
    expect(gateway.events.map(({ type }) => type)).toEqual(["admin.refused"]);
  });

  it("is 403 without its permission, even with a body nobody reads", async () => {
    const permissions = everything.permissions.filter((permission) => permission !== row.permission);
    const said = await call(name, { ...everything, permissions });
    expect(said).toMatchObject({ status: 403, code: "permission_denied" });
    expect(gateway.events.map(({ type }) => type)).toEqual(["admin.refused"]);
  });

  it("answers with its permission, in the contract's shape, uncached, with its events and no secret in them", async () => {
    if (row.caller === "socket") {
      expect(await call(name, everything)).toMatchObject({ status: 403, code: "permission_denied" });
      return;
    }
    if (name === "principals.enable")
      gateway.state = {
        ...gateway.state,
        principals: gateway.state.principals.map((one) => ({
          ...one,
          isDisabled: true,
          disabledBy: ["admin" as const],
        })),
      };
    if (name === "principals.invite" || name === "principals.uninvite") aPerson();
    if (name === "keys.resume")
      gateway.stored.set(`prod/${known.key}`, { ...gateway.stored.get(`prod/${known.key}`)!, state: "suspended" });
    const held = gateway.stored.get(`prod/${known.key}`)!;
    if (name === "keys.sweep") gateway.stored.set(`prod/${known.key}`, { ...held, idleSince: 0 });
    if (name === "keys.finish") gateway.stored.set(`prod/${known.key}`, overlapping(held));
    if (name === "keys.removeSigner") gateway.stored.set(`prod/${known.key}`, { ...held, signers: [HMAC_SIGNER] });
    if (name === "keys.removeWorkload") gateway.stored.set(`prod/${known.key}`, { ...held, workloads: [WORKLOAD] });
    if (name === "keys.makePathSecret") {
      gateway.stored.set(`prod/${known.key}`, { ...held, networks: ["10.0.0.0/8"] });
      const environments = gateway.state.environments.map((one) => ({ ...one, pathSecrets: "allow" as const }));
      gateway.state = { ...gateway.state, environments };
    }
    if (name === "upstreams.setTls") {
      const upstreams = [{ id: "u1", url: "https://10.0.0.1:11434" }];
      const environments = gateway.state.environments.map((one) => ({ ...one, upstreams }));
      gateway.state = { ...gateway.state, environments };
    }
    if (name === "findings.reopen") anAcceptance();
    if (name === "rightsizing.stop") aShadow();
    if (name === "requests.end") aRequest();
    if (name === "audit.proof") gateway.records.push(RECORD);
    if (name.startsWith("reviews.") && name !== "reviews.start") aReview(name);
    if (name === "reviews.restore")
      gateway.stored.set(`prod/${known.key}`, { ...held, state: "suspended", reason: "access_review" });
    if (["incidents.radius", "incidents.report", "incidents.close"].includes(name)) anIncident();
    gateway.ports.keys.apply([{ of: "key", environment: "prod", id: known.key, now: undefined }]);
    const said = await call(name, everything);
    expect(gateway.faults).toEqual([]);
    expect(said.status).toBe(row.status);
    expect(said.headers.get("cache-control")).toBe("no-store");
    expect(row.answer.safeParse(said.body).success).toBe(true);
    for (const { type } of gateway.events) expect(row.events).toContain(type);
    for (const type of row.events) expect(Object.keys(eventTypes)).toContain(type);
    if (row.events.length > 0) expect(gateway.events.length).toBeGreaterThan(0);
    expect(JSON.stringify(gateway.events)).not.toMatch(/sp[ap]?_[a-z0-9]+_[0-9A-Za-z]{12}_/);
  });

  it("refuses an unknown query parameter", async () => {
    if (row.caller === "socket") return;
    expect(await call(name, everything, "?nonsense=1")).toMatchObject({ status: 400, code: "query_not_accepted" });
  });
});

/** Rows whose subject is one environment: the key of another is refused. The rest is filtered to the caller's own. */
const bound: readonly [RouteName, string][] = [
  ["keys.list", "?environment=prod"],
  ["keys.create", ""],
  ["keys.show", ""],
  ["keys.suspend", ""],
  ["keys.resume", ""],
  ["keys.revoke", ""],
  ["keys.rotate", ""],
  ["keys.finish", ""],
  ["keys.factors", ""],
  ["keys.addSigner", ""],
  ["keys.removeSigner", ""],
  ["keys.addWorkload", ""],
  ["keys.removeWorkload", ""],
  ["keys.makePathSecret", ""],
  ["keys.removePathSecret", ""],
  ["keys.sweep", ""],
  ["anomalies.answer", ""],
  ["incidents.open", ""],
  ["incidents.radius", ""],
  ["incidents.report", ""],
  ["incidents.close", ""],
  ["adminKeys.create", ""],
  ["adminKeys.revoke", ""],
  ["principals.create", ""],
  ["principals.invite", ""],
  ["principals.uninvite", ""],
  ["principals.disable", ""],
  ["principals.enable", ""],
  ["assignments.list", "?environment=prod"],
  ["assignments.create", ""],
  ["assignments.remove", ""],
  ["environments.show", ""],
  ["upstreams.list", "?environment=prod"],
  ["upstreams.drain", ""],
  ["upstreams.setCredential", ""],
  ["upstreams.removeCredential", ""],
  ["upstreams.setTls", ""],
  ["upstreams.removeTls", ""],
  ["policy.plan", ""],
  ["policy.apply", ""],
  ["explain", ""],
  ["access.list", "?environment=prod"],
  ["findings", "?environment=prod"],
  ["findings.accept", ""],
  ["findings.reopen", ""],
  ["reviews.start", ""],
  ["reviews.list", "?environment=prod"],
  ["reviews.show", ""],
  ["reviews.lines", ""],
  ["reviews.open", ""],
  ["reviews.decide", ""],
  ["reviews.delegate", ""],
  ["reviews.restore", ""],
  ["reviews.close", ""],
  ["reviews.export", ""],
  ["reviews.records", ""],
  ["reviews.report", ""],
  ["explainToken", ""],
  ["audit.search", "?environment=prod"],
];

describe("with a right in dev only", () => {
  const dev: AdminRight = { ...everything, environments: ["dev"] };

  it.each(bound)("%s%s on prod is 403 and changes nothing", async (name, suffix) => {
    if (name === "principals.invite" || name === "principals.uninvite") aPerson();
    if (name.startsWith("incidents.")) anIncident();
    if (name.startsWith("reviews.") && name !== "reviews.start") aReview(name);
    const before = JSON.stringify([gateway.state, [...gateway.stored.values()].map(({ state }) => state)]);
    expect((await call(name, dev, suffix)).status).toBe(403);
    expect(gateway.events.filter(({ type }) => type !== "admin.refused")).toEqual([]);
    expect(JSON.parse(JSON.stringify(gateway.state))).toEqual(JSON.parse(before)[0]);
  });

  it("lists show nothing of prod", async () => {
    gateway.records.push(
      RECORD,
      { seq: 2, at: 0, environment: "system", type: "admin.reset", actor: "x", fields: {} },
      { seq: 3, at: 0, environment: "dev", type: "key.issued", actor: "x", fields: {} },
    );
    expect((await call("keys.list", dev)).body).toEqual({ keys: [], next: null, total: null });
    expect((await call("assignments.list", dev)).body).toEqual({ assignments: [], next: null });
    expect((await call("environments.list", dev)).body).toMatchObject({ environments: [{ name: "dev" }] });
    expect((await call("upstreams.list", dev)).body).toMatchObject({ upstreams: [{ environment: "dev" }] });
    expect((await call("policy.show", dev)).body).toMatchObject({ environments: [{ name: "dev" }], assignments: [] });
    const { body: policy } = await call("policy.text", dev);
    expect([policy["isPart"], policy["text"]]).toEqual([true, expect.not.stringContaining("prod")]);
    expect((await call("status", dev)).body).toMatchObject({ environments: ["dev"] });
    gateway.damaged = ["prod", "dev", "system"].map((environment) => ({ environment, says: "x" }));
    expect((await call("findings", dev)).body).toMatchObject({ findings: [{ environment: "dev" }] });
    expect((await call("audit.search", dev)).body).toMatchObject({ records: [{ seq: 3 }] });
    const { body } = await call("adminKeys.list", dev);
    expect(
      (body["keys"] as { environments: unknown }[]).every(
        ({ environments }) => JSON.stringify(environments) === '["dev"]',
      ),
    ).toBe(true);
  });
});
