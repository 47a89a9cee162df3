/** What tests ask of a gateway's token endpoints with one key, and what its tokens then open. */
import { expect } from "vitest";
import { codeOf } from "./started-gateway.ts";
import type { IssuedKey, StartedGateway } from "./started-gateway.ts";

export const CHAT = { model: "llama3.2", messages: [{ role: "user", content: "hi" }], stream: false };

export interface OAuthAnswer {
  readonly status: number;
  readonly body: Record<string, unknown>;
  readonly headers: Headers;
}

export class TokenDesk {
  readonly gateway: StartedGateway;
  readonly key: IssuedKey;

  constructor(gateway: StartedGateway, key: IssuedKey) {
    this.gateway = gateway;
    this.key = key;
  }

  async ask(
    path: string,
    form: Record<string, string>,
    headers: Record<string, string> = basic(this.key),
  ): Promise<OAuthAnswer> {
    const answer = await fetch(this.gateway.url + path, {
      method: "POST",
      headers: { "content-type": "application/x-www-form-urlencoded", ...headers },
      body: new URLSearchParams(form).toString(),
    });
    return { status: answer.status, body: (await answer.json()) as Record<string, unknown>, headers: answer.headers };
  }

  async mint(form: Record<string, string> = {}, headers?: Record<string, string>): Promise<string> {
    const { status, body } = await this.ask("/oauth/token", { grant_type: "client_credentials", ...form }, headers);
    expect([status, body["error"]]).toEqual([200, undefined]);
    return String(body["access_token"]);
  }

  /** `allowed`, or the code of the refusal. */
  async chat(token: string, model = CHAT.model, headers: Record<string, string> = {}): Promise<string> {
    const answer = await this.gateway.post("/api/chat", token, { ...CHAT, model }, headers);
    const text = await answer.text();
    return answer.ok ? "allowed" : codeOf(text);
  }
}

export function basic({ id, key: text }: IssuedKey): Record<string, string> {
  return { authorization: `Basic ${Buffer.from(`${id}:${text}`).toString("base64")}` };
}

/** A token's header or its claims. */
export function part(token: string, at: 0 | 1): Record<string, unknown> {
  return JSON.parse(Buffer.from(token.split(".")[at]!, "base64url").toString("utf8")) as Record<string, unknown>;
}
