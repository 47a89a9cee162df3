/** Tokens, and what an environment says of them: answered here. Every other request passes. */
import { refuse } from "@sallyport/protocol";
import type { Refusal } from "@sallyport/protocol";
import type { Snapshot } from "../../access/snapshot.ts";
import type { Clock } from "../../kernel/clock.ts";
import type { DeviceGrants } from "../../identity/device-grants.ts";
import { networkPrefix } from "../../kernel/network-prefix.ts";
import type { KeyLimits } from "../../limits/key-limits.ts";
import type { TokenKeys } from "../../tokens/token-keys.ts";
import type { Admission } from "../admission.ts";
import type { ByteBudget } from "../byte-budget.ts";
import type { Exchange } from "../exchange.ts";
import type { OAuthClients } from "../oauth/client.ts";
import { asKey, beginDevice, sessionOf } from "../oauth/device.ts";
import { readForm } from "../oauth/form.ts";
import type { Form } from "../oauth/form.ts";
import type { Introspection } from "../oauth/introspection.ts";
import { publishedKeys, serverMetadata } from "../oauth/metadata.ts";
import type { TokenEndpoint } from "../oauth/token-endpoint.ts";
import { writeOwnAnswer } from "../own-answer.ts";
import { answered } from "../pipeline.ts";
import type { Stage, StageResult } from "../pipeline.ts";
import { issuerOf } from "../public-address.ts";
import type { PublicAddress } from "../public-address.ts";
import { refuseRate } from "../rate-headers.ts";
import { readBody } from "../read-body.ts";
import type { RequestSignatures } from "../request-signatures.ts";

export interface OAuthPorts {
  readonly clock: Clock;
  readonly budget: ByteBudget;
  readonly limits: KeyLimits;
  readonly address: PublicAddress;
  readonly admission: Admission;
  readonly signatures: RequestSignatures;
  readonly clients: OAuthClients;
  readonly tokens: TokenEndpoint;
  readonly introspection: Introspection;
  readonly tokenKeys: TokenKeys;
  readonly grants: DeviceGrants;
  /** People can log in here. */
  readonly isLoginOpen: () => boolean;
  readonly snapshot: () => Snapshot;
  /** Environments this listener serves; null = all. */
  readonly environments: ReadonlySet<string> | null;
}

const DEVICE_RATE = [{ origin: "log-in", limits: { requests: { count: 30, windowMs: 60_000 } } }] as const;

export function makeOAuth(ports: OAuthPorts): Stage {
  const { clock, budget, limits, address, admission, signatures, clients, tokens, introspection } = ports;

  function describe(exchange: Exchange): StageResult {
    const environment = environmentOf(exchange);
    if (environment === undefined) return refuse("not_found", "name the environment: /e/<environment>/…");
    const isKeys = exchange.endpoint!.id === "oauth.jwks";
    writeOwnAnswer(
      exchange,
      isKeys
        ? publishedKeys(ports.tokenKeys, environment)
        : serverMetadata(issuerOf(address, environment), ports.isLoginOpen()),
    );
    return answered;
  }

  /** The one the path names, or the only one there is here. */
  function environmentOf({ environmentPath }: Exchange): string | undefined {
    const served = [...ports.snapshot().environments.keys()].filter((name) => ports.environments?.has(name) ?? true);
    if (environmentPath !== null) return served.find((name) => name === environmentPath);
    return served.length === 1 ? served[0] : undefined;
  }

  async function answer(exchange: Exchange): Promise<StageResult> {
    const { contentEncoding, contentLength, endpoint } = exchange;
    if (contentEncoding !== null && contentEncoding.toLowerCase() !== "identity") return refuse("encoding_unsupported");
    if (contentLength !== null && contentLength > endpoint!.bodyBytesMax) return refuse("body_too_large");
    if (exchange.expectsContinue) exchange.response.writeContinue();
    const body = await readBody(exchange, endpoint!.bodyBytesMax, budget, clock);
    if (!Buffer.isBuffer(body)) return body;
    const form = readForm(body, exchange.contentType);
    if ("code" in form) return form;
    if (endpoint!.id === "oauth.device") return say(exchange, device(exchange, form));
    const session = sessionOf(exchange, form, ports.grants);
    if (session && "code" in session) return session;
    const proven = session
      ? clients.authenticateSession(exchange, session, clock.now())
      : await clients.authenticate(exchange, form, clock.now());
    if ("code" in proven) return proven;
    const refusal = admission(exchange, proven) ?? takeRequest(exchange);
    if (refusal) return refusal;
    if (exchange.hasSignature) exchange.signedBody = body;
    const unsigned = signatures.verify(exchange);
    if (unsigned) return unsigned;
    if (!session) return say(exchange, await reply(exchange, form));
    const said = await tokens.answer(exchange, asKey(form));
    return say(exchange, "code" in said ? said : { ...said, refresh_token: session.reveal() });
  }

  function say(exchange: Exchange, said: object | Refusal): StageResult {
    if ("code" in said) return said;
    writeOwnAnswer(exchange, said);
    return answered;
  }

  /** A stranger may ask, so it is bounded by the stranger's network. */
  function device(exchange: Exchange, form: Form): object | Refusal {
    if (!ports.isLoginOpen()) return refuse("login_unavailable");
    if (exchange.environmentPath !== null && environmentOf(exchange) === undefined)
      return refuse("not_found", "there is no such environment");
    const rate = limits.takeRequest(`device ${networkPrefix(exchange.address)}`, DEVICE_RATE, clock.monotonic());
    return refuseRate(rate) ?? beginDevice(exchange, form, ports.grants, address);
  }

  function takeRequest(exchange: Exchange): Refusal | undefined {
    const key = exchange.key!;
    const rate = limits.takeRequest(`${key.environment}/${key.id}`, exchange.right!.limits, clock.monotonic());
    exchange.rate = rate ?? null;
    return refuseRate(rate);
  }

  function reply(exchange: Exchange, form: Form): Promise<object | Refusal> {
    switch (exchange.endpoint!.id) {
      case "oauth.token":
        return tokens.answer(exchange, form);
      case "oauth.introspect":
        return introspection.introspect(exchange, form);
      default:
        return introspection.revoke(exchange, form);
    }
  }

  return (exchange) => {
    const endpoint = exchange.endpoint!;
    if (endpoint.served !== "oauth") return undefined;
    return endpoint.body === "none" ? describe(exchange) : answer(exchange);
  };
}
