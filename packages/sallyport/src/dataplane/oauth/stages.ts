/** Tokens, and what an environment says of them. */
import { isRefusal, refuse } from "@sallyport/protocol";
import type { Refusal } from "@sallyport/protocol";
import type { Snapshot } from "../../access/snapshot.ts";
import type { Clock } from "../../kernel/clock.ts";
import type { DeviceGrants } from "../../identity/device-grants.ts";
import type { Secret } from "../../kernel/secret.ts";
import { networkPrefix } from "../../kernel/network-prefix.ts";
import type { KeyLimits } from "../../limits/key-limits.ts";
import type { TokenKeys } from "../../tokens/token-keys.ts";
import type { Admission } from "../admission.ts";
import type { Exchange } from "../exchange.ts";
import type { OAuthClients } from "./client.ts";
import { asKey, beginDevice, sessionOf } from "./device.ts";
import type { Form } from "./form.ts";
import type { Introspection } from "./introspection.ts";
import { keySet, serverMetadata } from "./metadata.ts";
import type { TokenEndpoint } from "./token-endpoint.ts";
import { writeOwnAnswer } from "../own/own-answer.ts";
import type { Stage, StageResult } from "../pipeline.ts";
import { issuerOf } from "../public-address.ts";
import type { PublicAddress } from "../public-address.ts";
import { refuseRate } from "../rate-headers.ts";

export interface OAuthPorts {
  readonly clock: Clock;
  readonly limits: KeyLimits;
  readonly address: PublicAddress;
  readonly admission: Admission;
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

export interface OAuthStages {
  /** What an environment says of its tokens. */
  readonly metadata: Stage;
  /** A program asks for a person's log-in. */
  readonly device: Stage;
  /** Which key asks: by its own text, an assertion, a workload's token, or a person's session. */
  readonly client: Stage;
  readonly oauth: Stage;
}

const DEVICE_RATE = [{ origin: "log-in", limits: { requests: { count: 30, windowMs: 60_000 } } }] as const;

export function makeOAuth(ports: OAuthPorts): OAuthStages {
  const { clock, limits, address, admission, clients, tokens, introspection, grants } = ports;

  /** The one the path names, or the only one there is here. */
  function environmentOf({ environmentPath }: Exchange): string | undefined {
    const served = [...ports.snapshot().environments.keys()].filter((name) => ports.environments?.has(name) ?? true);
    if (environmentPath !== null) return served.find((name) => name === environmentPath);
    return served.length === 1 ? served[0] : undefined;
  }

  function reply(exchange: Exchange, form: Form): Promise<object | Refusal> {
    switch (exchange.endpoint!.id) {
      case "oauth.token":
        return exchange.session ? ofSession(exchange, exchange.session, form) : tokens.answer(exchange, form);
      case "oauth.introspect":
        return introspection.introspect(exchange, form);
      default:
        return introspection.revoke(exchange, form);
    }
  }

  async function ofSession(exchange: Exchange, session: Secret, form: Form): Promise<object | Refusal> {
    const said = await tokens.answer(exchange, asKey(form));
    return isRefusal(said) ? said : { ...said, refresh_token: session.reveal() };
  }

  return {
    metadata(exchange) {
      const environment = environmentOf(exchange);
      if (environment === undefined) return refuse("not_found", "name the environment: /e/<environment>/…");
      const isKeys = exchange.endpoint!.id === "oauth.jwks";
      return writeOwnAnswer(
        exchange,
        isKeys
          ? keySet(ports.tokenKeys, environment)
          : serverMetadata(issuerOf(address, environment), ports.isLoginOpen()),
      );
    },

    /** A stranger may ask, so it is bounded by the stranger's network. */
    device(exchange) {
      if (!ports.isLoginOpen()) return refuse("login_unavailable");
      if (exchange.environmentPath !== null && environmentOf(exchange) === undefined)
        return refuse("not_found", "unknown environment");
      const rate = limits.takeRequest(`device ${networkPrefix(exchange.address)}`, DEVICE_RATE, clock.monotonic());
      return say(exchange, refuseRate(rate) ?? beginDevice(exchange, exchange.form!, grants, address));
    },

    async client(exchange) {
      const form = exchange.form!;
      const session = exchange.endpoint!.id === "oauth.token" ? sessionOf(exchange, form, grants) : undefined;
      if (session && isRefusal(session)) return session;
      exchange.session = session ?? null;
      const proven = session
        ? clients.authenticateSession(exchange, session, clock.now())
        : await clients.authenticate(exchange, form, clock.now());
      return isRefusal(proven) ? proven : admission(exchange, proven);
    },

    async oauth(exchange) {
      return say(exchange, await reply(exchange, exchange.form!));
    },
  };
}

function say(exchange: Exchange, said: object | Refusal): StageResult {
  return isRefusal(said) ? said : writeOwnAnswer(exchange, said);
}
