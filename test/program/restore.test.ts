/** A restored server serves nothing until it knows what was revoked since its backup; then those keys do not work. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { generateX25519Identity, identityToRecipient } from "age-encryption";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { GoUpstream } from "../upstream/go-upstream.ts";
import { request, sallyport, sallyportJson, serve } from "./program.ts";
import type { Serving } from "./program.ts";

const upstream = new GoUpstream();
let home: string;
let old: string;
let policy: string;
let backup: string;
let identity: string;
let adminKey: string;
let invited: { id: string };
let otherAdmin: { id: string; adminKey: string };
interface Made {
  readonly id: string;
  readonly key: string;
  readonly owner: string;
}
const made: Record<"kept" | "revoked" | "suspended" | "orphan" | "later", Made> = {} as never;
/** Records as a log collector would have kept them. */
let collected: string;
let count = 0;

const chat = { model: "llama3.2", messages: [{ role: "user", content: "x" }] };
const ask = ({ dataUrl }: Serving, { key }: Made) => request("POST", `${dataUrl}/api/chat`, key, chat);

async function stop(running: Serving): Promise<string> {
  running.child.kill("SIGTERM");
  const { code, stderr } = await running.ended;
  expect(code).toBe(0);
  return stderr;
}

async function restored(): Promise<string> {
  const data = join(home, `restored-${count++}`);
  const { hasKek } = await sallyportJson<{ hasKek: boolean }>([
    "restore",
    backup,
    "--data",
    data,
    "--identity",
    identity,
  ]);
  expect(hasKek).toBe(true);
  return data;
}

const serveRestored = (data: string): Promise<Serving> => serve(data, ["--policy", policy]);

function confirm(data: string, ...more: string[]) {
  return sallyport(["restore", "confirm", "--data", data, "--json", ...more]);
}

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), "sallyport-restore-"));
  old = join(home, "old");
  policy = join(home, "policy.yaml");
  backup = join(home, "backup");
  identity = join(home, "identity.txt");
  const mine = await generateX25519Identity();
  writeFileSync(identity, `${mine}\n`, { mode: 0o600 });
  writeFileSync(
    policy,
    `environments:\n  dev:\n    upstreams: [{ url: "${await upstream.listen()}" }]\n    keys: { onLeave: keep }\n`,
  );
  ({ adminKey } = await sallyportJson<{ adminKey: string }>(["init", "--data", old]));
  const running = await serve(old, ["--policy", policy]);
  const run = <T>(...words: string[]) => sallyportJson<T>([...words, "--data", old]);
  for (const name of ["kept", "revoked", "suspended", "orphan"] as const)
    made[name] = await run(
      "keys",
      "create",
      "--env",
      "dev",
      "--name",
      name,
      "--allow",
      "infer:chat",
      "--model",
      "llama3.2",
    );
  otherAdmin = await run("admin", "keys", "create", "--name", "other", "--role", "viewer", "--env", "*");
  invited = await run("people", "create", "--name", "Ada");
  await run("people", "invite", "Ada");
  // Beside the running server, as a timer would.
  await run("backup", backup, "--to", await identityToRecipient(mine));
  await run("people", "uninvite", "Ada");
  await run("keys", "revoke", made.revoked.id);
  await run("keys", "suspend", made.suspended.id);
  await run("services", "disable", made.orphan.owner);
  await run("admin", "keys", "revoke", otherAdmin.id);
  made.later = await run(
    "keys",
    "create",
    "--env",
    "dev",
    "--name",
    "later",
    "--allow",
    "infer:chat",
    "--model",
    "llama3.2",
  );
  await run("keys", "revoke", made.later.id);
  const tail = await sallyport(["audit", "tail", "-n", "1000", "--json", "--data", old]);
  collected = join(home, "collected.jsonl");
  writeFileSync(collected, tail.stdout);
  await stop(running);
});
afterAll(async () => {
  await upstream.close();
  rmSync(home, { recursive: true, force: true });
});

