/** Leak reports, from the bytes of a sender to the key that no longer works, through a whole gateway. */
import { createHmac, generateKeyPairSync, sign } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { codeOf, startGateway } from "../gateway/started-gateway.ts";
import type { StartedGateway } from "../gateway/started-gateway.ts";

const vectors = JSON.parse(readFileSync("testdata/vectors/github-secret-scanning.json", "utf8")) as {
  messages: { keyId: string; publicKey: string; signature: string; body: string }[];
};
const SECRET = "a secret of the scanner and ours";
const GITHUB_KEY_ID = "a".repeat(64);
const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "prime256v1" });

interface LeakRecord {
  readonly type: string;
  readonly environment: string;
  readonly actor: string;
  readonly fields: Record<string, unknown>;
}

let root: string;
let gateway: StartedGateway;
let nowMs = Date.now();
let steadyMs = 0;

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), "sallyport-leaks-"));
  writeFileSync(join(root, "secret"), `${SECRET}\n`);
  const pinned = [
    ...vectors.messages.map(({ keyId: id, publicKey: pem }) => ({ id, pem })),
    { id: GITHUB_KEY_ID, pem: publicKey.export({ type: "spki", format: "pem" }) as string },
  ];
  const secret = { kind: "file", path: join(root, "secret") } as const;
  const leaks = { github: { keys: pinned, url: null }, webhooks: [{ name: "scanner", secret }] };
  // Each look at the clock is a second later, so that every rejection may be recorded.
  const clock = { now: () => nowMs, monotonic: () => performance.now() + steadyMs };
  gateway = await startGateway({ clock, settings: { identity: { providers: [], leaks } } });
}, 30_000);
afterAll(async () => {
  await gateway.stop();
  rmSync(root, { recursive: true, force: true });
});

const send = (path: string, body: string, headers: Record<string, string>): Promise<Response> =>
  fetch(`${gateway.gateway.adminUrl}${path}`, { method: "POST", body, headers });
const fromGithub = (body: string, signed = body): Promise<Response> =>
  send("/leaks/github", body, {
    "github-public-key-identifier": GITHUB_KEY_ID,
    "github-public-key-signature": sign("sha256", Buffer.from(signed), privateKey).toString("base64"),
  });
function fromScanner(
  body: string,
  { id = `msg_${Math.random()}`, at = nowMs, secret = SECRET } = {},
): Promise<Response> {
  const timestamp = String(Math.floor(at / 1_000));
  const signature = createHmac("sha256", secret).update(`${id}.${timestamp}.${body}`).digest("base64");
  const headers = { "webhook-id": id, "webhook-timestamp": timestamp, "webhook-signature": `v1,${signature}` };
  return send("/leaks/webhook", body, headers);
}
const reportOf = (token: string, url = "https://github.com/o/r/blob/1/.env"): string =>
  JSON.stringify([{ token, type: "sallyport_key", url, source: "Content" }]);
async function records(type: string): Promise<LeakRecord[]> {
  return (await gateway.admin<{ records: LeakRecord[] }>("GET", `/v1/audit?type=${type}&limit=1000&order=oldest`))
    .records;
}
const stateOf = async (id: string): Promise<string> =>
  (await gateway.admin<{ state: string }>("GET", `/v1/keys/${id}`)).state;
const use = (key: string): Promise<Response> =>
  fetch(`${gateway.url}/api/tags`, { headers: { authorization: `Bearer ${key}` } });
/** Rejections are recorded at most once a second. */
const laterOn = (): void => void (steadyMs += 2_000);

describe("GitHub's published messages", () => {
  it.each(vectors.messages)("$keyId is accepted as it is, and proves nothing about any key", async (message) => {
    const headers = {
      "Github-Public-Key-Identifier": message.keyId,
      "Github-Public-Key-Signature": message.signature,
    };
    const accepted = await send("/leaks/github", message.body, headers);
    expect(accepted.status).toBe(202);
    laterOn();
    for (const altered of [
      `${message.body}\n`,
      JSON.stringify(JSON.parse(message.body), null, 1),
      ` ${message.body}`,
    ]) {
      const rejected = await send("/leaks/github", altered, headers);
      expect([rejected.status, codeOf(await rejected.text())]).toEqual([401, "leak_report_unsigned"]);
    }
    const unproven = await records("leak.unproven");
    expect(unproven.at(-1)!.fields).toMatchObject({ sender: "github", no_key: 1, unproven: 0 });
    expect((await records("leak.rejected")).length).toBeGreaterThan(0);
  });
});

