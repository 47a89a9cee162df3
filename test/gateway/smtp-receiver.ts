/** A mail server for tests: as much of SMTP as a sender needs, in the clear, with STARTTLS, or TLS from the first byte. */
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo, Server, Socket } from "node:net";
import { join } from "node:path";
import { createServer as createTlsServer, TLSSocket } from "node:tls";

const files = join(import.meta.dirname, "../../testdata/tls");
const pair = { key: readFileSync(join(files, "one-key.pem")), cert: readFileSync(join(files, "one.pem")) };
/** The certificate's own: it vouches for itself. */
export const testAuthority = readFileSync(join(files, "one.pem"), "utf8");

export interface ReceivedMail {
  readonly isEncrypted: boolean;
  readonly from: string;
  readonly to: readonly string[];
  /** As it was sent: header, empty line, body. */
  readonly raw: string;
}

export class SmtpReceiver {
  readonly mails: ReceivedMail[] = [];
  /** Commands as they came, but for what lies between DATA and its end. */
  readonly commands: string[] = [];
  /** What AUTH PLAIN said. */
  readonly logIns: string[] = [];
  /** Answers to the next commands of that name, each once. */
  readonly answers: { readonly command: string; readonly answer: string }[] = [];
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #hasStartTls: boolean;
  #onMail: () => void = () => {};

  constructor({ isTls = false, hasStartTls = false } = {}) {
    this.#hasStartTls = hasStartTls;
    const greet = (socket: Socket): void => {
      socket.write("220 test ESMTP\r\n");
      this.#talk(socket, isTls);
    };
    this.#server = isTls ? createTlsServer(pair, greet) : createServer(greet);
    this.#server.on("tlsClientError", () => {});
  }

  async listen(): Promise<number> {
    await once(this.#server.listen(0, "127.0.0.1"), "listening");
    return (this.#server.address() as AddressInfo).port;
  }

  /** Resolves when so many have come. */
  async hear(count: number): Promise<readonly ReceivedMail[]> {
    while (this.mails.length < count) await new Promise<void>((resolve) => (this.#onMail = resolve));
    return this.mails;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #talk(socket: Socket, isEncrypted: boolean): void {
    this.#sockets.add(socket);
    socket.on("close", () => this.#sockets.delete(socket)).on("error", () => {});
    let rest = "";
    let data: string | null = null;
    let from = "";
    let to: string[] = [];
    socket.setEncoding("latin1");
    const onText = (text: string): void => {
      rest += text;
      for (;;) {
        const end = rest.indexOf("\r\n");
        if (end < 0) return;
        const line = rest.slice(0, end);
        rest = rest.slice(end + 2);
        if (data !== null) {
          if (line !== ".") data += `${line.replace(/^\./, "")}\r\n`;
          else {
            const raw = data;
            data = null;
            const answer = this.#prepared(".");
            if (answer === undefined) this.mails.push({ isEncrypted, from, to, raw });
            [from, to] = ["", []];
            socket.write(answer ?? "250 taken\r\n");
            this.#onMail();
          }
          continue;
        }
        this.commands.push(line);
        const command = line.split(/[ :]/)[0]!.toUpperCase();
        const prepared = this.#prepared(command);
        if (prepared !== undefined) socket.write(prepared);
        else if (command === "EHLO")
          socket.write(`250-test\r\n${this.#hasStartTls && !isEncrypted ? "250-STARTTLS\r\n" : ""}250 AUTH PLAIN\r\n`);
        else if (command === "STARTTLS" && this.#hasStartTls) {
          socket.removeListener("data", onText);
          socket.write("220 go on\r\n");
          const secured = new TLSSocket(socket, { isServer: true, ...pair });
          this.#talk(secured, true);
          return;
        } else if (command === "AUTH") {
          this.logIns.push(Buffer.from(line.split(" ")[2] ?? "", "base64").toString());
          socket.write("235 welcome\r\n");
        } else if (command === "DATA") {
          data = "";
          socket.write("354 go on\r\n");
        } else if (command === "QUIT") socket.end("221 bye\r\n");
        else {
          if (command === "MAIL") from = addressOf(line);
          if (command === "RCPT") to.push(addressOf(line));
          socket.write(/^(?:MAIL|RCPT|RSET|NOOP)$/.test(command) ? "250 well\r\n" : "502 what\r\n");
        }
      }
    };
    socket.on("data", onText);
  }

  #prepared(command: string): string | undefined {
    const at = this.answers.findIndex((one) => one.command === command);
    return at < 0 ? undefined : this.answers.splice(at, 1)[0]!.answer;
  }
}

function addressOf(line: string): string {
  return /<([^>]*)>/.exec(line)?.[1] ?? "";
}
