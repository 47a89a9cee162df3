/** A key handed over by a ticket: two programs, a server between them, nothing secret on the way. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { generateX25519Identity, identityToRecipient } from "age-encryption";
import { afterAll, beforeAll, expect, it } from "vitest";
import { sallyport, sallyportJson, serve } from "./program.ts";
import type { Serving } from "./program.ts";

interface Ticketed {
  readonly id: string;
  readonly ticket: string;
  readonly expiresAt: string;
}

let root: string;
let data: string;
let server: Serving;
beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), "sallyport-deliver-"));
  data = join(root, "data");
  server = await serve(data);
});
afterAll(async () => {
  server.child.kill("SIGTERM");
  await server.ended;
  rmSync(root, { recursive: true, force: true });
});

const create = (...more: string[]): Promise<Ticketed> =>
  sallyportJson([
    "keys",
    "create",
    "--env",
    "dev",
    "--name",
    "app",
    "--role",
    "cli",
    "--model",
    "*",
    "--deliver",
    ...more,
    "--data",
    data,
  ]);
const receive = (ticket: string, ...more: string[]) =>
  sallyport(["keys", "receive", ticket, "--url", server.dataUrl, ...more]);
const status = async (key: string): Promise<number> =>
  (await fetch(`${server.dataUrl}/api/tags`, { headers: { authorization: `Bearer ${key}` } })).status;

it("is received once, in the form that was asked for, into a file of one's own", { timeout: 60_000 }, async () => {
  const made = await create();
  expect(Object.keys(made).toSorted()).toEqual(["expiresAt", "id", "ticket"]);
  expect(made.ticket).toMatch(/^spt_dev_/);
  const looked = await sallyport(["keys", "inspect", made.ticket, "--url", server.dataUrl, "--json"]);
  expect([looked.code, JSON.parse(looked.stdout)]).toMatchObject([
    0,
    { keyId: made.id, state: "unopened", createdBy: expect.stringMatching(/^os:/) },
  ]);
  const out = join(root, "key.env");
  const received = await receive(made.ticket, "--format", "env", "--out", out);
  expect([received.code, received.stdout]).toEqual([0, ""]);
  expect(statSync(out).mode & 0o777).toBe(0o600);
  const [, key = ""] = /^export SALLYPORT_API_KEY='(sp_dev_[0-9A-Za-z_]+)'\n$/.exec(readFileSync(out, "utf8")) ?? [];
  expect(await status(key)).not.toBe(401);

  const again = await receive(made.ticket);
  expect(again.code).toBe(1);
  expect(again.stderr).toContain("ticket_opened");
  expect(await status(key)).toBe(401);
  const shown = await sallyportJson<{ state: string; reason: string }>(["keys", "show", made.id, "--data", data]);
  expect(shown).toMatchObject({ state: "suspended", reason: "ticket_opened_twice" });
});

it(
  "a file that is there is never written over, and the ticket is not used up for it",
  { timeout: 60_000 },
  async () => {
    const made = await create();
    const out = join(root, "tracked");
    writeFileSync(out, "mine");
    expect((await receive(made.ticket, "--out", out)).code).toBe(2);
    expect(readFileSync(out, "utf8")).toBe("mine");
    const git = (...words: string[]): void => void execFileSync("git", ["-C", root, ...words], { stdio: "ignore" });
    git("init", "-q");
    git("add", "tracked");
    rmSync(out);
    const deleted = await receive(made.ticket, "--out", out);
    expect([deleted.code, deleted.stderr]).toEqual([2, expect.stringContaining("tracked by git")]);
    expect(existsSync(out)).toBe(false);
    const received = await receive(made.ticket, "--format", "k8s-secret");
    const [, value = ""] = /SALLYPORT_API_KEY: ([A-Za-z0-9+/=]+)/.exec(received.stdout) ?? [];
    expect(await status(Buffer.from(value, "base64").toString())).not.toBe(401);
  },
);

it("sealed to a recipient, the ticket alone opens nothing", { timeout: 60_000 }, async () => {
  const identity = await generateX25519Identity();
  const made = await create("--to", await identityToRecipient(identity));
  const without = await receive(made.ticket);
  expect([without.code, without.stdout]).toEqual([2, ""]);
  const file = join(root, "identity.txt");
  writeFileSync(file, `# mine\n${identity}\n`, { mode: 0o600 });
  const received = await receive(made.ticket, "--identity", file, "--json");
  expect(await status((JSON.parse(received.stdout) as { key: string }).key)).not.toBe(401);
});

it(
  "a rotation is handed over the same way, and neither ledger nor log nor database has the secrets",
  { timeout: 60_000 },
  async () => {
    const made = await create();
    const first = await receive(made.ticket);
    const rotated = await sallyportJson<Ticketed & { overlapEndsAt: string }>([
      "keys",
      "rotate",
      made.id,
      "--grace",
      "24h",
      "--deliver",
      "5m",
      "--data",
      data,
    ]);
    expect(Object.keys(rotated).toSorted()).toEqual(["expiresAt", "id", "overlapEndsAt", "ticket"]);
    const second = await receive(rotated.ticket);
    const keys = [first.stdout.trim(), second.stdout.trim()];
    for (const key of keys) expect(await status(key)).not.toBe(401);
    const told = await sallyport(["audit", "search", "--json", "--data", data]);
    const held =
      told.stdout +
      readFileSync(join(data, "sallyport.db"), "latin1") +
      readFileSync(join(data, "sallyport.db-wal"), "latin1");
    for (const secret of [...keys, made.ticket, rotated.ticket]) expect(held).not.toContain(secret.slice(-40));
    expect(told.stdout).toContain("ticket.opened");
  },
);

it("who knocks at the ticket's door without one learns nothing", { timeout: 60_000 }, async () => {
  const post = (path: string, body: string): Promise<Response> =>
    fetch(server.dataUrl + path, { method: "POST", headers: { "content-type": "application/json" }, body });
  const said = { environment: "dev", id: "A".repeat(12), proof: "A".repeat(43) };
  const opening = { ...said, publicKey: "A".repeat(43), at: Date.now(), signature: "A".repeat(86) };
  for (const [path, body, code] of [
    ["/sallyport/tickets/inspect", JSON.stringify(said), "ticket_unknown"],
    ["/sallyport/tickets/open", JSON.stringify(opening), "ticket_unknown"],
    ["/sallyport/tickets/open", JSON.stringify(said), "field_invalid"],
    ["/sallyport/tickets/open", JSON.stringify({ ...opening, more: 1 }), "field_invalid"],
    ["/sallyport/tickets/open", `{"id":"a","id":"b"}`, "json_duplicate_key"],
    ["/sallyport/tickets/open", "[]", "json_malformed"],
    ["/sallyport/tickets/open", "x".repeat(5_000), "body_too_large"],
    ["/sallyport/tickets", "{}", "endpoint_unknown"],
  ] as const) {
    const answer = await post(path, body);
    expect([path, ((await answer.json()) as { code: string }).code]).toEqual([path, code]);
  }
  expect((await fetch(`${server.dataUrl}/sallyport/tickets/open`)).status).toBe(405);
});