describe("a true report", () => {
  it("stops the key, opens an incident and is answered with its record, once", async () => {
    const leaked = await gateway.issue();
    expect((await use(leaked.key)).status).toBe(200);
    const body = reportOf(`API_KEY=${leaked.key};`);
    const accepted = await fromGithub(body);
    const { receipt } = (await accepted.json()) as { receipt: number };
    expect(accepted.status).toBe(202);
    const after = await use(leaked.key);
    expect([after.status, codeOf(await after.text())]).toEqual([401, "key_suspended"]);
    const [reported] = (await records("leak.reported")).filter(({ fields }) => fields["key"] === leaked.id);
    expect(reported).toMatchObject({ environment: "dev", actor: "leaks:github" });
    expect(reported!.fields).toMatchObject({ action: "suspend", source: "content", state: "active" });
    const { incidents } = await gateway.admin<{ incidents: { id: string; keyId: string; reason: string }[] }>(
      "GET",
      "/v1/incidents",
    );
    const incident = incidents.find(({ keyId }) => keyId === leaked.id)!;
    expect(incident.reason).toContain("github.com/o/r");
    expect(reported!.fields["incident"]).toBe(incident.id);

    // Sent again, it is answered as before, recorded as replayed, and does nothing: not even after a false alarm.
    laterOn();
    const again = await fromGithub(body);
    expect([again.status, ((await again.json()) as { receipt: number }).receipt]).toEqual([202, receipt]);
    expect((await records("leak.rejected")).at(-1)!.fields).toMatchObject({
      code: "leak_report_replayed",
      sender: "github",
    });
    await gateway.admin("POST", `/v1/incidents/${incident.id}/close`, { outcome: "false_alarm" });
    expect((await use(leaked.key)).status).toBe(200);
    await fromGithub(body);
    expect(await stateOf(leaked.id)).toBe("active");
    await gateway.restart();
    await fromGithub(body);
    expect(await stateOf(leaked.id)).toBe("active");
    // A new finding of the same key is another message.
    await fromGithub(reportOf(leaked.key, "https://example.org/elsewhere"));
    expect(await stateOf(leaked.id)).toBe("suspended");
    expect((await records("leak.reported")).filter(({ fields }) => fields["key"] === leaked.id)).toHaveLength(3);
  }, 20_000);

  it("of a hundred keys is one change", async () => {
    const keys = await Promise.all(Array.from({ length: 20 }, () => gateway.issue()));
    const body = JSON.stringify(keys.map(({ key }) => ({ token: key, type: "t", url: null })));
    expect((await fromScanner(body)).status).toBe(202);
    const states = await Promise.all(keys.map(({ id }) => stateOf(id)));
    expect(new Set(states)).toEqual(new Set(["suspended"]));
  }, 20_000);

  it("ends an admin key, and says nothing else about it", async () => {
    const made = await gateway.admin<{ id: string; key: string }>("POST", "/v1/admin-keys", {
      name: "leaky",
      role: "viewer",
      environments: ["dev"],
    });
    await fromScanner(reportOf(made.key));
    await expect(gateway.admin("GET", "/v1/keys", undefined, made.key)).rejects.toThrow(/^401 .*key_revoked/);
    expect((await records("admin_key.revoked")).at(-1)!.fields).toMatchObject({ key: made.id, reason: "leaked" });
  });
});

describe("what proves nothing", () => {
  it("a forged report is recorded and stops no key", async () => {
    const key = await gateway.issue();
    laterOn();
    const forged = await Promise.all([
      fromGithub(reportOf(key.key), reportOf("something else")),
      fromScanner(reportOf(key.key), { secret: "another secret of someone else" }),
      fromScanner(reportOf(key.key), { at: nowMs - 6 * 60_000 }),
      fromScanner(reportOf(key.key), { at: nowMs + 6 * 60_000 }),
      send("/leaks/webhook", reportOf(key.key), {}),
      send("/leaks/github", reportOf(key.key), {}),
    ]);
    for (const answer of forged)
      expect([answer.status, codeOf(await answer.text())]).toEqual([401, "leak_report_unsigned"]);
    expect(await stateOf(key.id)).toBe("active");
    expect((await records("leak.rejected")).at(-1)!.fields).toMatchObject({ code: "leak_report_unsigned" });
  });

  it("a replayed webhook is rejected by its id", async () => {
    const key = await gateway.issue();
    const id = "msg_once";
    const other = reportOf("nothing");
    expect((await fromScanner(other, { id })).status).toBe(202);
    laterOn();
    for (const body of [other, reportOf(key.key)]) {
      const again = await fromScanner(body, { id });
      expect([again.status, codeOf(await again.text())]).toEqual([409, "leak_report_replayed"]);
    }
    expect(await stateOf(key.id)).toBe("active");
    expect((await records("leak.rejected")).at(-1)!.fields).toMatchObject({
      code: "leak_report_replayed",
      sender: "scanner",
    });
  });

  it("an id, a secret that was replaced and an unknown key with the right checksum stop nothing", async () => {
    const key = await gateway.issue();
    const unknown = (await gateway.issue()).key;
    await fromScanner(reportOf(key.id));
    await fromScanner(reportOf(key.key.slice(0, -1)));
    await fromScanner(reportOf(`${key.key.slice(0, -1)}${key.key.endsWith("A") ? "B" : "A"}`));
    expect(await stateOf(key.id)).toBe("active");
    // The same id under another secret: its checksum is right, and it is no key here.
    const { formatKeyText } = await import("@sallyport/protocol");
    await fromScanner(reportOf(formatKeyText("sp", "dev", key.id, "x".repeat(43))));
    expect(await stateOf(key.id)).toBe("active");
    expect((await records("leak.unproven")).at(-1)!.fields).toMatchObject({ unproven: 1, keys: [key.id] });
    expect(unknown).toBeDefined();
  });

  it("signed callers learn nothing of keys: every report has the same answer", async () => {
    const key = await gateway.issue();
    const told = await Promise.all(
      [key.key, key.id, "nothing"].map(async (token) => {
        const answer = await fromScanner(reportOf(token));
        const { receipt, ...rest } = (await answer.json()) as { receipt: number };
        return [answer.status, typeof receipt, rest];
      }),
    );
    expect(new Set(told.map((one) => JSON.stringify(one))).size).toBe(1);
  });

  it("malformed and oversized messages are denied, and may be sent again corrected", async () => {
    const wrong = ["{}", "[]", "[{}]", '[{"token":1}]', "nonsense", JSON.stringify(Array(101).fill({ token: "x" }))];
    for (const body of wrong) {
      const answer = await fromScanner(body);
      expect([body.slice(0, 20), answer.status]).toEqual([body.slice(0, 20), 400]);
    }
    expect((await fromScanner(`["${"x".repeat(300_000)}"]`)).status).toBe(413);
    expect((await fromScanner("[]", { id: "msg_twice" })).status).toBe(400);
    expect((await fromScanner(reportOf("x"), { id: "msg_twice" })).status).toBe(202);
  });
});

