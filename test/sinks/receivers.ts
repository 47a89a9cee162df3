/** Local receivers of every kind of sink: they note the uids that came, in order, and can be down or refuse. */
import { createHmac } from "node:crypto";
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from "node:http";
import { createServer as createTcp } from "node:net";
import type { AddressInfo, Server, Socket } from "node:net";
import { join } from "node:path";
import { createServer as createTls } from "node:tls";
import {
  FileSink,
  OtlpSink,
  S3Sink,
  Secret as MakeSecret,
  sendBounded,
  signV4,
  SyslogSink,
  WebhookSink,
} from "../program-under-test.ts";
import type { Clock, Secret, Sink } from "../program-under-test.ts";

export interface Receiver {
  /** A new one each time, as after a restart. */
  sink(): Sink;
  /** Uids in the order they came. */
  uids(): string[];
  down(): Promise<void>;
  up(): Promise<void>;
  /** Never takes this record; null where the kind has no way to refuse. */
  readonly refuse: ((uid: string) => void) | null;
  /** Messages that were not signed as they should be. */
  readonly forged: string[];
  close(): Promise<void>;
}

export type MakeReceiver = (root: string, clock: Clock) => Promise<Receiver>;

const SECRET: Secret = new MakeSecret("a secret of the receiver and ours");

