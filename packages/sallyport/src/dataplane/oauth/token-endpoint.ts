/**
 * `/oauth/token`: a key, or a token of one, becomes a narrower token whose lifetime follows the risk. The key's access
 * conditions are checked here and again at each use; a token is recorded before it is returned.
 */
import { isRefusal, refuse } from "@sallyport/protocol";
import type { Refusal } from "@sallyport/protocol";
import { doorsOf, isHeldAnywhere, isWithin } from "../../access/decide.ts";
import { refuseDoors } from "../../access/door.ts";
import type { Changes } from "../../changes/change.ts";
import type { Clock } from "../../kernel/clock.ts";
import { randomBase62 } from "../../kernel/ids.ts";
import { expiryOf } from "../../keys/key.ts";
import type { KeyLimits } from "../../limits/key-limits.ts";
import type { DpopVerifier } from "../../tokens/dpop.ts";
import { tokenLifetime } from "../../tokens/lifetime.ts";
import type { Lifetime } from "../../tokens/lifetime.ts";
import { mintToken } from "../../tokens/mint.ts";
import { ACTORS_MAX } from "../../tokens/token.ts";
import type { Token } from "../../tokens/token.ts";
import type { TokenKeys } from "../../tokens/token-keys.ts";
import type { TokenVerifier } from "../../tokens/verify.ts";
import type { Exchange } from "../exchange.ts";
import { narrowTo } from "../exchange-right.ts";
import type { Judge } from "../judge.ts";
import { oneHeader } from "../one-header.ts";
import { issuerOf, urlOf } from "../public-address.ts";
import type { PublicAddress } from "../public-address.ts";
import { refuseRate } from "../rate-headers.ts";
import type { Form } from "./form.ts";
import { lifetimeQuestion } from "./lifetime-question.ts";
import { openPermissions } from "./token-scope.ts";
import { ACCESS_TOKEN_TYPE, readTokenRequest } from "./token-request.ts";
import type { TokenRequest } from "./token-request.ts";

export interface TokenEndpointPorts {
  readonly clock: Clock;
  readonly address: PublicAddress;
  readonly tokenKeys: TokenKeys;
  readonly verifier: TokenVerifier;
  readonly dpop: DpopVerifier;
  readonly limits: KeyLimits;
  readonly changes: Changes;
  readonly judge: Judge;
}

/** Minting costs a signature and a commit; no client needs more. */
const MINT_LIMIT = [{ origin: "tokens", limits: { requests: { count: 60, windowMs: 60_000 } } }] as const;

export class TokenEndpoint {
  readonly #ports: TokenEndpointPorts;

  constructor(ports: TokenEndpointPorts) {
    this.#ports = ports;
  }

  /** The answer's body, for a client that was authenticated and admitted. */
  async answer(exchange: Exchange, form: Form): Promise<object | Refusal> {
    const { clock, address, limits } = this.#ports;
    const key = exchange.key!;
    const issuer = issuerOf(address, key.environment);
    const request = readTokenRequest(form, issuer);
    if (isRefusal(request)) return request;
    const rate = limits.takeRequest(`${key.environment}/${key.id} tokens`, MINT_LIMIT, clock.monotonic());
    const tooMany = refuseRate(rate);
    if (tooMany) return tooMany;
    const source = await this.#source(exchange, request);
    if (source !== null && isRefusal(source)) return source;
    const thumbprint = await this.#thumbprint(exchange);
    if (thumbprint !== null && typeof thumbprint !== "string") return thumbprint;
    return this.#issue(exchange, request, source, thumbprint, issuer);
  }

  /** Of an exchange, the token that is narrowed; null for the key itself. Only a client's own tokens, of its environment. */
  async #source(exchange: Exchange, { subjectToken }: TokenRequest): Promise<Token | null | Refusal> {
    if (subjectToken === null) return null;
    const token = await this.#ports.verifier.verify(subjectToken);
    const key = exchange.key!;
    if (typeof token === "string") return refuse("grant_invalid", token);
    if (token.environment !== key.environment || token.keyId !== key.id) return refuse("grant_invalid");
    // What it was exchanged from may have ended.
    if (!this.#ports.judge.isAlive(key, token)) return refuse("grant_invalid");
    return token.actors.length < ACTORS_MAX ? token : refuse("grant_invalid", "it was exchanged too often");
  }