describe("an administrator's report", () => {
  it("by id or by the whole key; only for keys of their environments", async () => {
    const [byId, byKey] = [await gateway.issue(), await gateway.issue()];
    const first = await gateway.admin("POST", "/v1/leaks", {
      keyId: byId.id,
      url: `https://x.example/?k=${byKey.key}`,
    });
    expect(first).toMatchObject({ verdict: "working", keyId: byId.id, action: "suspend" });
    const second = await gateway.admin("POST", "/v1/leaks", { key: byKey.key });
    expect(second).toMatchObject({ verdict: "working", keyId: byKey.id, action: "suspend" });
    expect(await gateway.admin("POST", "/v1/leaks", { keyId: byId.id })).toMatchObject({ action: "none" });
    const { leaks } = await gateway.admin<{ leaks: { keyIds: string[]; url: string | null }[] }>("GET", "/v1/leaks");
    expect(leaks.find(({ keyIds }) => keyIds.includes(byId.id))!.url).toBeNull();
    expect(leaks.some(({ url }) => url?.includes("[removed]"))).toBe(true);
    // No secret of any report is in any file of the gateway.
    for (const text of [byKey.key.slice(-49), byKey.key.slice(-30)])
      expect(filesWith(gateway.directory, text)).toEqual([]);
  });

  it("may be narrowed by policy while the key is in use; a key that rests is suspended", async () => {
    const soft = await startGateway({ environmentYaml: "    anomalies: { actions: { key_leaked: networks } }\n" });
    try {
      const [used, resting] = [await soft.issue(), await soft.issue()];
      const list = (): Promise<Response> =>
        fetch(`${soft.url}/api/tags`, { headers: { authorization: `Bearer ${used.key}` } });
      for (let at = 0; at < 3; at++) expect((await list()).status).toBe(200);
      expect(await soft.admin("POST", "/v1/leaks", { keyId: resting.id })).toMatchObject({ action: "suspend" });
      const narrowed = await soft.admin<{ incidentId: string }>("POST", "/v1/leaks", { key: used.key });
      expect(narrowed).toMatchObject({ action: "networks", verdict: "working" });
      expect((await list()).status).toBe(200);
      // A restart lifts nothing, and a second report changes nothing.
      await soft.restart();
      expect(await soft.admin("POST", "/v1/leaks", { keyId: used.id })).toMatchObject({ action: "none", incidentId: narrowed.incidentId }); // prettier-ignore
      const [alert] = (await soft.admin<{ records: LeakRecord[] }>("GET", "/v1/audit?type=incident.opened&order=newest")).records; // prettier-ignore
      expect(alert!.fields["incident"]).toBe(narrowed.incidentId);
      await soft.admin("POST", `/v1/incidents/${narrowed.incidentId}/close`, { outcome: "revoke" });
      expect((await list()).status).toBe(401);
    } finally {
      await soft.stop();
    }
  }, 20_000);
});

function filesWith(directory: string, text: string): string[] {
  return readdirSync(directory, { recursive: true, encoding: "utf8" })
    .map((name) => join(directory, name))
    .filter((path) => statSync(path).isFile() && readFileSync(path).includes(text));
}