interface Request {
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** `uidsIn` reads a body; `isForged` judges its signature; `judge` may answer otherwise than 200. */
async function httpReceiver(
  makeSink: (url: string) => Sink,
  uidsIn: (request: Request) => string[],
  isForged: (request: Request) => boolean = () => false,
): Promise<Receiver> {
  const taken: string[] = [];
  const forged: string[] = [];
  const refused = new Set<string>();
  const objects = new Set<string>();
  let isDown = false;
  function answer(incoming: IncomingMessage, body: string, response: ServerResponse): void {
    const request = { url: incoming.url ?? "", headers: incoming.headers, body };
    if (isDown) return void response.writeHead(503).end();
    if (isForged(request)) forged.push(request.url);
    const uids = uidsIn(request);
    if (uids.some((uid) => refused.has(uid))) return void response.writeHead(422).end();
    // A store replaces an object of the same name.
    if (incoming.method !== "PUT" || !objects.has(request.url)) taken.push(...uids);
    objects.add(request.url);
    response.writeHead(200, { "content-type": "application/json" }).end("{}");
  }
  const server = createServer((incoming, response) => {
    let body = "";
    incoming.setEncoding("utf8").on("data", (chunk: string) => (body += chunk));
    incoming.on("end", () => answer(incoming, body, response));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    sink: () => makeSink(url),
    uids: () => taken,
    down: async () => void (isDown = true),
    up: async () => void (isDown = false),
    refuse: (uid) => void refused.add(uid),
    forged,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

interface OcsfText {
  readonly metadata: { readonly uid: string };
}

const uidOf = (text: string): string => (JSON.parse(text) as OcsfText).metadata.uid;

const otlp: MakeReceiver = () =>
  httpReceiver(
    (url) =>
      new OtlpSink({
        url: `${url}/v1/logs`,
        authorization: new MakeSecret("Bearer x"),
        resource: { "service.name": "s" },
        send: sendBounded,
      }),
    ({ body }) => {
      const { resourceLogs } = JSON.parse(body) as {
        resourceLogs: { scopeLogs: { logRecords: { body: { stringValue: string } }[] }[] }[];
      };
      return resourceLogs[0]!.scopeLogs[0]!.logRecords.map(({ body: { stringValue } }) => uidOf(stringValue));
    },
    ({ url, headers }) => url !== "/v1/logs" || headers.authorization !== "Bearer x",
  );

const webhook: MakeReceiver = (_root, clock) =>
  httpReceiver(
    (url) => new WebhookSink({ url, secret: SECRET, node: "n1", clock, send: sendBounded }),
    ({ body }) => {
      const events = JSON.parse(body) as { specversion: string; id: string; data: OcsfText }[];
      if (events.some(({ specversion, id, data }) => specversion !== "1.0" || id !== data.metadata.uid))
        return ["wrong"];
      return events.map(({ id }) => id);
    },
    ({ headers, body }) => {
      const signed = `${String(headers["webhook-id"])}.${String(headers["webhook-timestamp"])}.${body}`;
      const wanted = createHmac("sha256", SECRET.reveal()).update(signed).digest("base64");
      return headers["webhook-signature"] !== `v1,${wanted}`;
    },
  );

const CREDENTIAL = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: SECRET, region: "eu-x-1", service: "s3" };

const s3: MakeReceiver = (_root, clock) =>
  httpReceiver(
    (url) =>
      new S3Sink({
        endpoint: url,
        bucket: "audit",
        prefix: "sallyport/",
        credential: CREDENTIAL,
        node: "n1",
        clock,
        send: sendBounded,
      }),
    ({ body }) => body.trimEnd().split("\n").map(uidOf),
    ({ url, headers, body }) => {
      const time = String(headers["x-amz-date"]).replace(
        /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/,
        "$1-$2-$3T$4:$5:$6Z",
      );
      const again = signV4(
        {
          method: "PUT",
          url: new URL(url, `http://${String(headers.host)}`),
          headers: { "content-type": String(headers["content-type"]) },
          body,
        },
        CREDENTIAL,
        Date.parse(time),
      );
      return (
        headers.authorization !== again["authorization"] || !/^\/audit\/sallyport\/n1\/\d{4}\/\d\d\/\d\d\//.test(url)
      );
    },
  );

const tlsFiles = join(import.meta.dirname, "../../testdata/tls");

function syslog(isTls: boolean): MakeReceiver {
  return async () => {
    const taken: string[] = [];
    const forged: string[] = [];
    const sockets = new Set<Socket>();
    const hear = (socket: Socket): void => {
      sockets.add(socket);
      let held = Buffer.alloc(0);
      socket.on("error", () => socket.destroy());
      socket.on("close", () => sockets.delete(socket));
      socket.on("data", (chunk: Buffer) => {
        held = Buffer.concat([held, chunk]);
        for (;;) {
          const [head, length] = /^(\d+) /.exec(held.toString("latin1", 0, 12)) ?? [];
          if (head === undefined || held.length < head.length + Number(length)) return;
          const message = held.toString("utf8", head.length, head.length + Number(length));
          held = held.subarray(head.length + Number(length));
          const parts =
            /^<(\d+)>1 \S+ \S+ sallyport - \S+ \[sallyport@32473 uid="([^"]+)" environment="[^"]+"\] (\{.*\})$/.exec(
              message,
            );
          if (parts?.[2] !== uidOf(parts?.[3] ?? "{}")) forged.push(message);
          taken.push(parts?.[2] ?? message);
        }
      });
    };
    const make = (): Server =>
      isTls
        ? createTls(
            { key: readFileSync(join(tlsFiles, "one-key.pem")), cert: readFileSync(join(tlsFiles, "one.pem")) },
            hear,
          )
        : createTcp(hear);
    let server = make();
    const listen = (port: number): Promise<void> => new Promise((resolve) => server.listen(port, "127.0.0.1", resolve));
    await listen(0);
    const { port } = server.address() as AddressInfo;
    const shut = async (): Promise<void> => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    };
    return {
      sink: () =>
        new SyslogSink({
          host: "127.0.0.1",
          port,
          tls: isTls ? { ca: readFileSync(join(tlsFiles, "one.pem"), "utf8") } : null,
          hostname: "n1",
        }),
      uids: () => taken,
      down: shut,
      async up() {
        server = make();
        await listen(port);
      },
      refuse: null,
      forged,
      close: shut,
    };
  };
}

const file: MakeReceiver = async (root) => {
  const path = join(root, "records.jsonl");
  return {
    sink: () => new FileSink({ path, rotateBytes: 1e9, keep: 1 }),
    uids: () => readFileSync(path, "utf8").trimEnd().split("\n").map(uidOf),
    // A folder of that name: it cannot be opened for writing.
    down: async () => mkdirSync(path),
    up: async () => rmSync(path, { recursive: true }),
    refuse: null,
    forged: [],
    close: async () => undefined,
  };
};

export const receivers: Readonly<Record<string, MakeReceiver>> = {
  file,
  "syslog over TLS": syslog(true),
  "syslog over TCP": syslog(false),
  otlp,
  webhook,
  s3,
};
