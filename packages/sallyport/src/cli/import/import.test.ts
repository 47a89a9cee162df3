/** The command around the parsers: what it asks first, what it creates, what becomes of keys when it stops half-way. */
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import type { AdminClient } from "@sallyport/client";
import { Problem } from "@sallyport/protocol";
import { capturedIo } from "../../../../../test/captured-io.ts";
import { runCli } from "../program.ts";
import type { Io } from "../terminal/io.ts";
import { IMPORT_BYTES_MAX } from "./source-read.ts";

const folder = mkdtempSync(join(tmpdir(), "sallyport-import-"));
afterAll(() => rmSync(folder, { recursive: true }));
const users = join(folder, "users.txt");
writeFileSync(users, "alice:old\nbob:old\ncarol:old\n");

interface Input {
  readonly params?: { readonly name?: string; readonly id?: string };
  readonly body?: { readonly name: string; readonly ttl?: string };
}

interface Ran {
  readonly exit: number;
  readonly out: string;
  readonly err: string;
  /** Bodies of the keys that were ordered. */
  readonly ordered: { readonly name: string; readonly ttl?: string }[];
  /** Ids of keys that were revoked. */
  readonly revoked: string[];
}

interface Around {
  readonly isTerminal?: boolean;
  readonly reply?: string;
  /** Names of keys that exist. */
  readonly taken?: readonly string[];
  /** The gateway fails at this order. */
  readonly failsAt?: number;
  /** The terminal fails at a line that contains this. */
  readonly losesLine?: string;
}

async function run(words: readonly string[], around: Around = {}): Promise<Ran> {
  const { isTerminal = false, reply, taken = [], failsAt, losesLine } = around;
  const { io: captured, out, err } = capturedIo({ isTerminal, reply });
  const io: Io = {
    ...captured,
    out(line) {
      if (losesLine !== undefined && line.includes(losesLine)) throw new Error("the terminal is closed");
      captured.out(line);
    },
  };
  const revoked: string[] = [];
  const ordered: Ran["ordered"] = [];
  const answer = (route: string, input: Input): unknown => {
    switch (route) {
      case "keys.list":
        return {
          keys: taken.map((name) => ({ id: `id-${name}`, name, state: "active", isExpired: false })),
          next: null,
        };
      case "keys.create": {
        if (ordered.length === failsAt) throw new Problem("rate_limited");
        ordered.push(input.body!);
        return { id: input.body!.name.padEnd(12, "0"), key: `sp_${input.body!.name}`, name: input.body!.name };
      }
      case "keys.revoke":
        return void revoked.push(input.params!.id!);
      case "environments.show":
        return input.params?.name === "dev" ? { keyMaxAge: "90d" } : notFound();
      default:
        return input.params?.name === "cli" ? {} : notFound();
    }
  };
  const stub = { call: async (route: string, input: Input) => answer(route, input), tail() {}, close() {} };
  const client = stub as unknown as AdminClient;
  const exit = await runCli(["import", ...words], io, async () => ({ client, kind: "inside", close: async () => {} }));
  return { exit, out: out.join("\n"), err: err.join("\n"), ordered, revoked };
}

const ask = [users, "--format", "user-list"];

it("needs an answer, and a place where keys can be shown, before it asks the gateway", async () => {
  expect((await run(ask)).err).toContain("pass --yes");
  expect((await run([...ask, "--yes"])).err).toContain("only on a terminal");
  const declined = await run(ask, { isTerminal: true, reply: "n" });
  expect([declined.exit, declined.out, declined.ordered]).toEqual([1, "nothing created", []]);
});

it("--dry-run lists what it would create and creates nothing", async () => {
  const { exit, out, ordered } = await run([...ask, "--dry-run"], { taken: ["bob"] });
  expect([exit, ordered]).toEqual([0, []]);
  expect(out).toMatch(/^keys to create in dev:\n/);
  expect(out).toMatch(/^ {2}1\s+alice\s+cli\s+\*\s+maximum\s+anywhere$/m);
  expect(out).toMatch(/^ {2}line 2: bob \(id-bob\)$/m);
  expect(out).toMatch(/^ {2}the old keys: /m);
});