test("in quarantine nothing is served and only the socket administers", async () => {
  const data = await restored();
  const running = await serveRestored(data);
  for (const one of [made.kept, made.revoked, { ...made.kept, key: "sp_dev_nonsense" }]) {
    const answer = await ask(running, one);
    expect([answer.status, JSON.parse(answer.text)]).toMatchObject([503, { code: "restore_unconfirmed" }]);
  }
  expect((await request("GET", `${running.dataUrl}/healthz`, "")).status).toBe(200);
  expect((await request("GET", `${running.dataUrl}/readyz`, "")).status).toBe(503);
  for (const path of ["/v1/status", "/v1/keys", "/metrics"]) {
    const answer = await request("GET", running.adminUrl + path, adminKey);
    expect([path, answer.status, JSON.parse(answer.text)]).toMatchObject([path, 503, { code: "restore_unconfirmed" }]);
  }
  expect((await sallyport(["status", "--data", data])).code).toBe(0);
  const listed = await confirm(data);
  expect(listed.code).toBe(1);
  const { isConfirmed, active } = JSON.parse(listed.stdout) as {
    isConfirmed: boolean;
    active: { id: string; name: string }[];
  };
  expect(isConfirmed).toBe(false);
  expect(active.map(({ name }) => name).toSorted()).toEqual([
    "kept",
    "orphan",
    "other",
    "recovery",
    "revoked",
    "suspended",
  ]);
  expect((await ask(running, made.kept)).status).toBe(503);
  expect(await stop(running)).toContain("this gateway was restored from a backup");
  // It is the directory that is marked, not the process.
  const again = await serveRestored(data);
  expect((await ask(again, made.kept)).status).toBe(503);
  await stop(again);
});

describe.each([
  ["with the old directory, beside the running server", true],
  ["with the old directory, without a server", false],
])("confirmed %s", (_, isBeside) => {
  test("what was revoked since does not work, everything else does", async () => {
    const data = await restored();
    let running = isBeside ? await serveRestored(data) : undefined;
    const done = await confirm(data, "--revocations", old);
    expect([done.code, JSON.parse(done.stdout)]).toMatchObject([
      0,
      { isConfirmed: true, isWhole: true, revoked: 3, suspended: 1, disabled: 1, unknown: 1, active: [] },
    ]);
    running ??= await serveRestored(data);
    const answers = await Promise.all(Object.values(made).map((one) => ask(running, one)));
    const codes = answers.map(({ status, text }) => [
      status,
      (JSON.parse(text.split("\n")[0]!) as { code?: string }).code,
    ]);
    expect(Object.fromEntries(Object.keys(made).map((name, at) => [name, codes[at]]))).toEqual({
      kept: [200, undefined],
      revoked: [401, "key_revoked"],
      suspended: [401, "key_suspended"],
      orphan: [401, "owner_disabled"],
      later: [401, "key_unknown"],
    });
    expect((await request("GET", `${running.adminUrl}/v1/status`, adminKey)).status).toBe(200);
    expect((await request("GET", `${running.adminUrl}/v1/status`, otherAdmin.adminKey)).status).toBe(401);
    const { localLogin } = await sallyportJson<{ localLogin: string }>(["people", "show", invited.id, "--data", data]);
    expect(localLogin).toBe("none");
    const types = (await sallyport(["audit", "tail", "-n", "100", "--data", data])).stdout
      .split("\n")
      .map((text) => text.split(" ")[3]);
    for (const type of ["gateway.restored", "key.revoked", "admin_key.revoked", "gateway.restore_confirmed"])
      expect(types).toContain(type);
    await stop(running);
    expect((await sallyport(["audit", "verify", "--data", data])).code).toBe(0);
    expect((await confirm(data, "--yes")).code).toBe(1);
  });
});

