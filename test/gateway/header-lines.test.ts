/** What a request says in its header lines is what was sent: none is cut, joined or dropped before it is judged. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { codeOf, rawRequest, startGateway } from "./started-gateway.ts";
import type { StartedGateway } from "./started-gateway.ts";

let gateway: StartedGateway;
let key: string;
beforeAll(async () => {
  gateway = await startGateway({
    settings: { trustedProxies: ["127.0.0.1/32"] },
    environmentYaml: "    require: [network]\n    networks: [10.1.0.0/16]\n",
  });
  ({ key } = await gateway.issue());
});
afterAll(() => gateway.stop());

const junk = (count: number): string => "x-junk: a\r\n".repeat(count);
const list = (lines: string): string =>
  `GET /api/tags HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer ${key}\r\n${lines}connection: close\r\n\r\n`;

test("a proxy's line counts wherever it stands, and more lines than are read are rejected", async () => {
  const inside = "x-forwarded-for: 10.1.0.5\r\n";
  const outside = "x-forwarded-for: 192.0.2.1\r\n";
  expect((await gateway.raw(list(inside))).status).toBe(200);
  expect((await gateway.raw(list(outside))).status).toBe(403);
  // The client's own line first, then the proxy's, behind as many as are allowed.
  expect((await gateway.raw(list(`${inside}${junk(94)}${outside}`))).status).toBe(403);
  for (const count of [97, 98, 120, 500]) {
    const answer = await gateway.raw(list(`${inside}${junk(count)}${outside}`));
    expect([answer.status, codeOf(answer.body)]).toEqual([431, "headers_too_large"]);
  }
});

test("a body that is announced behind many lines is seen", async () => {
  const answer = await gateway.raw(
    `POST /api/chat HTTP/1.1\r\nhost: localhost\r\n${junk(97)}content-length: 100000\r\n\r\n{`,
  );
  expect([answer.status, answer.headers["connection"]]).toEqual([401, "close"]);
});

test("the admin API rejects too many lines, and one that decides and comes twice", async () => {
  const ask = async (lines: string): Promise<[number, string]> => {
    const answer = await rawRequest(
      gateway.gateway.adminUrl,
      `GET /v1/keys HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer ${gateway.adminKey}\r\n${lines}connection: close\r\n\r\n`,
    );
    return [answer.status, answer.status === 200 ? "" : codeOf(answer.body)];
  };
  expect(await ask(junk(97))).toEqual([200, ""]);
  expect(await ask(junk(98))).toEqual([431, "headers_too_large"]);
  for (const line of ["host: evil.example", "content-type: text/plain\r\ncontent-type: application/json"])
    expect(await ask(`${line}\r\n`)).toEqual([400, "header_malformed"]);
});
