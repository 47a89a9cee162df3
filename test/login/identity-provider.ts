/** A certified OpenID provider on loopback, with two people and their groups. */
import { once } from "node:events";
import type { Server } from "node:http";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import Provider from "oidc-provider";

export const CLIENT_SECRET = "a secret of the gateway and its provider";

export class IdentityProvider {
  readonly groups: Record<string, readonly string[]> = { ada: ["ml-team"], bob: ["sales"] };
  url = "";
  #server: Server | null = null;

  /** `redirectUri` is the gateway's. */
  async listen(redirectUri: string): Promise<void> {
    let answer: ((request: never, response: never) => void) | null = null;
    const server = createServer((request, response) => answer!(request as never, response as never));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const provider = new Provider(this.url, {
      clients: [
        {
          client_id: "gateway",
          client_secret: CLIENT_SECRET,
          redirect_uris: [redirectUri],
          response_types: ["code"],
          grant_types: ["authorization_code"],
        },
      ],
      claims: { openid: ["sub", "oid", "groups", "preferred_username", "auth_time"], profile: [] },
      conformIdTokenClaims: false,
      cookies: { keys: ["for a test"] },
      pkce: { required: () => true },
      findAccount: (_context: unknown, id: string) => ({
        accountId: id,
        // As a provider that names a person differently in each application, and has another id of its directory.
        claims: () => ({
          sub: id,
          oid: `directory-id-of-${id}`,
          groups: this.groups[id] ?? [],
          preferred_username: id,
        }),
      }),
    } as never);
    answer = provider.callback() as never;
    this.#server = server;
  }

  /** Nobody answers any more. */
  async close(): Promise<void> {
    this.#server?.closeAllConnections();
    await new Promise((resolve) => this.#server?.close(resolve) ?? resolve(undefined));
  }
}
