/** TLS on both listeners, and a renewed certificate: seen by itself, on reload, and never half. */
import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "node:tls";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { CERTIFICATE_POLL_MS, initialize, openGateway } from "../program-under-test.ts";
import type { Gateway } from "../program-under-test.ts";
import { testSettings } from "./started-gateway.ts";

const kept = join(import.meta.dirname, "../../testdata/tls");
let root: string;
let gateway: Gateway;

function put(name: "one" | "two", what: "" | "-key"): void {
  copyFileSync(join(kept, `${name}${what}.pem`), join(root, `tls${what}.pem`));
}

/** The common names of the certificates that the two listeners show. */
function shown(): Promise<string[]> {
  return Promise.all(
    [gateway.dataUrl, gateway.adminUrl].map(
      (url) =>
        new Promise<string>((resolve, reject) => {
          const { hostname, port } = new URL(url);
          const socket = connect({ host: hostname, port: Number(port), rejectUnauthorized: false }, () => {
            resolve(String(socket.getPeerCertificate().subject.CN));
            socket.destroy();
          });
          socket.on("error", reject);
        }),
    ),
  );
}

beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), "sallyport-tls-"));
  put("one", "");
  put("one", "-key");
  const tls = { certificateFile: join(root, "tls.pem"), keyFile: join(root, "tls-key.pem") };
  const settings = testSettings(join(root, "data"), { tls });
  await initialize(settings);
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
  gateway = await openGateway(settings);
});
afterEach(async () => {
  vi.useRealTimers();
  await gateway.close(100);
  rmSync(root, { recursive: true, force: true });
});

it("a renewed certificate is shown to new connections without anybody doing anything", async () => {
  expect(gateway.dataUrl).toMatch(/^https:/);
  expect(await shown()).toEqual(["one.test", "one.test"]);
  put("two", "");
  vi.advanceTimersByTime(CERTIFICATE_POLL_MS);
  // The key is not there yet: the pair in use stays.
  expect(await shown()).toEqual(["one.test", "one.test"]);
  put("two", "-key");
  expect(await shown()).toEqual(["one.test", "one.test"]);
  vi.advanceTimersByTime(CERTIFICATE_POLL_MS);
  expect(await shown()).toEqual(["two.test", "two.test"]);
});

it("SIGHUP's reload reads it at once, and refuses a pair that does not fit without losing the old one", async () => {
  put("two", "");
  await expect(gateway.reload()).rejects.toMatchObject({ code: "input_invalid" });
  expect(await shown()).toEqual(["one.test", "one.test"]);
  put("two", "-key");
  await gateway.reload();
  expect(await shown()).toEqual(["two.test", "two.test"]);
});
