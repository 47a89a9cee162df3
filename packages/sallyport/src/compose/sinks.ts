/** Sinks, joined; loaded only where the settings name one. */
import { readFileSync } from "node:fs";
import { appendFile, mkdir, open, readFile, rename } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { Problem, SYSTEM_REALM } from "@sallyport/protocol";
import { eventTypes } from "../audit/event.ts";
import type { SinkSettings } from "../config/sink-settings.ts";
import { sendBounded } from "../kernel/bounded-request.ts";
import type { Log } from "../kernel/log.ts";
import type { Registry } from "../outlets/metrics/registry.ts";
import { SinkDelivery } from "../outlets/sinks/delivery.ts";
import type { Cursor, DeliveryFigures } from "../outlets/sinks/delivery.ts";
import { FileSink } from "../outlets/sinks/file-sink.ts";
import { makeOutgoing } from "../outlets/sinks/outgoing.ts";
import { OtlpSink } from "../outlets/sinks/otlp-sink.ts";
import { S3Sink } from "../outlets/sinks/s3-sink.ts";
import type { Sink } from "../outlets/sinks/sink.ts";
import { SyslogSink } from "../outlets/sinks/syslog-sink.ts";
import { WebhookSink } from "../outlets/sinks/webhook-sink.ts";
import { dataPaths } from "../store/disk/data-paths.ts";
import { readNodeId } from "../store/state/node-id.ts";
import { VERSION } from "../version.ts";
import type { Core } from "./core.ts";
import { readSecret } from "./read-secret.ts";

export interface OpenSinks {
  figures(): readonly SinkFigures[];
  close(): Promise<void>;
}

export interface SinkFigures extends DeliveryFigures {
  readonly name: string;
  readonly type: SinkSettings["type"];
}

export type SinkCore = Pick<Core, "audit" | "changes" | "clock"> & {
  readonly store: Pick<Core["store"], "figures">;
};

/** Secret access keys may be shorter than what we would make. */
const ACCESS_KEY_LENGTH_MIN = 8;

/** Throws `store_unavailable` where a secret is missing. */
export async function openSinks(
  settings: readonly SinkSettings[],
  directory: string,
  core: SinkCore,
  registry: Registry,
  log: Log,
): Promise<OpenSinks> {
  const folder = dataPaths(directory).sinks;
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const node = readNodeId(directory);
  // Every secret is read before anything is sent anywhere.
  const made = settings.map((one) => ({ settings: one, sink: makeSink(one, node, core) }));
  const place = { folder, node };
  const open = made.map((one) => ({ ...one, delivery: deliver(one.settings, one.sink, place, core, log) }));
  const figures = (): SinkFigures[] =>
    open.map(({ settings: { name, type }, delivery }) => ({ name, type, ...delivery.figures() }));
  nameMetrics(registry, figures);
  return {
    figures,
    close: async () => void (await Promise.all(open.map(({ delivery }) => delivery.close()))),
  };
}

function makeSink(settings: SinkSettings, node: string, { clock }: SinkCore): Sink {
  const what = `the secret of the sink ${settings.name}`;
  const http = { node, clock, send: sendBounded };
  switch (settings.type) {
    case "file":
      return new FileSink(settings);
    case "syslog": {
      const { host, port, tls } = settings;
      return new SyslogSink({ host, port, tls: tls && { ca: readCa(tls.caFile) }, hostname: hostname() });
    }
    case "otlp": {
      const { url, authorization: source } = settings;
      const authorization = source && readSecret(source, what, ACCESS_KEY_LENGTH_MIN);
      const resource = { "service.name": "sallyport", "service.version": VERSION, "service.instance.id": node };
      return new OtlpSink({ url, authorization, resource, send: sendBounded });
    }
    case "webhook":
      return new WebhookSink({ ...http, url: settings.url, secret: readSecret(settings.secret, what) });
    case "s3": {
      const { endpoint, bucket, prefix, region, accessKeyId } = settings;
      const secretAccessKey = readSecret(settings.secretAccessKey, what, ACCESS_KEY_LENGTH_MIN);
      const credential = { accessKeyId, secretAccessKey, region, service: "s3" };
      return new S3Sink({ ...http, endpoint, bucket, prefix, credential });
    }
  }
}

