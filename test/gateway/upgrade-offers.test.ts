/** A client that offers to speak another protocol is answered in the one it spoke; its connection ends after that answer. */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startGateway } from "./started-gateway.ts";
import type { StartedGateway } from "./started-gateway.ts";

let gateway: StartedGateway;
let key: string;
beforeAll(async () => {
  gateway = await startGateway();
  ({ key } = await gateway.issue());
});
afterAll(() => gateway.stop());

const OFFERS = {
  h2c: "connection: Upgrade, HTTP2-Settings\r\nupgrade: h2c\r\nhttp2-settings: AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA\r\n",
  websocket:
    "connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n",
  tls: "connection: upgrade\r\nupgrade: TLS/1.2\r\n",
};
const BODY = JSON.stringify({ model: "llama3.2", stream: false, messages: [{ role: "user", content: "hi" }] });

/** Sends the requests, each on a connection of its own; their status codes. */
async function statusesApart(requests: readonly (readonly string[])[]): Promise<string[]> {
  const statuses: string[] = [];
  for (const request of requests) statuses.push(...(await statusesOf([request])));
  return statuses;
}

/** Sends one request after another on one connection, each when the one before is answered; their status lines. */
function statusesOf(requests: readonly (readonly string[])[]): Promise<string[]> {
  const { hostname, port } = new URL(gateway.url);
  return new Promise((resolve, reject) => {
    const statuses: string[] = [];
    let text = "";
    const next = (): void => requests[statuses.length]?.forEach((piece) => socket.write(piece));
    const socket = connect(Number(port), hostname, next);
    socket.on("error", reject).on("close", () => resolve(statuses));
    socket.on("data", (chunk: Buffer) => {
      text += chunk.toString("latin1");
      const head = /^HTTP\/1\.1 (\d+)[^]*?\r\ncontent-length: (\d+)\r\n[^]*?\r\n\r\n/i.exec(text);
      if (!head || text.length < head[0].length + Number(head[2])) return;
      text = "";
      statuses.push(head[1]!);
      if (statuses.length === requests.length) socket.destroy();
      else next();
    });
  });
}

test.each(Object.entries(OFFERS))(
  "%s: a chat with a body is answered, and so is a listing",
  async (_, offer) => {
    const head = `host: localhost\r\nauthorization: Bearer ${key}\r\n`;
    const chat = `POST /api/chat HTTP/1.1\r\n${head}${offer}content-type: application/json\r\ncontent-length: ${BODY.length}\r\n\r\n`;
    const requests = [[chat, BODY], [`GET /api/tags HTTP/1.1\r\n${head}${offer}\r\n`], [chat + BODY]];
    expect(await statusesApart(requests)).toEqual(["200", "200", "200"]);
  },
  10_000,
);

test("an offer without a credential is denied as any other request", async () => {
  const answer = await gateway.raw(
    `GET /api/tags HTTP/1.1\r\nhost: localhost\r\n${OFFERS.h2c}connection: close\r\n\r\n`,
  );
  expect(answer.status).toBe(401);
});

test("on the admin API, too", async () => {
  const { hostname, port } = new URL(gateway.gateway.adminUrl);
  const status = await new Promise<string>((resolve, reject) => {
    const socket = connect(Number(port), hostname, () =>
      socket.write(`GET /healthz HTTP/1.1\r\nhost: localhost\r\n${OFFERS.h2c}\r\n`),
    );
    socket.on("error", reject).once("data", (chunk: Buffer) => {
      socket.destroy();
      resolve(chunk.toString("latin1").slice(0, 12));
    });
  });
  expect(status).toBe("HTTP/1.1 200");
});

const JAVA = `
import java.net.URI; import java.net.http.*;
public class DefaultClient { public static void main(String[] a) throws Exception {
  HttpClient client = HttpClient.newHttpClient();
  for (int i = 0; i < 3; i++) {
    HttpRequest request = HttpRequest.newBuilder(URI.create(a[0] + "/api/chat")).header("Authorization", "Bearer " + a[1])
      .header("Content-Type", "application/json").POST(HttpRequest.BodyPublishers.ofString(a[2])).build();
    System.out.print(client.send(request, HttpResponse.BodyHandlers.ofString()).statusCode() + " ");
  } } }`;
const hasJava = spawnSync("javac", ["-version"]).status === 0;

test.skipIf(!hasJava)("Java's HttpClient chats with its default settings", () => {
  const directory = mkdtempSync(join(tmpdir(), "sallyport-java-"));
  try {
    const file = join(directory, "DefaultClient.java");
    writeFileSync(file, JAVA);
    execFileSync("javac", ["-d", directory, file]);
    const command = ["-cp", directory, "DefaultClient", gateway.url, key, BODY];
    // It must not hold up this process, which is the gateway as well.
    return new Promise<void>((resolve, reject) => {
      void import("node:child_process").then(({ execFile }) =>
        execFile("java", command, (error, out) => {
          if (error) return reject(error);
          expect(out.trim()).toBe("200 200 200");
          resolve();
        }),
      );
    }).finally(() => rmSync(directory, { recursive: true, force: true }));
  } catch (cause) {
    rmSync(directory, { recursive: true, force: true });
    throw cause;
  }
});
