import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test } from "vitest";
import { lookAtServer } from "../start/find-ollama.ts";
import { checkUpstream } from "./doctor-upstreams.ts";

const untouched = {
  environment: "dev",
  id: "u1",
  isDrained: false,
  hasCredential: false,
  hasOwnCa: false,
  hasClientCertificate: false,
  running: 0,
};
const opened: { close(): unknown }[] = [];
afterEach(() => {
  for (const server of opened.splice(0)) server.close();
});

async function serverOf(status: number, body: unknown): Promise<string> {
  const server = createServer((request, response) => {
    const isList = request.url === "/v1/models";
    response.writeHead(isList ? status : 404, { "content-type": "application/json" });
    response.end(isList ? JSON.stringify(body) : '{"detail":"Not Found"}');
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  opened.push(server);
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const list = { object: "list", data: [{ id: "org/Model-7B" }, { id: "../models/x.gguf" }] };

test.each([
  [200, { object: "list", data: [{ id: "m" }] }, ["ok upstream"]],
  [200, list, ["ok upstream", "note model_names_unusable"]],
  [200, { error: "Unexpected endpoint" }, ["wrong upstream_unlisted"]],
  [503, { error: { message: "Loading model" } }, ["wrong upstream_unlisted"]],
  [401, { error: { message: "Invalid API Key" } }, ["note upstream_credential"]],
])("a list that is %i %j", async (status, body, expected) => {
  const url = await serverOf(status, body);
  const findings = await checkUpstream({ ...untouched, url, kind: "llama.cpp" });
  for (const { state, remedy } of findings) expect([state, remedy !== ""]).toEqual([state, state !== "ok"]);
  expect(findings.map(({ state, code }) => `${state} ${code}`)).toEqual([...expected, "ok upstream_on_loopback"]);
});

test("a server taken for an Ollama is told to be another kind, by doctor and at the start", async () => {
  const url = await serverOf(200, list);
  const [reach] = await checkUpstream({ ...untouched, url });
  expect([reach!.code, reach!.remedy]).toEqual(["upstream_strange", expect.stringContaining("kind: openai")]);
  expect(await lookAtServer(url)).toMatchObject({ isThere: false, isOther: true, isOpenai: true });
});

test("at the start a server of OpenAI's dialect is looked at as one", async () => {
  const url = await serverOf(200, list);
  const found = { kind: "openai", isThere: true, chatModel: "org/Model-7B" };
  expect(await lookAtServer(url, "llama.cpp")).toMatchObject(found);
  expect(await lookAtServer(await serverOf(401, {}), "openai")).toMatchObject({ isThere: true, chatModel: undefined });
  expect(await lookAtServer(await serverOf(200, {}), "openai")).toMatchObject({ isThere: false, isOther: true });
});

test("a drained server, and a credential that the network can read, are noted", async () => {
  const url = "http://192.0.2.1:9";
  const codesOf = async (more: object): Promise<string[]> =>
    (await checkUpstream({ ...untouched, url: await serverOf(200, list), kind: "openai", ...more })).map(
      ({ code }) => code,
    );
  expect(await codesOf({ isDrained: true })).toContain("upstream_drained");
  expect(await codesOf({ hasCredential: true })).not.toContain("credential_in_clear");
  const checked = await checkUpstream({ ...untouched, url, kind: "openai", hasCredential: true });
  expect(checked.map(({ code }) => code)).toContain("credential_in_clear");
}, 20_000);
