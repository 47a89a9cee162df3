import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, it } from "vitest";
import { formatKeyText } from "@sallyport/protocol";
import { AdminClient } from "./admin-client.ts";
import { exchangeToken, resolveCredential } from "./credential/index.ts";
import { logIn, logOut } from "./log-in.ts";
import { listOwnKeys } from "./own-keys.ts";
import { sallyportFetch } from "./sallyport-fetch.ts";
import { signingFetch } from "./signing-fetch.ts";
import { openTicket } from "./ticket.ts";
import { isSafeTransport } from "./transport.ts";

const KEY = formatKeyText("sp", "dev", "aaaaaaaaaaaa", "s".repeat(43));
const TICKET = formatKeyText("spt", "dev", "aaaaaaaaaaaa", "s".repeat(43));

it.each([
  ["https://gateway.example.org", true],
  ["http://127.0.0.1:1", true],
  ["http://127.8.9.1:1", true],
  ["http://[::1]:1", true],
  ["http://localhost:1", true],
  ["http://0x7f.1", true],
  ["http://vm.example.org", false],
  ["http://10.0.0.1", false],
  ["http://0.0.0.0", false],
  ["http://localhost.example.org", false],
  ["http://127.0.0.1.example.org", false],
  ["http://127.0.0.1@example.org", false],
  ["http://[::ffff:10.0.0.1]", false],
  ["ftp://127.0.0.1", false],
])("%s: %s", (address, isSafe) => expect(isSafeTransport(address)).toBe(isSafe));

/** Every way in which this library sends a credential. */
const url = "http://vm.example.org:11436";
const env = { SALLYPORT_API_KEY: KEY, SALLYPORT_CREDENTIALS: "", HOME: "/nonexistent" };
const send: typeof fetch = async () => {
  throw new Error("it was sent");
};
const ways: Readonly<Record<string, () => unknown>> = {
  "the admin API": () => new AdminClient({ url, key: "spa_x" }),
  "a log-in": () => logIn({ url, environment: "dev", onCode: () => {}, fetch: send }),
  "a log-out": () => logOut({ url, environment: "dev", fetch: send }, KEY),
  "a person's keys": () => listOwnKeys({ url, session: KEY, fetch: send }),
  "a ticket": () => openTicket(TICKET, { url, fetch: send }),
  "an exchange": () => exchangeToken({ url, env, fetch: send }),
  "a credential for a program": () => resolveCredential({ url, env }),
  "fetch with a credential": () => sallyportFetch({ url, env, fetch: send }),
  "fetch that signs and sends a key": () =>
    signingFetch({ gateway: url, environment: "dev", key: KEY, fetch: send, signer: {} as never }),
};

it.each(Object.keys(ways))("%s is not sent in the clear", async (name) => {
  await expect((async () => ways[name]!())()).rejects.toMatchObject({ code: "transport_unsafe" });
});

it("an address that does not answer is named, with the reason", async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  const nobody = `http://127.0.0.1:${port}`;
  const failure = { name: "GatewayUnreachable", where: nobody, code: "ECONNREFUSED" };
  await expect(listOwnKeys({ url: nobody, session: KEY })).rejects.toMatchObject(failure);
  await expect(new AdminClient({ url: nobody, key: "spa_x" }).call("status")).rejects.toMatchObject(failure);
});
