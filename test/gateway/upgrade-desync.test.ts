/**
 * Node drops what comes behind an offer to upgrade in the same piece. What follows on that connection would begin in the
 * middle of a request, so that one request's body could be run as another request: no connection goes on after an offer.
 */
import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startGateway } from "./started-gateway.ts";
import type { StartedGateway } from "./started-gateway.ts";

let gateway: StartedGateway;
let key: string;
beforeAll(async () => {
  gateway = await startGateway();
  ({ key } = await gateway.issue());
});
afterAll(() => gateway.stop());

/** All that comes until the connection ends; the second piece is sent when the first answer begins. */
function exchange(url: string, first: string, second: string): Promise<string> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    let text = "";
    const socket = connect(Number(port), hostname, () => socket.write(first));
    socket.setEncoding("latin1").once("data", () => socket.write(second, () => {}));
    socket.on("data", (piece: string) => void (text += piece)).on("close", () => resolve(text));
    socket.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "ECONNRESET" && error.code !== "EPIPE") reject(error);
    });
  });
}

const OFFER = "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n";
const hidden = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`;
/** The head of a request whose body is a request. */
const outer = (path: string): string =>
  `POST ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${hidden("/healthz").length}\r\n\r\n`;

describe.each(["data plane", "admin API"])("on the %s", (plane) => {
  const url = (): string => (plane === "data plane" ? gateway.url : gateway.gateway.adminUrl);

  test.each(["Upgrade: h2c", "Upgrade: websocket", "UPGRADE: TLS/1.2, h2c"])(
    "after %s the connection ends, and no body behind it becomes a request",
    async (upgrade) => {
      const first = `GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\n${upgrade}\r\n\r\n`;
      const text = await exchange(url(), first + outer("/api/chat"), hidden("/healthz"));
      expect(text.match(/HTTP\/1\.1 \d+/g)).toEqual(["HTTP/1.1 200"]);
      expect(text.toLowerCase()).toContain("connection: close");
    },
  );
});

test("a chat that offers an upgrade is answered, and what is pipelined behind it is not", async () => {
  const body = JSON.stringify({ model: "llama3.2", stream: false, messages: [{ role: "user", content: "hi" }] });
  const head = `POST /api/chat HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${key}\r\nContent-Type: application/json\r\n`;
  const chat = `${head}${OFFER}Content-Length: ${body.length}\r\n\r\n${body}`;
  const chunked = `${head}${OFFER}Transfer-Encoding: chunked\r\n\r\n${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`;
  for (const request of [chat, chunked]) {
    const before = gateway.upstream().deeds.length;
    const text = await exchange(gateway.url, request + outer("/api/chat"), hidden("/healthz"));
    expect(text.match(/HTTP\/1\.1 \d+/g)).toEqual(["HTTP/1.1 200"]);
    expect(gateway.upstream().deeds.length).toBe(before + 1);
  }
});
