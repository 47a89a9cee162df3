import { createServer } from "node:http";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { AdminClient } from "@sallyport/client";
import { capturedIo } from "../../../../../test/captured-io.ts";
import { Cancelled } from "../terminal/cancelled.ts";
import { runCli } from "../program.ts";
import { commandLine } from "./guide.ts";

const HOSTILE = "\u001b[2Jevil\u202e:latest";
const tags = {
  models: [
    { name: "qwen3:8b" },
    { name: HOSTILE },
    { name: "llama3.2:latest" },
    { name: "big:cloud", remote_host: "https://ollama.com" },
    { name: 7 },
    null,
  ],
};

let server: Server;
let url: string;
beforeAll(async () => {
  server = createServer((_request, answer) => answer.end(JSON.stringify(tags)));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => void server.close());

const environment = (name: string) => ({
  name,
  upstreams: name === "dev" ? [{ environment: name, id: "u1", url }] : [],
  keyMaxAge: "90d",
  limits: { requests: "600/min" },
  keyLife: { overlap: "1d", overlapMax: "7d", quiet: "1d", rotateWithin: "1d", notices: [], brownout: "0s", neverUsed: "30d", unusedNotice: "7d", idle: "90d", destroy: "30d", orphan: "7d" }, // prettier-ignore
  keyFate: { onLeave: "revoke", onRoleLost: "narrow", onSignOut: "keep", onRisk: "suspend" },
  cloud: "deny",
  registries: [],
  keepAliveMax: "5m",
  queue: { wait: "1m", length: 10 },
  readerStall: "1m",
  guard: {},
  requireFor: [],
  pathSecrets: "deny",
  inferenceRecording: "fail_closed",
  tokens: { ttl: "15m", only: false },
  anomalies: { budget: 1, actions: {}, for: "1h" },
  networks: null,
  require: [],
});
const role = (name: string, names: readonly string[], on: readonly string[] | null = null) => ({
  name,
  isBuiltIn: true,
  allow: [{ do: names, on }],
  limits: {},
  guard: {},
  networks: null,
  require: [],
});
const taken = { id: "aaaaaaaaaaaa", environment: "dev", name: "taken", owner: null, state: "active", reason: null, isExpired: false, roles: [], allow: [], models: [], limits: {}, createdAt: "2026-01-01T00:00:00.000Z", expiresAt: null, createdBy: "x", networks: null, require: [], binding: null, signers: [], hasPathSecret: false, workloads: [], isDecoy: false }; // prettier-ignore
const answers: Readonly<Record<string, unknown>> = {
  "GET /v1/keys": { keys: [taken], next: null },
  "GET /v1/roles": {
    roles: [
      role("chatbot", ["infer:chat"]),
      role("small", ["infer:generate"], ["qwen3:*"]),
      role("reader", ["models:list"]),
      role("viewer", ["keys:read"]),
    ],
  },
  "POST /v1/keys": { id: "abcdefghijkl", key: "sp_dev_x", environment: "dev", expiresAt: "2026-01-01T00:00:00.000Z", name: "n", owner: "p_1" }, // prettier-ignore
};

/** Answers the questions in order; then the input ends, as with Ctrl-C or Ctrl-D. */
async function guided(
  replies: readonly string[],
  around: { readonly isTerminal?: boolean; readonly kind?: "network" | "inside"; readonly line?: string } = {},
) {
  const { isTerminal = true, line = "keys create", kind = "inside" } = around;
  const left = [...replies];
  const asked: string[] = [];
  const ask = async (question: string): Promise<string> => {
    asked.push(question);
    const reply = left.shift();
    if (reply === undefined) throw new Cancelled();
    return reply;
  };
  const { io, out, err } = capturedIo({ isTerminal, ask });
  const sent: unknown[] = [];
  const handle = async (request: Request): Promise<Response> => {
    const { pathname } = new URL(request.url);
    if (request.method === "POST") sent.push(await request.json());
    if (pathname === "/v1/environments")
      return Response.json({ environments: [environment("dev"), environment("prod")] });
    if (pathname === "/v1/upstreams") {
      const state = {
        isDrained: false,
        hasCredential: false,
        hasOwnCa: false,
        hasClientCertificate: false,
        running: 0,
      };
      return Response.json({ upstreams: environment("dev").upstreams.map((one) => ({ ...one, ...state })) });
    }
    return Response.json(answers[`${request.method} ${pathname}`]);
  };
  const connect = async () => ({ client: new AdminClient({ handle }), kind, close: async () => {} });
  const exit = await runCli(line.split(" "), io, connect);
  return { exit, out, err: err.join("\n"), sent, asked, left };
}

const WHOLE = ["1", "chatbot", "2,llama3.2:latest", "my app", "30d", "10.1.0.0/16", "y"];

describe("keys create on a terminal without options", () => {
  it("asks, shows the permissions and the command, and creates what was shown", async () => {
    const { exit, out, err, sent, left } = await guided(WHOLE);
    expect([exit, left]).toEqual([0, []]);
    expect(sent).toMatchObject([
      { environment: "dev", name: "my app", roles: ["chatbot"], models: ["llama3.2:latest"], ttl: "30d", networks: ["10.1.0.0/16"] }, // prettier-ignore
    ]);
    expect(err).toContain("chat: with llama3.2:latest");
    expect(err).toContain("for 30d, from 10.1.0.0/16");
    expect(err).toContain("at most 600/min requests");
    expect(err).toContain(
      "sallyport keys create --env dev --name 'my app' --role chatbot --model llama3.2:latest --ttl 30d --network 10.1.0.0/16",
    );
    expect(out.join("\n")).toContain("sp_dev_x");
  });

  it("takes the first environment, the longest lifetime and any network for Enter", async () => {
    const { exit, sent } = await guided(["", "1", "*", "app", "", "", "yes"]);
    expect(exit).toBe(0);
    expect(sent).toMatchObject([{ environment: "dev", models: ["*"] }]);
    // Without a lifetime, the gateway spreads the expiry of keys.
    expect(sent[0]).not.toHaveProperty("ttl");
    expect(sent[0]).not.toHaveProperty("networks");
  });

  it("does not ask for models where no role needs one, and lists only the roles of keys", async () => {
    const { sent, err } = await guided(["prod", "reader", "app", "1d", "", "y"]);
    expect(sent).toMatchObject([{ environment: "prod", roles: ["reader"], models: [] }]);
    expect(err).not.toContain("viewer");
  });

  it("counts a role's own models only within the key's", async () => {
    const { err } = await guided(["dev", "small", "llama3.2:latest", "app", "1d", "", "n"]);
    expect(err).toContain("nothing: its roles grant nothing on these models");
    expect((await guided(["dev", "small", "*", "app", "1d", "", "n"])).err).toContain(
      "complete a prompt: with qwen3:*",
    );
  });

  it("shows a hostile name of a model escaped, offers no model elsewhere, and accepts a pattern", async () => {
    const { err, sent } = await guided(["dev", "chatbot", "qwen3:*", "app", "1d", "", "y"]);
    expect(err).not.toMatch(/[\u001b\u202e]/);
    expect(err).toContain("\\u001b[2Jevil\\u202e");
    expect(err).not.toContain("big:cloud");
    expect(sent).toMatchObject([{ models: ["qwen3:*"] }]);
  });

  it("does not ask the model servers from another machine, where their addresses mean other servers", async () => {
    const { err, sent } = await guided(["dev", "chatbot", "llama3.2", "app", "1d", "", "y"], { kind: "network" });
    expect(err).not.toContain("qwen3:8b");
    expect(sent).toMatchObject([{ models: ["llama3.2"] }]);
  });

  it.each([
    [["dve", ...WHOLE], '"dve" is not in the list; did you mean dev?'],
    [["1", "", ...WHOLE.slice(1)], "choose at least one"],
    [["1", "chatbto", ...WHOLE.slice(1)], "did you mean chatbot?"],
    [["1", "9", ...WHOLE.slice(1)], '"9" is not in the list'],
    [["1", "chatbot", "a b", ...WHOLE.slice(2)], '"a b" is not in the list'],
    [["1", "chatbot", "*", "taken", ...WHOLE.slice(3)], "a key of that name exists"],
    [["1", "chatbot", "*", "", ...WHOLE.slice(3)], "the name is empty"],
    [["1", "chatbot", "*", "app", "91d", ...WHOLE.slice(4)], "allows at most 90d"],
    [["1", "chatbot", "*", "app", "soon", ...WHOLE.slice(4)], "a number and a unit"],
    [["1", "chatbot", "*", "app", "1d", "10.1.0.0/99", ...WHOLE.slice(5)], "not a network: 10.1.0.0/99"],
  ])("asks again after %j", async (replies, mistake) => {
    const { exit, err, left } = await guided(replies);
    expect([exit, left]).toEqual([0, []]);
    expect(err).toContain(mistake);
  });

  it.each(WHOLE.map((_reply, count) => [count]))(
    "makes nothing when the input ends after %i answers",
    async (count) => {
      const { exit, sent, out, err } = await guided(WHOLE.slice(0, count));
      expect([exit, sent, out]).toEqual([1, [], []]);
      expect(err.endsWith("\n")).toBe(true);
      expect(err).not.toContain("sallyport: ");
    },
  );

  it("makes nothing on a no", async () => {
    const { exit, sent, err } = await guided([...WHOLE.slice(0, -1), ""]);
    expect([exit, sent]).toEqual([1, []]);
    expect(err).toContain("nothing created");
  });

  it.each([
    ["off a terminal", { isTerminal: false }],
    ["with --json", { line: "keys create --json" }],
    ["with another option", { line: "keys create --role cli" }],
  ])("asks nothing %s", async (_name, around) => {
    const { exit, asked, err } = await guided(WHOLE, around);
    expect([exit, asked]).toEqual([2, []]);
    expect(err).toContain("--env");
  });
});

describe("keys create with a model that no server lists", () => {
  const line = "keys create --env dev --name n --role chatbot --model lama3.2,qwen3:8b,qwen3:*";

  it("warns, and suggests the nearest", async () => {
    const { exit, err } = await guided([], { line });
    expect(exit).toBe(0);
    expect(err.match(/warning:.*/g)).toEqual(["warning: no model server of dev lists lama3.2; did you mean llama3.2?"]);
  });

  it.each([
    ["for a program", { line: `${line} --json` }],
    ["from another machine", { line, kind: "network" }],
  ] as const)("asks no server %s", async (_name, around) => {
    expect((await guided([], around)).err).not.toContain("warning");
  });
});

it("the command is one that a shell takes back unchanged", () => {
  const key = { env: "dev", name: `it's $(a) \\ "b"`, role: ["cli"], model: ["*"], ttl: "1d" };
  expect(commandLine(key, { data: "/a b" })).toBe(
    `sallyport keys create --env dev --name 'it'"'"'s $(a) '\\\\' "b"' --role cli --model '*' --ttl 1d --data '/a b'`,
  );
});
