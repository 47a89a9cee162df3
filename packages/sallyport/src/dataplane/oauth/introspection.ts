/** `/oauth/introspect` (RFC 7662) and `/oauth/revoke` (RFC 7009). Both are a key's, in its own environment. */
import { isRefusal, parseKeyText, refuse } from "@sallyport/protocol";
import type { Refusal } from "@sallyport/protocol";
import type { Changes } from "../../changes/change.ts";
import type { Clock } from "../../kernel/clock.ts";
import type { KeyDirectory } from "../../keys/directory.ts";
import type { Token } from "../../tokens/token.ts";
import type { TokenVerifier } from "../../tokens/verify.ts";
import { looksLikeToken } from "../../tokens/verify.ts";
import type { Exchange } from "../exchange.ts";
import { keyOfToken } from "../bearer-tokens.ts";
import type { Judge } from "../judge.ts";
import { issuerOf } from "../public-address.ts";
import type { PublicAddress } from "../public-address.ts";
import type { Form } from "./form.ts";

export interface IntrospectionPorts {
  readonly clock: Clock;
  readonly address: PublicAddress;
  readonly keys: KeyDirectory;
  readonly verifier: TokenVerifier;
  readonly changes: Changes;
  readonly judge: Judge;
}

export class Introspection {
  readonly #ports: IntrospectionPorts;

  constructor(ports: IntrospectionPorts) {
    this.#ports = ports;
  }

  /**
   * Whether a token is valid now. A token of another environment, and an invalid one, is `active: false` and nothing
   * more.
   */
  async introspect(exchange: Exchange, form: Form): Promise<object | Refusal> {
    const token = await this.#tokenIn(form);
    if (isRefusal(token)) return token;
    if (!("permissions" in token) || token.environment !== exchange.key!.environment || !this.#isAlive(token))
      return { active: false };
    const { thumbprint, models, authenticatedAt } = token;
    const issuer = issuerOf(this.#ports.address, token.environment);
    return {
      active: true,
      scope: token.permissions.join(" "),
      client_id: token.keyId,
      sub: token.subject,
      token_type: thumbprint === null ? "Bearer" : "DPoP",
      exp: token.expiresAt / 1_000,
      iat: token.issuedAt / 1_000,
      iss: issuer,
      aud: issuer,
      jti: token.id,
      environment: token.environment,
      ...(models === null ? {} : { models }),
      ...(thumbprint === null ? {} : { cnf: { jkt: thumbprint } }),
      ...(authenticatedAt === null ? {} : { auth_time: authenticatedAt }),
    };
  }

  /**
   * Revokes a client's token: it is rejected from now on, and its requests are aborted. For an unknown token there is
   * nothing to do.
   */
  async revoke(exchange: Exchange, form: Form): Promise<object | Refusal> {
    if (parseKeyText(form.get("token") ?? "")) return this.#endSession(exchange, form.get("token") ?? "");
    const token = await this.#tokenIn(form);
    if (isRefusal(token)) return token;
    if (!("permissions" in token)) return {};
    const key = exchange.key!;
    if (token.keyId !== key.id || token.environment !== key.environment) return refuse("token_foreign");
    const { clock, changes } = this.#ports;
    const { environment, id, expiresAt } = token;
    const fields = { token: id, key: key.id };
    await changes.inTurn(() =>
      changes.change({
        operations: [{ op: "token.revoke", token: { environment, id, expiresAt } }],
        events: [{ type: "token.revoked", at: clock.now(), environment, actor: `key:${key.id}`, fields }],
      }),
    );
    return {};
  }

  /** Of keys a client ends only itself, and only where it is a session: keys that were issued are an administrator's to end. */
  async #endSession(exchange: Exchange, text: string): Promise<object | Refusal> {
    const { clock, changes, keys } = this.#ports;
    const proven = keys.authenticate(text, ["api"], clock.now());
    if (isRefusal(proven)) return {};
    const { environment, id, name, owner, session } = proven.key;
    if (id !== exchange.key!.id || environment !== exchange.key!.environment || session === null)
      return refuse("token_foreign");
    const fields = { key: id, name, owner, reason: "signed_out" };
    await changes.inTurn(() =>
      changes.change({
        operations: [{ op: "key.state", environment, id, state: "revoked", reason: "signed_out" }],
        events: [{ type: "key.revoked", at: clock.now(), environment, actor: `key:${id}`, fields }],
      }),
    );
    return {};
  }

  #isAlive(token: Token): boolean {
    const { keys, judge } = this.#ports;
    const key = keyOfToken(keys, token);
    return key !== undefined && judge.isAlive(key, token);
  }

  async #tokenIn(form: Form): Promise<Token | { readonly isNone: true } | Refusal> {
    const text = form.get("token");
    if (text === undefined) return refuse("form_malformed", "token is missing");
    if (!looksLikeToken(text)) return { isNone: true };
    const token = await this.#ports.verifier.verify(text);
    return typeof token === "string" ? { isNone: true } : token;
  }
}
