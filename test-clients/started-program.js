// The program, from `init` to a key, and a model server behind it that answers in the recorded forms.
import { execFile, spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const ENTRY = fileURLToPath(new URL("../packages/sallyport/bin/sallyport.js", import.meta.url));
const run = promisify(execFile);

export async function startProgram({ roles, models, corsOrigins = [] }) {
  const home = await mkdtemp(join(tmpdir(), "sallyport-clients-"));
  const data = join(home, "data");
  const upstream = process.env.SALLYPORT_TEST_OLLAMA ? undefined : await startModelServer();
  const url = process.env.SALLYPORT_TEST_OLLAMA ?? upstream.url;
  const policy = join(home, "policy.yaml");
  await writeFile(policy, `environments:\n  dev:\n    upstreams: [{ url: "${url}" }]\n`);
  await run(process.execPath, [ENTRY, "init", "--data", data, "--json"]);
  const child = spawn(
    process.execPath,
    [
      ENTRY,
      "serve",
      "--data",
      data,
      "--listen",
      "127.0.0.1:0",
      "--admin-listen",
      "127.0.0.1:0",
      "--policy",
      policy,
      ...corsOrigins.flatMap((origin) => ["--cors-origins", origin]),
    ],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  const dataUrl = await new Promise((resolve, reject) => {
    child.on("exit", (code) => reject(new Error(`serve ended with ${code}`)));
    child.stdout.on("data", (chunk) => {
      const ready = /^sallyport ready data=(\S+)/m.exec(String(chunk));
      if (ready) resolve(ready[1]);
    });
  });
  const words = [
    "keys",
    "create",
    "--data",
    data,
    "--env",
    "dev",
    "--name",
    "clients",
    "--role",
    roles.join(","),
    "--model",
    models.join(","),
    "--json",
  ];
  const { stdout } = await run(process.execPath, [ENTRY, ...words]);
  return {
    url: dataUrl,
    key: JSON.parse(stdout).key,
    async stop() {
      child.removeAllListeners("exit");
      child.kill("SIGTERM");
      await new Promise((resolve) => child.on("exit", resolve));
      upstream?.server.close();
      await rm(home, { recursive: true, force: true });
    },
  };
}

async function startModelServer() {
  const server = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk) => (body += chunk));
    request.on("end", () => answer(request.url, JSON.parse(body || "{}"), response));
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { server, url: `http://127.0.0.1:${server.address().port}` };
}

function answer(path, { model, stream }, response) {
  const head = { model, created_at: "2026-11-23T04:23:30.080106223Z" };
  const counts = {
    done: true,
    done_reason: "stop",
    total_duration: 3,
    load_duration: 2,
    prompt_eval_count: 24,
    eval_count: 3,
    prompt_eval_duration: 1,
    eval_duration: 1,
  };
  const json = (value) => response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(value));
  if (path === "/api/embed")
    return json({ model, embeddings: [[0.25, -0.5]], total_duration: 1, load_duration: 1, prompt_eval_count: 7 });
  if (path === "/api/tags")
    return json({
      models: ["llama3.2:latest", "tiny-bert:latest"].map((name) => ({
        name,
        model: name,
        modified_at: head.created_at,
        size: 1,
        digest: "0".repeat(64),
        details: { format: "gguf", family: "llama" },
      })),
    });
  if (path === "/v1/models")
    return json({
      object: "list",
      data: [{ id: "llama3.2:latest", object: "model", created: 1, owned_by: "library" }],
    });
  if (path === "/v1/chat/completions") return answerOpenai(model, stream, response, json);
  if (path === "/v1/messages")
    return json({
      id: "msg_1",
      type: "message",
      role: "assistant",
      model,
      content: [{ type: "text", text: "hello there" }],
      stop_reason: "end_turn",
      usage: { input_tokens: 24, output_tokens: 3 },
    });
  if (path !== "/api/chat") return response.writeHead(404).end("404 page not found");
  const said = (content) => ({ message: { role: "assistant", content } });
  if (stream === false) return json({ ...head, ...said("hello there"), ...counts });
  response.writeHead(200, { "content-type": "application/x-ndjson" });
  for (const word of ["hel", "lo ", "there"])
    response.write(`${JSON.stringify({ ...head, ...said(word), done: false })}\n`);
  response.end(`${JSON.stringify({ ...head, ...said(""), ...counts })}\n`);
}

function answerOpenai(model, stream, response, json) {
  const head = { id: "chatcmpl-1", created: 1, model, system_fingerprint: "fp_ollama" };
  const usage = { prompt_tokens: 24, completion_tokens: 3, total_tokens: 27 };
  if (!stream) {
    const message = { role: "assistant", content: "hello there" };
    return json({ ...head, object: "chat.completion", choices: [{ index: 0, message, finish_reason: "stop" }], usage });
  }
  response.writeHead(200, { "content-type": "text/event-stream" });
  const chunk = (delta, finish_reason) => ({
    ...head,
    object: "chat.completion.chunk",
    choices: [{ index: 0, delta, finish_reason }],
  });
  for (const content of ["hel", "lo ", "there"])
    response.write(`data: ${JSON.stringify(chunk({ role: "assistant", content }, null))}\n\n`);
  response.write(`data: ${JSON.stringify(chunk({ role: "assistant", content: "" }, "stop"))}\n\n`);
  response.write(`data: ${JSON.stringify({ ...head, object: "chat.completion.chunk", choices: [], usage })}\n\n`);
  response.end("data: [DONE]\n\n");
}
