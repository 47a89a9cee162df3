import { expect, test } from "vitest";
import { AdminClient } from "@sallyport/client";
import { capturedIo } from "../../../../../test/captured-io.ts";
import { runCli } from "../program.ts";

const CREDENTIAL = "token-abc123";
const view = {
  environment: "prod",
  id: "u1",
  url: "http://10.0.0.1:8000",
  isDrained: false,
  hasCredential: true,
  hasOwnCa: false,
  hasClientCertificate: true,
  running: 0,
};

async function run(line: readonly string[], around: { reply?: string; text?: string; running?: number | null } = {}) {
  const { io, out, err } = capturedIo({ reply: around.reply, text: around.text ?? "" });
  const sent: string[] = [];
  const handle = async (request: Request): Promise<Response> => {
    sent.push(`${request.method} ${new URL(request.url).pathname} ${await request.text()}`.trim());
    const one = {
      ...view,
      running: around.running ?? 0,
      isDrained: line.includes("drain") && !line.includes("--undo"),
    };
    return Response.json(line.includes("list") ? { upstreams: [one] } : one);
  };
  const client = new AdminClient({ handle });
  const exit = await runCli(line, io, async () => ({ client, kind: "inside", close: async () => {} }));
  return { exit, sent, out: out.join("\n"), err: err.join("\n") };
}

test.each([
  ["a pipe", { text: `${CREDENTIAL}\n` }],
  ["a pipe of another system", { text: `${CREDENTIAL}\r\n` }],
  ["a hidden prompt", { reply: CREDENTIAL }],
])("a credential from %s is sent, and printed nowhere", async (_from, around) => {
  const { exit, sent, out, err } = await run(["upstreams", "credential", "set", "prod/u1"], around);
  expect(exit).toBe(0);
  expect(sent).toEqual([`POST /v1/environments/prod/upstreams/u1/credential {"credential":"${CREDENTIAL}"}`]);
  expect(out + err).not.toContain(CREDENTIAL);
  expect(err).toContain("not https");
});

test("an empty credential and a server without its environment are mistakes of the command", async () => {
  expect((await run(["upstreams", "credential", "set", "prod/u1"], { text: "\n" })).exit).toBe(2);
  for (const name of ["u1", "prod/", "/u1", "prod/u1/x"])
    expect([name, (await run(["upstreams", "drain", name])).exit]).toEqual([name, 2]);
});

test("drain says whether something still runs, and is undone", async () => {
  expect((await run(["upstreams", "drain", "prod/u1"], { running: 2 })).out).toMatch(/state +draining\nrunning +2/);
  expect((await run(["upstreams", "drain", "prod/u1"])).out).toMatch(/state +drained/);
  const undone = await run(["upstreams", "drain", "prod/u1", "--undo"]);
  expect(undone.sent).toEqual(['POST /v1/environments/prod/upstreams/u1/drain {"isDrained":false}']);
  expect(undone.out).toMatch(/state +in service/);
  expect((await run(["upstreams", "list"])).out).toMatch(/prod +u1 +ollama +in service +0 +token,certificate/);
});
