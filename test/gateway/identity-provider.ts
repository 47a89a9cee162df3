/** An identity provider on loopback: keys, an event stream to be polled, a directory, and what it pushes to a gateway. */
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { IdentitySettings } from "../program-under-test.ts";
import { CAEP, CLIENT, eventClaims, logOutClaims, makeSigning, sign } from "../identity/token-maker.ts";
import type { Signing } from "../identity/token-maker.ts";

export const SECRET_VARIABLE = "SALLYPORT_TEST_IDENTITY_SECRET";
export const SECRET = "the-secret-of-the-provider-0123456789";
const AUDIENCE = "https://sallyport.example.org";

export class IdentityProvider {
  readonly #server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      if (this.isDown) response.writeHead(503).end();
      else
        response
          .setHeader("content-type", "application/json")
          .end(this.#answer(request.url ?? "", Buffer.concat(chunks).toString("utf8")));
    });
  });
  #signing: Signing | undefined;
  isDown = false;
  url = "";
  /** What the directory lists. */
  users: { id: string; active: boolean }[] = [];
  groups: { displayName: string; members: { value: string }[] }[] = [];
  readonly waiting = new Map<string, string>();

  async start(): Promise<this> {
    process.env[SECRET_VARIABLE] = SECRET;
    this.#signing = await makeSigning("1");
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
    this.url = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
    return this;
  }

  /** Looks are a day apart: a test asks for each. */
  get settings(): IdentitySettings {
    const secret = { kind: "env", name: SECRET_VARIABLE } as const;
    const everyMs = 86_400_000;
    return {
      providers: [
        {
          name: "corp",
          issuer: this.url,
          keysUrl: `${this.url}/jwks`,
          transmitter: null,
          audience: AUDIENCE,
          clientId: CLIENT,
          hasExternalIds: true,
          mayNameByEmail: false,
          groupsClaim: "groups",
          push: { secret },
          poll: { url: `${this.url}/poll`, secret, everyMs },
          directory: { url: `${this.url}/scim`, secret, everyMs, subject: "id" },
        },
      ],
    };
  }

  #answer(url: string, body: string): string {
    if (url === "/jwks") return JSON.stringify({ keys: [this.#signing!.jwk] });
    if (url === "/poll") {
      const { ack = [], maxEvents } = JSON.parse(body) as { ack?: string[]; maxEvents?: number };
      for (const id of ack) this.waiting.delete(id);
      return JSON.stringify({ sets: maxEvents === 0 ? {} : Object.fromEntries(this.waiting) });
    }
    const all = url.startsWith("/scim/Users") ? this.users : this.groups;
    return JSON.stringify({ totalResults: all.length, Resources: all });
  }

  event(subject: string, type: string, event: object, jti: string): Promise<string> {
    return this.#event(subject, `${CAEP}${type}`, event, jti);
  }

  riscEvent(subject: string, type: string, jti: string): Promise<string> {
    return this.#event(subject, `https://schemas.openid.net/secevent/risc/event-type/${type}`, {}, jti);
  }

  async #event(subject: string, type: string, event: object, jti: string): Promise<string> {
    const claims = eventClaims(type, event, {
      iss: this.url,
      aud: AUDIENCE,
      jti,
      iat: Math.floor(Date.now() / 1_000),
      sub_id: { format: "iss_sub", iss: this.url, sub: subject },
    });
    return sign(this.#signing!, claims, { typ: "secevent+jwt" });
  }

  async logOutToken(subject: string, jti: string): Promise<string> {
    const iat = Math.floor(Date.now() / 1_000);
    return sign(this.#signing!, logOutClaims({ iss: this.url, sub: subject, jti, iat, exp: iat + 120 }), {
      typ: "logout+jwt",
    });
  }

  push(adminUrl: string, text: string, secret = SECRET): Promise<Response> {
    const headers = { authorization: `Bearer ${secret}`, "content-type": "application/secevent+jwt" };
    return fetch(`${adminUrl}/ssf/events`, { method: "POST", headers, body: text });
  }

  logOut(adminUrl: string, text: string): Promise<Response> {
    return fetch(`${adminUrl}/oidc/back-channel-logout`, {
      method: "POST",
      body: new URLSearchParams({ logout_token: text }),
    });
  }

  stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}