it("creates each key once: a second run skips what exists", async () => {
  const first = await run([...ask, "--yes", "--json", "--ttl", "30d"]);
  expect(first.ordered.map(({ name, ttl }) => [name, ttl])).toEqual([
    ["alice", "30d"],
    ["bob", "30d"],
    ["carol", "30d"],
  ]);
  expect(JSON.parse(first.out)).toMatchObject({ applied: true, keys: [{ name: "alice", key: "sp_alice" }, {}, {}] });
  const second = await run([...ask, "--yes", "--json"], { taken: ["alice", "bob", "carol"] });
  expect([second.exit, second.ordered, JSON.parse(second.out)["skipped"].length]).toEqual([0, [], 3]);
});

it("--out: a new file for its owner only, and no key anywhere else", async () => {
  const file = join(folder, "keys.txt");
  const ran = await run([...ask, "--yes", "--out", file, "--json"]);
  expect(readFileSync(file, "utf8")).toBe("sp_alice  alice\nsp_bob  bob\nsp_carol  carol\n");
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(ran.out + ran.err).not.toContain("sp_");
  const again = await run([...ask, "--yes", "--out", file]);
  expect([again.exit, again.ordered]).toEqual([2, []]);
});

it.each([false, true])("a failure half-way loses no key that was created (--out %s)", async (hasFile) => {
  const file = join(folder, "half.txt");
  const ran = await run([...ask, "--yes", "--json", ...(hasFile ? ["--out", file] : [])], { failsAt: 2 });
  expect(ran.exit).toBe(1);
  expect(JSON.parse(ran.err)).toMatchObject({ error: { code: "rate_limited" } });
  const shown = hasFile ? readFileSync(file, "utf8") : ran.out;
  for (const key of ["sp_alice", "sp_bob"]) expect(shown).toContain(key);
  expect(JSON.parse(ran.out)).toMatchObject({ keys: [{ name: "alice" }, { name: "bob" }] });
});

it("a key that cannot be written is revoked, so that its name is free for the next try, and the import stops", async () => {
  const { exit, out, ordered, revoked } = await run([...ask, "--yes"], { isTerminal: true, losesLine: "sp_bob" });
  expect([exit, ordered.map(({ name }) => name), revoked]).toEqual([3, ["alice", "bob"], ["bob000000000"]]);
  expect(out).toContain("created 1 of 3 keys");
});

it("a failure before the first key leaves no file", async () => {
  const file = join(folder, "none.txt");
  await run([...ask, "--yes", "--out", file], { failsAt: 0 });
  expect(existsSync(file)).toBe(false);
});

it.each([
  ["a role that does not exist", ["--role", "unknown"], "not_found"],
  ["an environment that does not exist", ["--env", "prod"], "not_found"],
  ["a lifetime beyond the environment's", ["--ttl", "91d"], "lifetime_exceeds_maximum"],
  ["an invalid lifetime", ["--ttl", "soon"], "usage"],
])("%s is an error before anything is created", async (_what, words, code) => {
  const { err, ordered } = await run([...ask, "--yes", "--json", ...words]);
  expect([JSON.parse(err).error.code, ordered]).toEqual([code, []]);
});

it("a date of the file becomes a lifetime, at most the environment's", async () => {
  const file = join(folder, "tokens.json");
  const in10Days = Math.floor(Date.now() / 1_000) + 10 * 86_400;
  writeFileSync(
    file,
    JSON.stringify([
      { name: "soon", status: 1, expired_time: in10Days },
      { name: "late", status: 1, expired_time: 4_102_444_800 },
    ]),
  );
  const { ordered, out } = await run([file, "--format", "one-api", "--yes", "--json"]);
  const [soon, late] = ordered;
  expect(Number(/^(\d+)s$/.exec(soon!.ttl!)![1])).toBeGreaterThan(10 * 86_400 - 60);
  expect(late!.ttl).toBeUndefined();
  expect(JSON.parse(out)["notCarried"].at(-1)).toMatchObject({ what: "late: expiry 2100-01-01T00:00:00Z" });
});

it.each([
  ["larger than the bound", Buffer.alloc(IMPORT_BYTES_MAX + 1, "#"), "is larger than 1 MiB"],
  ["not UTF-8", Buffer.from([0xff, 0xfe, 0x00]), "is not UTF-8"],
])("a file that is %s is not read", async (_what, bytes, says) => {
  const file = join(folder, "hostile");
  writeFileSync(file, bytes);
  const { exit, err } = await run([file, "--format", "user-list", "--dry-run"]);
  expect([exit, err.includes(says)]).toEqual([2, true]);
});

function notFound(): never {
  throw new Problem("not_found");
}