function readCa(path: string | null): string | null {
  try {
    return path === null ? null : readFileSync(path, "utf8");
  } catch {
    throw new Problem("store_unavailable", `${path} (the authority of a sink) cannot be read`);
  }
}

interface SinkPlace {
  /** Where cursors and dead letters are. */
  readonly folder: string;
  readonly node: string;
}

function deliver(
  settings: SinkSettings,
  sink: Sink,
  { folder, node }: SinkPlace,
  core: SinkCore,
  log: Log,
): SinkDelivery {
  const { name, format, environments, classes } = settings;
  const types = classes && Object.entries(eventTypes).filter(([, of]) => classes.includes(of));
  const { clock, changes } = core;
  return new SinkDelivery({
    sink,
    filter: { ...(environments && { environments }), ...(types && { types: types.map(([type]) => type) }) },
    outgoing: makeOutgoing(format, { node, version: VERSION }),
    read: (filter) => core.audit.read(filter),
    newest: () => core.store.figures().records,
    cursor: cursorIn(join(folder, `${name}.json`)),
    deadLetter: (lines) => appendFile(join(folder, `${name}.dead.jsonl`), lines, { mode: 0o600, flush: true }),
    clock,
    pause: pauseFor,
    random: Math.random,
    onGap: async (first, last) => {
      const fields = { sink: name, first_seq: first, last_seq: last };
      const event = { type: "sink.gap", at: clock.now(), environment: SYSTEM_REALM, actor: "gateway", fields } as const;
      await changes.inTurn(() => changes.change({ operations: [], events: [event] }));
      log.error(fields, "records were removed before the sink had them");
    },
    onDeadLetter: (uid, reason) => log.warn({ sink: name, uid, reason }, "the sink does not take a record"),
    onTrouble: (reason) => log.warn({ sink: name, reason }, "records are not delivered"),
    onRecovery: () => log.info({ sink: name }, "records are delivered again"),
  });
}

function pauseFor(ms: number): { readonly over: Promise<void>; cancel(): void } {
  let end: () => void = () => {};
  const over = new Promise<void>((resolve) => (end = resolve));
  const timer = setTimeout(end, ms).unref();
  return {
    over,
    cancel() {
      clearTimeout(timer);
      end();
    },
  };
}

/**
 * `{"seq":N}`: written to a temporary file, synced, renamed. A file with other content is reported, not overwritten.
 */
function cursorIn(path: string): Cursor {
  return {
    async read() {
      const text = await readFile(path, "utf8").catch((cause: NodeJS.ErrnoException) => {
        if (cause.code === "ENOENT") return null;
        throw cause;
      });
      if (text === null) return null;
      const seq = /^\{"seq":(\d{1,15})\}\n$/.exec(text)?.[1];
      if (seq === undefined) throw new Error(`${path} is damaged: delete it to begin with what comes`);
      return Number(seq);
    },
    async write(seq) {
      const file = await open(`${path}.tmp`, "w", 0o600);
      try {
        await file.writeFile(`{"seq":${seq}}\n`);
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(`${path}.tmp`, path);
    },
  };
}

function nameMetrics(registry: Registry, figures: () => readonly SinkFigures[]): void {
  const name = (type: "counter" | "gauge", metric: string, help: string, read: (of: SinkFigures) => number): void =>
    registry.reading(type, `sallyport_sink_${metric}`, help, ["sink"], () =>
      figures().map((of) => [read(of), of.name]),
    );
  name("gauge", "lag_records", "Records a sink does not have yet.", (of) => of.lagRecords);
  name("gauge", "lag_seconds", "How long the oldest of them has waited.", (of) => of.lagSeconds);
  name("counter", "sent_total", "Records a sink has taken since the start.", (of) => of.sent);
  name("counter", "dead_lettered_total", "Records that a sink rejected permanently.", (of) => of.deadLettered);
  name("counter", "failures_total", "Attempts that failed.", (of) => of.failures);
}
