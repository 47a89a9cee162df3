/** People log in: the page that a waiting program sends them to, the way to their identity provider and back. */
import { isRefusal, problems, refuse } from "@sallyport/protocol";
import type { Refusal } from "@sallyport/protocol";
import type { DeviceGrants } from "../../identity/device-grants.ts";
import type { LoginAttempts } from "../../identity/login-attempts.ts";
import type { OidcClient } from "../../identity/oidc-client.ts";
import { ProviderUnreachable, reasonOf } from "../../identity/oidc-client.ts";
import type { Clock } from "../../kernel/clock.ts";
import { networkPrefix } from "../../kernel/network-prefix.ts";
import type { KeyLimits } from "../../limits/key-limits.ts";
import type { Exchange } from "../exchange.ts";
import { BrowserCookie } from "../login/browser-cookie.ts";
import { handOver } from "../login/hand-over.ts";
import type { LocalDesk } from "../login/local-desk.ts";
import { codePage, confirmPage, sentencePage, writePage } from "../login/page.ts";
import { readLoginForm } from "../login/read-login-form.ts";
import type { SessionDesk } from "../login/session-desk.ts";
import { answered } from "../pipeline.ts";
import type { Stage, StageResult } from "../pipeline.ts";
import { baseOf } from "../public-address.ts";
import type { PublicAddress } from "../public-address.ts";
import { refuseRate } from "../rate-headers.ts";

export interface LoginPorts {
  readonly clock: Clock;
  readonly limits: KeyLimits;
  readonly address: PublicAddress;
  /** Null where the settings name no provider. */
  readonly provider: { readonly client: OidcClient; readonly name: string } | null;
  /** Why a log-in failed at the provider, for the log. */
  readonly onFailure: (why: string) => void;
  readonly grants: DeviceGrants;
  readonly attempts: LoginAttempts;
  readonly local: LocalDesk;
  /** Some people log in without a provider. */
  readonly hasLocal: () => boolean;
  readonly sessions: SessionDesk;
  readonly hasEnvironment: (name: string) => boolean;
}

/** Of one network: guessing another user's code must not pay. */
const RATE = [{ origin: "log-in", limits: { requests: { count: 120, windowMs: 60_000 } } }] as const;

/** Before anything of the request is read: how often one network asks, and whether anybody can log in here. */
export function makeLoginGate({ clock, limits, provider, hasLocal }: LoginPorts): Stage {
  return function loginGate(exchange) {
    const rate = limits.takeRequest(`login ${networkPrefix(exchange.address)}`, RATE, clock.monotonic());
    const tooMany = refuseRate(rate);
    if (tooMany) return tooMany;
    return provider || hasLocal() ? undefined : refuse("login_unavailable");
  };
}

export function makeLogin(ports: LoginPorts): Stage {
  const { clock, address, provider, grants, attempts, local } = ports;
  const browser = new BrowserCookie("sallyport_login", "/oidc/callback", "Lax", address);

  function page(exchange: Exchange): Promise<Refusal | undefined> {
    switch (exchange.endpoint!.id) {
      case "login.callback":
        return comeBack(exchange);
      case "login.local":
        return local.answer(exchange);
      case "login.enrol":
        return local.enrol(exchange);
      default:
        return ask(exchange);
    }
  }

  async function ask(exchange: Exchange): Promise<Refusal | undefined> {
    const environment = exchange.environmentPath;
    if (environment === null || !ports.hasEnvironment(environment)) return refuse("not_found", "unknown environment");
    const action = `/e/${environment}/login`;
    if (exchange.request.method === "POST") return leave(exchange, environment);
    const code = parameter(exchange.query, "user_code");
    const grant = code === undefined ? undefined : grants.find(environment, code);
    const origin = provider && new URL(provider.name).origin;
    const ways = { action, provider: origin, hasLocal: ports.hasLocal() };
    if (grant) writePage(exchange, 200, confirmPage({ ...grant, ...ways }), origin === null ? [] : [origin]);
    else writePage(exchange, 200, codePage(action, code !== undefined));
    return undefined;
  }

  async function leave(exchange: Exchange, environment: string): Promise<Refusal | undefined> {
    const form = readLoginForm(exchange, address);
    if (isRefusal(form)) return form;
    const grant = grants.find(environment, form.get("user_code") ?? "");
    if (!grant) return refuse("login_expired");
    if (form.get("answer") === "local" && ports.hasLocal())
      return local.ask(exchange, { environment, userCode: grant.userCode });
    if (form.get("answer") !== "yes") {
      grants.deny(grant.userCode);
      writePage(exchange, 200, sentencePage("It gets nothing", "The log-in was denied. You can close this page."));
      return undefined;
    }
    return provider ? toProvider(exchange, environment, grant.userCode) : refuse("login_unavailable");
  }

  /** Off to the provider, with what must come back bound to this browser. */
  async function toProvider(exchange: Exchange, environment: string, userCode: string): Promise<Refusal | undefined> {
    const begun = await reach(ports, () => provider!.client.begin(`${baseOf(address)}/oidc/callback`, clock.now()));
    if (isRefusal(begun)) return begun;
    const cookie = browser.make();
    attempts.keep(begun.checks.state, { environment, userCode, checks: begun.checks }, cookie.value, exchange.address);
    exchange.response.writeHead(303, ["location", begun.url, "set-cookie", cookie.header, "cache-control", "no-store", "referrer-policy", "no-referrer", "content-length", "0"]); // prettier-ignore
    exchange.response.end();
    return undefined;
  }

  async function comeBack(exchange: Exchange): Promise<Refusal | undefined> {
    if (!provider) return refuse("login_unavailable");
    const state = parameter(exchange.query, "state");
    const cookie = browser.read(exchange);
    const attempt = state === undefined || cookie === undefined ? undefined : attempts.take(state, cookie);
    if (!attempt) return refuse("login_expired");
    const callback = new URL(`${baseOf(address)}/oidc/callback?${exchange.query}`);
    const who = await reach(
      ports,
      async () => (await provider.client.finish(callback, attempt.checks, clock.now())) ?? refuse("login_denied"),
    );
    if (isRefusal(who)) {
      grants.deny(attempt.userCode);
      return who;
    }
    return handOver(exchange, ports, attempt, who);
  }

  return async function login(exchange): Promise<StageResult> {
    const refusal = await page(exchange);
    if (refusal === undefined) return answered;
    // A user reads it, so it is a page; it is recorded like any other denial.
    const { status, title, remedy } = problems[refusal.code];
    writePage(exchange, status, sentencePage("That did not work", `${title}: ${refusal.detail ?? remedy}`));
    exchange.refusal = refusal;
    return answered;
  };
}

/** An unreachable provider neither denies a person for good nor lets anybody in. */
async function reach<T extends object>(ports: LoginPorts, work: () => Promise<T>): Promise<T | Refusal> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof ProviderUnreachable) {
      ports.onFailure(reasonOf(cause));
      return refuse("issuer_unreachable");
    }
    throw cause;
  }
}

function parameter(query: string, name: string): string | undefined {
  const values = new URLSearchParams(query).getAll(name);
  return values.length === 1 && values[0] !== "" ? values[0] : undefined;
}
