/**
 * Syslog messages (RFC 5424) over TLS (RFC 5425), or over TCP on loopback, framed by their length in octets (RFC 6587,
 * 3.4.1). Syslog answers nothing: a batch counts as taken when the connection's buffer took it. So the last batch before
 * a connection broke is sent again on the next one; its uid stands in the structured data.
 */
import { connect as connectTcp } from "node:net";
import type { Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { severityOf } from "./outgoing.ts";
import { taken } from "./sink.ts";
import type { Delivered, Outgoing, Sink } from "./sink.ts";

export interface SyslogSinkOptions {
  readonly host: string;
  readonly port: number;
  /** Null = TCP. `ca` in PEM; without one the system's. */
  readonly tls: { readonly ca: string | null } | null;
  /** As the messages name this machine. */
  readonly hostname: string;
}

/** `log audit` (RFC 5424, table 1). */
const FACILITY = 13;
const TIMEOUT_MS = 10_000;
/** OCSF's severities 1 to 5 as syslog's: info, notice, warning, error, critical. */
const SEVERITIES = [6, 6, 5, 4, 3, 2] as const;

export class SyslogSink implements Sink {
  readonly batch = { records: 200, lingerMs: 0 };
  readonly #options: SyslogSinkOptions;
  #socket: Socket | null = null;
  /** What was written last: the receiver has not confirmed it. */
  #unproven = "";

  constructor(options: SyslogSinkOptions) {
    this.#options = options;
  }

  async send(batch: readonly Outgoing[]): Promise<Delivered> {
    const frames = batch.map((one) => frame(syslogMessage(one, this.#options.hostname))).join("");
    if (!this.#socket) {
      const socket = await this.#connect();
      this.#socket = socket;
      if (this.#unproven !== "" && this.#unproven !== frames) await this.#write(socket, this.#unproven);
    }
    await this.#write(this.#socket, frames);
    this.#unproven = frames;
    return taken;
  }

  async close(): Promise<void> {
    const socket = this.#socket;
    this.#socket = null;
    if (!socket) return;
    await new Promise<void>((resolve) => {
      socket.once("close", () => resolve());
      socket.setTimeout(TIMEOUT_MS, () => socket.destroy());
      socket.end();
    });
  }

  #connect(): Promise<Socket> {
    const { host, port, tls } = this.#options;
    return new Promise((resolve, reject) => {
      const socket = tls
        ? connectTls({ host, port, minVersion: "TLSv1.2", ...(tls.ca === null ? {} : { ca: tls.ca }) })
        : connectTcp({ host, port });
      const late = setTimeout(() => socket.destroy(new Error("the connection took too long")), TIMEOUT_MS);
      socket.once(tls ? "secureConnect" : "connect", () => {
        clearTimeout(late);
        socket.setKeepAlive(true, 30_000);
        resolve(socket);
      });
      socket.on("error", reject);
      socket.once("close", () => {
        clearTimeout(late);
        if (this.#socket === socket) this.#socket = null;
        reject(new Error("the connection was closed"));
      });
      // A receiver says nothing; what it says all the same is not kept.
      socket.resume();
    });
  }

  #write(socket: Socket, text: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const broken = (): void => reject(new Error("the connection broke"));
      const late = setTimeout(() => socket.destroy(), TIMEOUT_MS);
      socket.once("close", broken);
      socket.write(text, (cause) => {
        clearTimeout(late);
        socket.off("close", broken);
        if (cause) reject(cause);
        else resolve();
      });
    });
  }
}

/** `<PRI>1 TIME HOST APP PROCID MSGID [data] text` */
export function syslogMessage({ uid, record, text }: Outgoing, hostname: string): string {
  const priority = FACILITY * 8 + (SEVERITIES[severityOf(record)] ?? 6);
  const time = new Date(record.at).toISOString();
  const data = `[sallyport@32473 uid="${escaped(uid)}" environment="${escaped(record.environment)}"]`;
  return `<${priority}>1 ${time} ${word(hostname, 255)} sallyport - ${word(record.type, 32)} ${data} ${text}`;
}

function frame(message: string): string {
  return `${Buffer.byteLength(message)} ${message}`;
}

/** Printable ASCII without blanks; `-` where nothing is left (RFC 5424, section 6). */
function word(text: string, most: number): string {
  const kept = text.replace(/[^\x21-\x7e]/g, "").slice(0, most);
  return kept === "" ? "-" : kept;
}

/** Of a value in structured data (RFC 5424, section 6.3.3). */
function escaped(text: string): string {
  return text.replace(/["\\\]]/g, "\\$&");
}
