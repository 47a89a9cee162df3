/** A server that takes nothing but genuinely signed requests, and answers each client in its own form. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { SignatureFailure } from "@sallyport/protocol";
import { digestMatches, ReplayStore, verifyRequestSignature } from "../program-under-test.ts";
import type { Signer } from "../program-under-test.ts";

export interface SignedServer {
  readonly url: string;
  /** What it was sent: the verdict, the path, and the authorization field. */
  readonly seen: { verdict: string; path: string; authorization: string | undefined }[];
  stop(): Promise<void>;
}

const usage = { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2, input_tokens: 1, output_tokens: 1 };
const message = { role: "assistant", content: "hello" };
const answers: Readonly<Record<string, object>> = {
  "/api/chat": { model: "llama3.2", message, done: true },
  "/v1/chat/completions": { object: "chat.completion", choices: [{ index: 0, message }], usage },
  "/v1/audio/transcriptions": { text: "hello" },
  "/v1/messages": { type: "message", role: "assistant", content: [{ type: "text", text: "hello" }], usage },
};

export async function startSignedServer(signers: readonly Signer[], environment = "prod"): Promise<SignedServer> {
  const seen: SignedServer["seen"] = [];
  const replays = new ReplayStore({ startedAt: Date.now() - 60_000 });
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const { port } = server.address() as AddressInfo;
      const { method = "", url: target = "", rawHeaders } = request;
      const message = { method, scheme: "http", authority: `127.0.0.1:${port}`, target, rawHeaders } as const;
      const now = Date.now();
      const verified = verifyRequestSignature({ ...message, environment, now }, (id) =>
        signers.find((one) => one.id === id),
      );
      let failure: SignatureFailure | undefined = "reason" in verified ? verified : undefined;
      if (!("reason" in verified)) {
        const { contentDigest } = verified;
        if (contentDigest && !digestMatches(contentDigest, Buffer.concat(chunks)))
          failure = { reason: "digest_mismatch" };
        failure ??= replays.take(environment, verified.keyid, verified, now);
      }
      const verdict = failure ? `${failure.reason} ${failure.name ?? ""}`.trim() : "verified";
      seen.push({ verdict, path: target, authorization: request.headers.authorization });
      response.writeHead(failure ? 401 : 200, { "content-type": "application/json" });
      response.end(JSON.stringify(failure ? { error: verdict } : (answers[target] ?? { models: [] })));
    });
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    seen,
    stop: () => new Promise((done) => (server.closeAllConnections(), server.close(() => done()))),
  };
}