test("a list that may have gaps is replayed, and the rest has to be looked at", async () => {
  const data = await restored();
  const listed = await confirm(data, "--revocations", collected);
  expect(listed.code).toBe(1);
  const { isWhole, revoked, active } = JSON.parse(listed.stdout) as {
    isWhole: boolean;
    revoked: number;
    active: { name: string }[];
  };
  expect([isWhole, revoked]).toEqual([false, 3]);
  expect(active.map(({ name }) => name).toSorted()).toEqual(["kept", "orphan", "recovery"]);
  const done = await confirm(data, "--yes");
  expect([done.code, JSON.parse(done.stdout)]).toMatchObject([0, { isConfirmed: true, isWhole: false }]);
  const running = await serveRestored(data);
  expect((await ask(running, made.kept)).status).toBe(200);
  expect((await ask(running, made.revoked)).status).toBe(401);
  await stop(running);
});

test("a ledger that is not the old one ends nothing", async () => {
  const data = await restored();
  for (const [path, code] of [
    [data, 1],
    [join(data, "ledger"), 1],
    [join(home, "none"), 2],
  ] as const)
    // prettier-ignore
    expect([path, (await confirm(data, "--revocations", path)).code]).toEqual([path, code]);
  const other = await restored();
  expect((await confirm(other, "--yes")).code).toBe(0);
  // Another restore of the same backup: the chain fits, and says nothing of what was revoked.
  const refused = await confirm(data, "--revocations", other);
  expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining("the audit log of a restored gateway")]);
  // A ledger of somebody else, with the records in it that were looked for.
  const strange = join(home, "strange");
  await sallyportJson(["init", "--data", strange]);
  const listed = await confirm(data, "--revocations", strange);
  expect([listed.code, JSON.parse(listed.stdout)]).toMatchObject([1, { isConfirmed: false, isWhole: false }]);
});

test("rekey and restore say what they need", async () => {
  const data = await restored();
  const running = await serveRestored(data);
  const beside = await sallyport(["rekey", "--kek", "--data", data]);
  expect([beside.code, beside.stderr]).toEqual([3, expect.stringContaining("stop the server first")]);
  await stop(running);
  for (const words of [
    ["rekey"],
    ["rekey", "--kek", "--pepper"],
    ["rekey", "--kek", "--to", "QUJD"],
    ["backup", join(home, "x")],
    ["restore", backup],
  ])
    expect([words, (await sallyport([...words, ...(words[0] === "restore" ? [] : ["--data", data])])).code]).toEqual([
      words,
      2,
    ]);
  expect((await sallyport(["restore", backup, "--data", data, "--identity", identity])).code).toBe(1);
});

test("a wrong key-encryption key: the program does not start, says which it needs and which it got, and changes nothing", async () => {
  const data = await restored();
  const held = readFileSync(join(data, "secrets", "data-keys.json"), "utf8");
  const { kek } = JSON.parse(held) as { kek: string };
  const script = join(home, "kms.sh");
  writeFileSync(script, `#!/bin/sh\necho ${Buffer.alloc(32, 2).toString("base64")}\necho asking the service >&2\n`, {
    mode: 0o700,
  });
  const file = join(home, "wrong-kek");
  writeFileSync(file, Buffer.alloc(32, 2), { mode: 0o600 });
  const variable = { SALLYPORT_KEK: Buffer.alloc(32, 2).toString("hex") };
  for (const [source, env] of [
    ["env:SALLYPORT_KEK", variable],
    [`file:${file}`, {}],
    [`command:${script}`, {}],
  ] as const) {
    const ended = await sallyport(
      ["serve", "--data", data, "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"],
      {
        ...env,
        SALLYPORT_KEY_ENCRYPTION_KEY: source,
      },
    );
    expect([source, ended.code]).toEqual([source, 3]);
    expect(ended.stderr).toMatch(new RegExp(`lie under the key-encryption key ${kek}, and .* gives [0-9a-f]{8}`));
    expect(ended.stderr.includes("asking the service")).toBe(source.startsWith("command:"));
    expect(ended.stdout + ended.stderr).not.toContain(Buffer.alloc(20, 2).toString("base64"));
  }
  expect(readFileSync(join(data, "secrets", "data-keys.json"), "utf8")).toBe(held);
});
