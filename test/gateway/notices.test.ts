/** The webhook, from a change to a receiver that verifies its signature. */
import { createHmac } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { initialize, openGateway } from "../program-under-test.ts";
import { startGateway, testSettings } from "./started-gateway.ts";
import type { StartedGateway } from "./started-gateway.ts";

const SECRET = "a secret of the receiver and ours";
interface Heard {
  readonly type: string;
  readonly data: Readonly<Record<string, unknown>>;
}

let root: string;
let receiver: Server;
let url: string;
let gateway: StartedGateway | undefined;
let heard: Heard[];
let isForged: boolean;
let onNext: () => void;

beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), "sallyport-notices-"));
  writeFileSync(join(root, "secret"), `${SECRET}\n`);
  [heard, isForged, onNext] = [[], false, () => {}];
  receiver = createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (chunk: string) => (body += chunk));
    request.on("end", () => {
      const { "webhook-id": id, "webhook-timestamp": at, "webhook-signature": said } = request.headers;
      const wanted = `v1,${createHmac("sha256", SECRET)
        .update(`${String(id)}.${String(at)}.${body}`)
        .digest("base64")}`;
      isForged ||= said !== wanted;
      heard.push(JSON.parse(body) as Heard);
      response.writeHead(204).end();
      onNext();
    });
  });
  receiver.listen(0, "127.0.0.1");
  await once(receiver, "listening");
  url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/hook`;
});
afterEach(async () => {
  await gateway?.stop();
  gateway = undefined;
  receiver.closeAllConnections();
  receiver.close();
  rmSync(root, { recursive: true, force: true });
});

/** Resolves when the receiver has heard of that type. */
async function hear(type: string): Promise<Heard> {
  for (;;) {
    const found = heard.find((one) => one.type === type);
    if (found) return found;
    await new Promise<void>((resolve) => (onNext = resolve));
  }
}

it("tells of what happens to keys, signed, and of nothing else", async () => {
  gateway = await startGateway({
    settings: { notices: { url, secret: { kind: "file", path: join(root, "secret") } } },
  });
  const issued = await gateway.issue();
  await gateway.admin("POST", `/v1/keys/${issued.id}/rotate`, {});
  await gateway.admin("POST", `/v1/keys/${issued.id}/revoke`);
  expect((await hear("key.rotation_begun")).data).toMatchObject({ environment: "dev", key: issued.id });
  expect((await hear("key.revoked")).data).toMatchObject({ key: issued.id });
  expect(isForged).toBe(false);
  expect(heard.map(({ type }) => type)).not.toContain("key.issued");
  expect(JSON.stringify(heard)).not.toContain(issued.key.slice(-40));
});

it("without its secret the gateway does not start", async () => {
  const secret = { kind: "file", path: join(root, "no-such-file") } as const;
  const settings = testSettings(join(root, "data"), { notices: { url, secret } });
  await initialize(settings);
  await expect(openGateway(settings)).rejects.toMatchObject({
    code: "store_unavailable",
    message: expect.stringContaining("the secret of notices"),
  });
});
