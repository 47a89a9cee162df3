/** A witness over HTTP (C2SP tlog-witness): `POST /add-checkpoint`, `GET /<origin hash>/checkpoint`. */
import { createServer } from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { formatNoteSignature, parseAddCheckpoint, witness } from "@sallyport/ledger";
import type { LedgerCrypto, NoteSignature, NoteVerifier } from "@sallyport/ledger";
import type { WitnessState } from "./witness-state.ts";

const BODY_BYTES_MAX = 64 * 1024;
const TIMEOUT_MS = 10_000;

export interface WitnessPorts {
  readonly crypto: LedgerCrypto;
  /** The logs it knows. */
  readonly logs: readonly NoteVerifier[];
  readonly state: WitnessState;
  /** Over a checkpoint's text, now. */
  readonly cosign: (checkpoint: string) => NoteSignature;
  readonly fault: (cause: unknown) => void;
}

export function createWitnessServer(ports: WitnessPorts): Server {
  const server = createServer((request, response) => {
    // Node drops what comes behind an offer to upgrade: the connection cannot go on.
    if (request.headers.upgrade !== undefined) response.shouldKeepAlive = false;
    void serve(ports, request, response).catch((cause: unknown) => {
      ports.fault(cause);
      answer(response, 500, "");
    });
  });
  server.requestTimeout = TIMEOUT_MS;
  server.headersTimeout = TIMEOUT_MS;
  return server;
}

async function serve(ports: WitnessPorts, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { method, url = "" } = request;
  const [, originHash] = /^\/([0-9a-f]{64})\/checkpoint$/.exec(url) ?? [];
  if (originHash !== undefined) {
    const held = method === "GET" ? ports.state.byHash(originHash) : undefined;
    return held ? answer(response, 200, held.text) : answer(response, 404, "");
  }
  if (url !== "/add-checkpoint") return answer(response, 404, "");
  if (method !== "POST") return answer(response, 405, "");
  const body = await readBody(request);
  const asked = body === undefined ? undefined : parseAddCheckpoint(body);
  if (!asked) return answer(response, 400, "");
  // From here on nothing waits: what is compared is what is kept.
  const { origin } = asked.checkpoint;
  const said = witness(ports.crypto, ports.logs, ports.state.read(origin)?.checkpoint, asked);
  if (said.status === 409) return answer(response, 409, `${said.size}\n`, "text/x.tlog.size");
  if (said.status !== 200) return answer(response, said.status, "");
  const line = formatNoteSignature(ports.cosign(asked.checkpoint.note.text));
  ports.state.keep(origin, `${asked.text}${line}`);
  answer(response, 200, line);
}

async function readBody(request: IncomingMessage): Promise<string | undefined> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    bytes += part.length;
    if (bytes > BODY_BYTES_MAX) return undefined;
    parts.push(part);
  }
  return Buffer.concat(parts).toString("utf8");
}

function answer(response: ServerResponse, status: number, body: string, type = "text/plain; charset=utf-8"): void {
  if (response.headersSent) return;
  response.writeHead(status, { "content-type": type, "content-length": Buffer.byteLength(body) });
  response.end(body);
}
