/** An upstream that is down, slow, broken or dying: the caller is told, the record says so, nothing hangs. */
import { once } from "node:events";
import { connect } from "node:net";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { codeOf, startGateway } from "./started-gateway.ts";
import type { StartedGateway } from "./started-gateway.ts";
import { closedUrl } from "../upstream/free-port.ts";

let gateway: StartedGateway;
let key: string;
let url: string;
const body = { model: "llama3.2", messages: [{ role: "user", content: "x" }] };

beforeAll(async () => {
  gateway = await startGateway();
  ({ key } = await gateway.issue());
  ({ url } = (await gateway.admin<{ upstreams: { url: string }[] }>("GET", "/v1/upstreams")).upstreams[0]!);
});
afterAll(() => gateway.stop());
beforeEach(() => void (gateway.upstream().intercept = undefined));

function chunk(content: string): string {
  return `{"model":"m","created_at":"x","message":{"role":"assistant","content":"${content}"},"done":false}\n`;
}

describe("an upstream", () => {
  test("that is down: 502", async () => {
    await gateway.apply(`environments:\n  dev:\n    upstreams: [{ url: "${await closedUrl()}" }]\n`);
    const answer = await gateway.post("/api/chat", key, body);
    expect([answer.status, codeOf(await answer.text())]).toEqual([502, "upstream_unreachable"]);
    expect(await gateway.lastOutcome()).toMatchObject({ outcome: "unreachable" });
    await gateway.apply(`environments:\n  dev:\n    upstreams: [{ url: "${url}" }]\n`);
  });

  test("that does not answer in time: 504", async () => {
    await gateway.apply(`environments:\n  dev:\n    upstreams: [{ url: "${url}", timeout: 1s }]\n`);
    gateway.upstream().intercept = () => true;
    const answer = await gateway.post("/api/chat", key, body);
    expect([answer.status, codeOf(await answer.text())]).toEqual([504, "upstream_timeout"]);
    expect(await gateway.lastOutcome()).toMatchObject({ outcome: "timed_out" });
    await gateway.apply(`environments:\n  dev:\n    upstreams: [{ url: "${url}" }]\n`);
  });

  test("that is a web page: 502, and nothing of it is shown", async () => {
    gateway.upstream().intercept = (_seen, response) => {
      response.writeHead(200, { "content-type": "text/html; charset=utf-8" }).end("<html>sign in</html>");
      return true;
    };
    for (const path of ["/api/chat", "/v1/chat/completions", "/v1/messages"]) {
      const answer = await gateway.post(path, key, { ...body, max_tokens: 9 });
      const text = await answer.text();
      expect([path, answer.status, codeOf(text)]).toEqual([path, 502, "upstream_broken"]);
      expect(text).not.toContain("sign in");
      expect(await gateway.lastOutcome()).toMatchObject({ outcome: "broken" });
    }
  });

  test("that dies in the middle: a last line says so, and the record", async () => {
    gateway.upstream().intercept = (_seen, response) => {
      response.writeHead(200, { "content-type": "application/x-ndjson" });
      response.write(chunk("a"), () => response.destroy());
      return true;
    };
    const answer = await gateway.post("/api/chat", key, body);
    const lines = (await answer.text()).trim().split("\n");
    expect(codeOf(lines.at(-1)!)).toBe("upstream_broken");
    expect(await gateway.lastOutcome()).toMatchObject({ outcome: "incomplete", is_estimated: true });
  });

  test("that ends cleanly without its terminal mark: not taken for whole", async () => {
    gateway.upstream().intercept = (_seen, response) => {
      response.writeHead(200, { "content-type": "application/x-ndjson" }).end(chunk("a"));
      return true;
    };
    const text = await (await gateway.post("/api/chat", key, body)).text();
    expect(codeOf(text.trim().split("\n").at(-1)!)).toBe("upstream_broken");
    expect(await gateway.lastOutcome()).toMatchObject({ outcome: "incomplete" });
  });

  test("that puts an error into its stream", async () => {
    gateway.upstream().intercept = (_seen, response) => {
      response
        .writeHead(200, { "content-type": "application/x-ndjson" })
        .end(`${chunk("a")}{"error":"boom","signin_url":"https://x/"}\n`);
      return true;
    };
    const text = await (await gateway.post("/api/chat", key, body)).text();
    expect(text).toContain("boom");
    expect(text).not.toContain("signin_url");
    expect(await gateway.lastOutcome()).toMatchObject({ outcome: "upstream_error" });
  });

  test("that redirects: never followed, its address never shown", async () => {
    gateway.upstream().intercept = (_seen, response) => {
      response.writeHead(302, { location: "http://169.254.169.254/" }).end();
      return true;
    };
    const answer = await gateway.post("/api/chat", key, body);
    expect([answer.status, codeOf(await answer.text()), answer.headers.get("location")]).toEqual([
      502,
      "upstream_broken",
      null,
    ]);
  });

  test("whose 401 does not look like one of ours: the words pass, the sign-in link does not", async () => {
    gateway.upstream().intercept = (_seen, response) => {
      response
        .writeHead(401, { "content-type": "application/json", "set-cookie": "a=b" })
        .end('{"error":"unauthorized","signin_url":"https://x/"}');
      return true;
    };
    const answer = await gateway.post("/api/chat", key, body);
    const text = await answer.text();
    expect([answer.status, codeOf(text), answer.headers.get("set-cookie")]).toEqual([502, "upstream_denied", null]);
    expect(text).toContain("unauthorized");
    expect(text).not.toContain("https://x/");
  });

  test("that sends faster than the caller reads: held back", async () => {
    const line = Buffer.from(chunk("x".repeat(10_000)));
    let sent = 0;
    gateway.upstream().intercept = (_seen, response) => {
      response.writeHead(200, { "content-type": "application/x-ndjson" });
      const more = (): void => {
        while (!response.destroyed && response.write(line)) sent += line.length;
      };
      response.on("drain", more);
      more();
      return true;
    };
    const { hostname, port } = new URL(gateway.url);
    const sentBody = JSON.stringify(body);
    const socket = connect(Number(port), hostname);
    socket.write(
      `POST /api/chat HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer ${key}\r\ncontent-length: ${sentBody.length}\r\n\r\n${sentBody}`,
    );
    await once(socket, "readable");
    // The caller reads nothing more. What the upstream can send is what the sockets on the way hold; without holding back
    // it would go on for ever.
    for (let still = 0, before = -1; still < 2_000; still++) {
      if (sent !== before) still = 0;
      before = sent;
      expect(sent).toBeLessThan(128 * 1024 * 1024);
      await new Promise((resolve) => setImmediate(resolve));
    }
    socket.destroy();
    expect(await gateway.lastOutcome()).toMatchObject({ outcome: "client_gone" });
  });

  test("that sends much at once to a caller who reads: nothing is lost", async () => {
    const lines = 2_000;
    gateway.upstream().intercept = (_seen, response) => {
      response.writeHead(200, { "content-type": "application/x-ndjson" });
      for (let n = 0; n < lines; n++) response.write(chunk(`${n} ${"x".repeat(1000)}`));
      response.end('{"done":true,"eval_count":1,"prompt_eval_count":1}\n');
      return true;
    };
    const text = await (await gateway.post("/api/chat", key, body)).text();
    const seen = text.trim().split("\n");
    expect(seen.length).toBe(lines + 1);
    expect(seen.every((said, n) => n === lines || said.includes(`"content":"${n} `))).toBe(true);
    expect(await gateway.lastOutcome()).toMatchObject({ outcome: "served", output_tokens: 1 });
  });
});