  async #thumbprint(exchange: Exchange): Promise<string | null | Refusal> {
    const proof = oneHeader(exchange.request.rawHeaders, "dpop");
    if (proof === null) return null;
    const key = exchange.key!;
    const asked = {
      method: "POST",
      url: urlOf(this.#ports.address, exchange),
      token: null,
      thumbprint: null,
      owner: `${key.environment}/${key.id}`,
      now: this.#ports.clock.now(),
    };
    if (proof === undefined) return refuse("proof_invalid");
    const proven = await this.#ports.dpop.verify(proof, asked);
    return typeof proven === "string" ? refuse("proof_invalid", proven) : proven.thumbprint;
  }

  async #issue(
    exchange: Exchange,
    request: TokenRequest,
    source: Token | null,
    thumbprint: string | null,
    issuer: string,
  ): Promise<object | Refusal> {
    const { clock, judge, tokenKeys, changes } = this.#ports;
    const key = exchange.key!;
    // Reading the form and looking at what was presented took time.
    const whole = judge.again(exchange);
    if (isRefusal(whole)) return whole;
    const right = source ? narrowTo(whole, source) : whole;
    if (source?.thumbprint !== undefined && source.thumbprint !== null && source.thumbprint !== thumbprint)
      return refuse("proof_invalid");
    const permissions = request.permissions ?? openPermissions(right, exchange);
    const missing = permissions.find((permission) => !isHeldAnywhere(right, permission));
    if (missing !== undefined || permissions.length === 0) return refuse("scope_invalid", missing);
    const wider = (request.models ?? []).find((selector) => !isWithin(right, selector));
    if (wider !== undefined) return refuse("scope_invalid", "a model that is not the key's");
    const shut = refuseDoors(doorsOf(right, permissions), exchange);
    if (shut) return shut;
    const now = clock.now();
    const keyLeftMs = Math.min(expiryOf(key) ?? Infinity, source?.expiresAt ?? Infinity) - now;
    const question = lifetimeQuestion({ key, right, permissions, presented: exchange, isBound: thumbprint !== null, askedMs: request.askedMs, keyLeftMs, now }); // prettier-ignore
    const lifetime = tokenLifetime(question);
    if (lifetime.ms < 1_000) return refuse("key_expired");
    const token: Token = {
      id: randomBase62(22),
      environment: key.environment,
      keyId: key.id,
      subject: key.owner ?? "",
      permissions,
      models: request.models ?? source?.models ?? null,
      issuedAt: wholeSeconds(now),
      expiresAt: wholeSeconds(now + lifetime.ms),
      thumbprint,
      authenticatedAt: source?.authenticatedAt ?? identityOf(exchange) ?? key.session?.authenticatedAt ?? null,
      actors: exchange.workload ? [exchange.workload.name] : source ? [source.id, ...source.actors] : [],
    };
    // First the key, which may have to be made, and the record: nothing is shown that is not on disk.
    const signing = await tokenKeys.signing(key.environment);
    await changes.inTurn(() => changes.change({ operations: [], events: [issuedEvent(exchange, token, now)] }));
    const text = await mintToken(token, issuer, signing);
    return tokenAnswer(text.reveal(), token, lifetime, request);
  }
}

/** Epoch ms without the part that a JWT cannot say. */
function wholeSeconds(ms: number): number {
  return Math.floor(ms / 1_000) * 1_000;
}

/** When a workload's issuer proved who it is, epoch seconds. */
function identityOf({ workload }: Exchange): number | null {
  return workload?.isIdentity ? workload.issuedAt : null;
}

function issuedEvent({ address, key }: Exchange, token: Token, now: number) {
  const { id, permissions, models, expiresAt, thumbprint, actors } = token;
  const fields = {
    token: id,
    key: key!.id,
    principal: key!.owner,
    scope: permissions,
    models: models ?? ["as the key"],
    expires_at: expiresAt,
    is_bound: thumbprint !== null,
    actors,
    address,
  };
  return { type: "token.issued", at: now, environment: token.environment, actor: `key:${key!.id}`, fields } as const;
}

function tokenAnswer(text: string, token: Token, lifetime: Lifetime, { grant }: TokenRequest): object {
  return {
    access_token: text,
    token_type: token.thumbprint === null ? "Bearer" : "DPoP",
    expires_in: Math.floor(lifetime.ms / 1_000),
    scope: token.permissions.join(" "),
    ...(token.models === null ? {} : { models: token.models.join(" ") }),
    ...(grant === "token_exchange" ? { issued_token_type: ACCESS_TOKEN_TYPE } : {}),
  };
}
