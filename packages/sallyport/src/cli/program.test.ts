import { mkdtempSync, readFileSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { AdminClient } from "@sallyport/client";
import { formatKeyText, problems } from "@sallyport/protocol";
import type { Cli } from "./terminal/cli.ts";
import { makeConnect } from "./terminal/connect.ts";
import { capturedIo } from "../../../../test/captured-io.ts";
import { makeProgram, runCli } from "./program.ts";

interface Ran {
  readonly exit: number;
  readonly out: string[];
  readonly err: string[];
  /** `METHOD path body` of what was sent. */
  readonly sent: string[];
}

interface Around {
  readonly answers?: Readonly<Record<string, unknown>>;
  readonly text?: string;
  readonly isTerminal?: boolean;
  readonly reply?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs a command line against a server that answers what the test says, by `METHOD path`. */
async function run(
  line: readonly string[],
  { answers = {}, text = "", isTerminal = false, reply, env = {} }: Around = {},
): Promise<Ran> {
  const { io, out, err } = capturedIo({ isTerminal, reply, text, env });
  const ran: Ran = { exit: 0, out, err, sent: [] };
  const handle = async (request: Request): Promise<Response> => {
    const { pathname, search } = new URL(request.url);
    const body = await request.text();
    ran.sent.push([request.method, pathname + search, ...(body === "" ? [] : [body])].join(" "));
    const answer = answers[`${request.method} ${pathname}`];
    if (answer === undefined) {
      return Response.json({ code: "model_denied", mistakes: ["first", "second"], detail: "because" }, { status: 403 });
    }
    return Response.json(answer);
  };
  const client = new AdminClient({ handle });
  const exit = await runCli(line, io, async () => ({ client, kind: "inside", close: async () => {} }));
  return { ...ran, exit };
}

const key = {
  id: "abcdefghijkl",
  key: "sp_dev_x",
  environment: "dev",
  expiresAt: "2026-01-01T00:00:00.000Z",
  name: "n",
  owner: "p_1",
};

describe("keys create", () => {
  const answers = {
    "POST /v1/keys": key,
    "GET /v1/roles/cli": {
      name: "cli",
      isBuiltIn: true,
      allow: [{ do: ["infer:chat"], on: null }],
      limits: {},
      guard: {},
      networks: null,
      require: [],
    },
  };

  it("takes lists comma-separated, repeated or both, and prints one line of JSON", async () => {
    const line =
      "keys create --env dev --name n --role a,b --role c --allow infer:chat, --model llama3.2,qwen3:* --ttl 30d --json".split(
        " ",
      );
    const { exit, out, sent } = await run(line, { answers });
    expect(exit).toBe(0);
    expect(JSON.parse(sent[0]!.slice("POST /v1/keys ".length))).toEqual({
      environment: "dev",
      name: "n",
      roles: ["a", "b", "c"],
      allow: ["infer:chat"],
      models: ["llama3.2", "qwen3:*"],
      ttl: "30d",
      limits: {},
    });
    expect(out).toEqual([JSON.stringify(key)]);
    expect(JSON.parse(out[0]!)).toMatchObject({
      id: key.id,
      key: key.key,
      environment: "dev",
      expiresAt: key.expiresAt,
    });
  });

  it.each([
    ["--allow", "infer:chat"],
    ["--role", "cli"],
  ])("warns on stderr when %s %s needs a model and none is named", async (flag, value) => {
    const { out, err } = await run(["keys", "create", "--env", "dev", "--name", "n", flag, value, "--json"], {
      answers,
    });
    expect(err.join()).toMatch(/--model/);
    expect(out).toHaveLength(1);
  });

  it("names the models of the role, which the key cannot use without them, and never fails for a warning", async () => {
    const role = { ...answers["GET /v1/roles/cli"], allow: [{ do: ["infer:chat"], on: ["qwen3:*"] }] };
    const line = ["keys", "create", "--env", "dev", "--name", "n", "--role", "cli"];
    const { err, out } = await run(line, { answers: { ...answers, "GET /v1/roles/cli": role } });
    expect(err.join()).toContain(
      "warning: the key names no model, so it can use none, not even those that its roles name",
    );
    expect(err.join()).toContain("`--model 'qwen3:*'`, and revoke this one: `sallyport keys revoke abcdefghijkl`");
    expect(out.join()).toContain("sp_dev_x");
    for (const answer of ["hello", { allow: 7 }]) {
      const ran = await run(line, { answers: { ...answers, "GET /v1/roles/cli": answer } });
      expect([ran.exit, ran.out.join()]).toEqual([0, expect.stringContaining("sp_dev_x")]);
    }
  });

  it("does not warn when nothing needs one", async () => {
    const { err } = await run(["keys", "create", "--env", "dev", "--name", "n", "--allow", "models:list", "--json"], {
      answers,
    });
    expect(err).toEqual([]);
  });
});

describe("exit codes", () => {
  it.each([
    [["keys", "create", "--env", "dev"]],
    [["keys", "frobnicate"]],
    [["nonsense"]],
    [["keys", "list", "--jsno"]],
    [["keys", "show"]],
    [["keys", "create", "--env", "dev", "--name", "n", "--concurrency", "x"]],
    [["apply", "-f", "x"]],
    [["apply", "--yes"]],
    [["admin", "reset"]],
    [["admin", "keys", "create", "--name", "n", "--role", "king", "--env", "dev", "--json"]],
    [["completion", "tcsh"]],
  ])("2 for %j", async (line) => {
    const { exit, err, out, sent } = await run(line);
    expect([exit, out, sent]).toEqual([2, [], []]);
    expect(err.length).toBeGreaterThan(0);
  });

  it("1 for a refusal, with every mistake and the remedy on stderr", async () => {
    const { exit, err, out } = await run(["status"]);
    expect([exit, out]).toEqual([1, []]);
    expect(err.join("\n")).toMatch(/because\n {2}first\n {2}second\n {2}remedy: .*model_denied/s);
  });

  it("with --json a failure of any kind is one line of JSON on stderr, and nothing is on stdout", async () => {
    const read = async (line: readonly string[], around?: Around): Promise<Record<string, unknown>> => {
      const { err, out } = await run(line, around);
      expect([err.length, out]).toEqual([1, []]);
      const { error } = JSON.parse(err[0]!) as { error: Record<string, unknown> };
      expect(error).toMatchObject({ message: expect.any(String), remedy: expect.any(String) });
      return error;
    };
    expect(await read(["status", "--json"])).toMatchObject({ code: "model_denied", mistakes: ["first", "second"] });
    expect(await read(["status", "--json", "--wrong"])).toMatchObject({ code: "usage" });
    expect(await read(["keys", "create", "--json"])).toMatchObject({ code: "usage" });
    expect(await read(["nonsense", "--json"])).toMatchObject({ code: "usage" });
    expect(await read(["status", "--json"], { answers: { "GET /v1/status": "hello" } })).toMatchObject({
      code: "fault",
    });
  });

  it("3 for a server that answers something else", async () => {
    expect((await run(["status"], { answers: { "GET /v1/status": "hello" } })).exit).toBe(3);
  });

  it.each([["--help"], ["--version"]])("0 for %s, on stdout", async (flag) => {
    const { exit, out, err } = await run([flag]);
    expect([exit, err]).toEqual([0, []]);
    expect(out.length).toBeGreaterThan(0);
  });
});

describe("apply", () => {
  const answers = {
    "POST /v1/policy/plan": { changes: ["+ role a"], epoch: 4 },
    "POST /v1/policy": { changes: ["+ role a"], epoch: 5 },
  };

  it("only plans with --dry-run", async () => {
    const { exit, out, sent } = await run(["apply", "-f", "-", "--dry-run", "--json"], { answers, text: "x" });
    expect([exit, sent.length]).toEqual([0, 1]);
    expect(JSON.parse(out[0]!)).toEqual({ changes: ["+ role a"], epoch: 4, applied: false });
  });

  it("applies exactly what was planned with --yes", async () => {
    const { exit, sent } = await run(["apply", "-f", "p.yaml", "--yes"], { answers, text: "x" });
    expect([exit, sent[1]]).toEqual([0, 'POST /v1/policy {"text":"x","expectEpoch":4}']);
  });

  it("prints the JSON Schema for editors", async () => {
    const { exit, out } = await run(["apply", "--schema"]);
    expect([exit, Object.keys((JSON.parse(out.join("\n")) as { properties: object }).properties)]).toEqual([
      0,
      ["environments", "roles", "assign", "tests"],
    ]);
  });

  it("asks on a terminal, and takes anything but yes for no", async () => {
    expect((await run(["apply", "-f", "p.yaml"], { answers, reply: "y" })).sent).toHaveLength(2);
    const refused = await run(["apply", "-f", "p.yaml"], { answers, reply: "" });
    expect([refused.exit, refused.sent.length]).toEqual([1, 1]);
    expect(refused.err).toContain("+ role a");
  });
});

describe("an admin key's text", () => {
  const answers = {
    "POST /v1/admin-keys/reset": { id: "abcdefghijkl", key: "spa_system_x", name: "recovery", expiresAt: null },
  };

  it("goes to a new file of its owner's and then not to stdout", async () => {
    const path = join(mkdtempSync(join(tmpdir(), "sallyport-once-")), "key");
    const { exit, out } = await run(["admin", "reset", "--out", path, "--json"], { answers });
    expect(exit).toBe(0);
    expect(out.join()).not.toContain("spa_system_x");
    expect(readFileSync(path, "utf8")).toBe("spa_system_x\n");
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect((await run(["admin", "reset", "--out", path], { answers })).exit).toBe(2);
  });

  it("is shown on a terminal or as JSON, and leaves no file when none was made", async () => {
    expect((await run(["admin", "reset"], { answers, isTerminal: true })).out.join()).toContain("spa_system_x");
    expect(JSON.parse((await run(["admin", "reset", "--json"], { answers })).out[0]!)).toMatchObject({
      adminKey: "spa_system_x",
    });
    const path = join(mkdtempSync(join(tmpdir(), "sallyport-once-")), "key");
    expect((await run(["admin", "reset", "--out", path])).exit).toBe(1);
    expect(() => statSync(path)).toThrow(/ENOENT/);
  });
});

describe("names", () => {
  const view = { ...key, state: "active", reason: null, isExpired: false, roles: [], allow: [], models: [], limits: {}, createdAt: key.expiresAt, createdBy: "x", networks: null, require: [], binding: null, signers: [], hasPathSecret: false, workloads: [], isDecoy: false }; // prettier-ignore
  const named = (id: string, name: string, state = "active") => ({ ...view, id, name, state });
  const answers = {
    "GET /v1/keys": { keys: [named("aaaaaaaaaaaa", "app"), named("bbbbbbbbbbbb", "twin"), named("cccccccccccc", "twin"), named("dddddddddddd", "app", "revoked")], next: null }, // prettier-ignore
    "POST /v1/keys/aaaaaaaaaaaa/suspend": view,
    "POST /v1/keys/aaaaaaaaaaaa/revoke": { ...named("aaaaaaaaaaaa", "app", "revoked"), networks: ["10.0.0.0/8"] },
  };

  it("stand for ids where they are unique, and are refused with candidates where they are not", async () => {
    const { exit, sent } = await run(["keys", "suspend", "app", "--json"], { answers });
    expect([exit, sent.at(-1)]).toEqual([0, "POST /v1/keys/aaaaaaaaaaaa/suspend"]);
    const twins = await run(["keys", "suspend", "twin"], { answers });
    expect(twins.exit).toBe(1);
    expect(twins.err.join()).toMatch(/bbbbbbbbbbbb.*cccccccccccc/);
    expect((await run(["keys", "suspend", "nobody"], { answers })).err.join()).toContain("not_found");
  });

  it("a revoked key is one line; with --json, the whole key", async () => {
    const { out } = await run(["keys", "revoke", "app"], { answers });
    expect(out).toEqual(["Revoked key app (aaaaaaaaaaaa) in dev; its running requests were aborted."]);
    expect(JSON.parse((await run(["keys", "revoke", "app", "--json"], { answers })).out[0]!)).toMatchObject({
      state: "revoked",
      networks: ["10.0.0.0/8"],
    });
  });
});

describe("an unknown command", () => {
  it.each([
    ["kyes", "did you mean keys?"],
    ["keys lst", "did you mean list?"],
    ["nonsense", "use one of init"],
  ])("%s --help names the nearest", async (line, wanted) => {
    const { exit, err, out } = await run([...line.split(" "), "--help"]);
    expect([exit, out]).toEqual([2, []]);
    expect(err.join("\n")).toContain(wanted);
  });
});

describe("explain", () => {
  it("asks in the contract's words", async () => {
    const answers = { "POST /v1/explain": { allowed: false, code: "model_denied", because: ["a"], remedy: ["b"] } };
    const line = "explain --key-id abcdefghijkl --method post --path /api/chat --model llama3.2 --json".split(" ");
    const { exit, out, sent } = await run(line, { answers });
    // A script can ask "may it?" by the exit code.
    expect(exit).toBe(1);
    expect(sent).toEqual([
      'POST /v1/explain {"keyId":"abcdefghijkl","method":"POST","path":"/api/chat","model":"llama3.2"}',
    ]);
    expect(JSON.parse(out[0]!)).toEqual({ allowed: false, code: "model_denied", because: ["a"], remedy: ["b"] });
  });
});

describe("credential", () => {
  const text = formatKeyText("sp", "dev", "abcdefghijkl", "s".repeat(43));
  const env = { HOME: "/nowhere", SALLYPORT_API_KEY: text };

  it("tells what would be used and from where, and never the secret", async () => {
    for (const line of [["credential"], ["credential", "--json"]]) {
      const { exit, out, err } = await run(line, { env });
      expect(exit).toBe(0);
      expect(out.join()).toContain("SALLYPORT_API_KEY");
      expect(out.join() + err.join()).not.toContain(text.slice(-40));
    }
    const { out } = await run(["credential", "--json"], { env });
    expect(JSON.parse(out[0]!)).toEqual({
      url: "http://127.0.0.1:11435",
      credential: {
        kind: "key",
        source: "key-variable",
        where: "SALLYPORT_API_KEY",
        environment: "dev",
        keyId: "abcdefghijkl",
        expiresAt: null,
      },
      findings: [
        { code: "credential_found", state: "ok", says: "key abcdefghijkl of dev from SALLYPORT_API_KEY", remedy: "" },
      ],
    });
  });

  it("ends with 1 where there is none, or one that cannot be used", async () => {
    expect((await run(["credential"], { env: { HOME: "/nowhere" } })).exit).toBe(1);
    expect((await run(["credential", "--env", "prod"], { env })).out.join()).toContain("credential_conflict");
    expect((await run(["credential", "--url", "example.org"], { env })).exit).toBe(1);
  });
});

describe("completion", () => {
  it("knows every command, and its values without a gateway", async () => {
    expect((await run(["completion", "bash"])).out.join("\n")).toContain("complete -F _sallyport sallyport");
    const candidates = async (...words: string[]): Promise<string[]> => (await run(["complete", "--", ...words])).out;
    expect(await candidates("keys", "cr")).toEqual(["create"]);
    expect(await candidates("admin", "keys", "create", "--grant-m")).toEqual(["--grant-model"]);
    expect(await candidates("keys", "create", "--env", "")).toEqual([]);
    expect(await candidates("audit", "search", "--type", "key.iss")).toEqual(["key.issued"]);
  });
});

describe("reaching a server", () => {
  it("needs address and key together", async () => {
    await expect(makeConnect({ SALLYPORT_ADMIN_URL: "http://127.0.0.1:1" })({})).rejects.toThrow(/together/);
  });

  it("says how to begin where nothing is", async () => {
    const data = join(mkdtempSync(join(tmpdir(), "sallyport-none-")), "data");
    await expect(makeConnect({})({ data })).rejects.toMatchObject({ code: "data_missing", detail: data });
    expect(problems.data_missing.remedy).toContain("sallyport init");
  });
});

/** One file adds both. */
function aloneWith(name: string): number {
  return ["login", "logout"].includes(name) ? 2 : 1;
}

describe("a command that is asked for alone", async () => {
  const cli = { io: { out() {}, err() {}, env: {} } } as unknown as Cli;
  const whole = await makeProgram(cli);

  it.each(whole.commands.map((command) => [command.name(), command] as const))(
    "is the same: %s",
    async (name, command) => {
      const alone = await makeProgram(cli, [name]);
      const found = alone.commands.find((one) => one.name() === name);
      expect(found?.helpInformation()).toBe(command.helpInformation());
      expect(found?.commands.map((one) => one.name())).toEqual(command.commands.map((one) => one.name()));
      // At a Tab, the others are known by name.
      expect(alone.commands.length).toBe(name === "complete" ? whole.commands.length : aloneWith(name));
    },
  );

  it.each([undefined, "--help", "nothing", "constructor"])(
    "is not loaded alone where %s is asked for",
    async (name) => {
      const { commands } = await makeProgram(cli, name === undefined ? [] : [name]);
      expect(commands.map((one) => one.name())).toEqual(whole.commands.map((one) => one.name()));
    },
  );
});
