/**
 * People log in: the page that a waiting program sends them to, the way to their identity provider and back. Answered
 * here. Every other request passes.
 */
import { problems, refuse } from "@sallyport/protocol";
import type { Refusal } from "@sallyport/protocol";
import type { DeviceGrants } from "../../identity/device-grants.ts";
import type { LoginAttempts } from "../../identity/login-attempts.ts";
import type { OidcClient } from "../../identity/oidc-client.ts";
import { ProviderUnreachable } from "../../identity/oidc-client.ts";
import type { Clock } from "../../kernel/clock.ts";
import { randomBase62 } from "../../kernel/ids.ts";
import type { KeyLimits } from "../../limits/key-limits.ts";
import type { ByteBudget } from "../byte-budget.ts";
import type { Exchange } from "../exchange.ts";
import { codePage, confirmPage, sentencePage, writePage } from "../login/page.ts";
import type { SessionDesk } from "../login/session-desk.ts";
import { readForm } from "../oauth/form.ts";
import { oneHeader } from "../one-header.ts";
import { answered } from "../pipeline.ts";
import type { Stage, StageResult } from "../pipeline.ts";
import { baseOf } from "../public-address.ts";
import type { PublicAddress } from "../public-address.ts";
import { readBody } from "../read-body.ts";

export interface LoginPorts {
  readonly clock: Clock;
  readonly budget: ByteBudget;
  readonly limits: KeyLimits;
  readonly address: PublicAddress;
  /** Null where the settings name no provider: nobody logs in here. */
  readonly provider: { readonly client: OidcClient; readonly name: string } | null;
  readonly grants: DeviceGrants;
  readonly attempts: LoginAttempts;
  readonly sessions: SessionDesk;
  readonly hasEnvironment: (name: string) => boolean;
}

const BODY_BYTES_MAX = 4 * 1024;
const COOKIE = "sallyport_login";
/** Of one address: guessing a code of somebody else's must not pay. */
const RATE = [{ origin: "log-in", limits: { requests: { count: 60, windowMs: 60_000 } } }] as const;

export function makeLogin(ports: LoginPorts): Stage {
  const { clock, budget, limits, address, provider, grants, attempts, sessions } = ports;

  async function answer(exchange: Exchange): Promise<StageResult> {
    const rate = limits.takeRequest(`login ${exchange.address}`, RATE, clock.monotonic());
    if (rate && !rate.isAllowed)
      return { ...refuse("rate_limited"), retryAfterSeconds: Math.ceil(rate.retryAfterMs / 1_000) };
    if (!provider) return refuse("login_unavailable");
    const refusal = await (exchange.endpoint!.id === "login.callback" ? comeBack(exchange) : ask(exchange));
    if (refusal === undefined) return answered;
    // A person reads it, so it is a page; it is recorded as any other refusal.
    const { status, title, remedy } = problems[refusal.code];
    writePage(exchange, status, sentencePage("That did not work", `${title}: ${refusal.detail ?? remedy}`));
    exchange.refusal = refusal;
    return answered;
  }

  async function ask(exchange: Exchange): Promise<Refusal | undefined> {
    const environment = exchange.environmentPath;
    if (environment === null || !ports.hasEnvironment(environment))
      return refuse("not_found", "there is no such environment");
    const action = `/e/${environment}/login`;
    if (exchange.request.method === "POST") return leave(exchange, environment);
    const code = parameter(exchange.query, "user_code");
    const grant = code === undefined ? undefined : grants.find(environment, code);
    const { origin } = new URL(provider!.name);
    if (grant) writePage(exchange, 200, confirmPage({ ...grant, action, provider: origin }), [origin]);
    else writePage(exchange, 200, codePage(action, code !== undefined));
    return undefined;
  }

  /** Off to the provider, with what must come back bound to this browser. */
  async function leave(exchange: Exchange, environment: string): Promise<Refusal | undefined> {
    const body = await readBody(exchange, BODY_BYTES_MAX, budget, clock);
    if (!Buffer.isBuffer(body)) return body;
    const form = readForm(body, exchange.contentType);
    if ("code" in form) return form;
    const grant = grants.find(environment, form.get("user_code") ?? "");
    if (!grant) return refuse("login_expired");
    if (form.get("answer") !== "yes") {
      grants.deny(grant.userCode);
      writePage(
        exchange,
        200,
        sentencePage("It gets nothing", "The program was told that this log-in was refused. You can close this page."),
      );
      return undefined;
    }
    const begun = await reach(() => provider!.client.begin(`${baseOf(address)}/oidc/callback`, clock.now()));
    if ("code" in begun) return begun;
    const cookie = randomBase62(43);
    if (!attempts.keep({ environment, userCode: grant.userCode, checks: begun.checks }, cookie))
      return refuse("overloaded");
    const isSecure = baseOf(address).startsWith("https:");
    const attributes = `Path=/oidc/callback; HttpOnly; SameSite=Lax; Max-Age=600${isSecure ? "; Secure" : ""}`;
    exchange.response.writeHead(303, ["location", begun.url, "set-cookie", `${COOKIE}=${cookie}; ${attributes}`, "cache-control", "no-store", "referrer-policy", "no-referrer", "content-length", "0"]); // prettier-ignore
    exchange.response.end();
    return undefined;
  }

  async function comeBack(exchange: Exchange): Promise<Refusal | undefined> {
    const state = parameter(exchange.query, "state");
    const cookie = cookieOf(exchange);
    const attempt = state === undefined || cookie === undefined ? undefined : attempts.take(state, cookie);
    if (!attempt) return refuse("login_expired");
    const callback = new URL(`${baseOf(address)}/oidc/callback?${exchange.query}`);
    const who = await reach(
      async () => (await provider!.client.finish(callback, attempt.checks, clock.now())) ?? refuse("login_denied"),
    );
    if ("code" in who) {
      grants.deny(attempt.userCode);
      return who;
    }
    const opened = await sessions.open(who, attempt.environment, exchange.address);
    if ("code" in opened) {
      grants.deny(attempt.userCode);
      return opened;
    }
    if (!grants.approve(attempt.userCode, opened.text)) return refuse("login_expired");
    writePage(
      exchange,
      200,
      sentencePage(
        `You are logged in, ${opened.person.name}`,
        "The program has what it needs. You can close this page.",
      ),
    );
    return undefined;
  }

  return (exchange) => (exchange.endpoint!.served === "login" ? answer(exchange) : undefined);
}

/** A provider that is not there is said to be: nobody is refused for good, or let in, on doubt. */
async function reach<T extends object>(work: () => Promise<T>): Promise<T | Refusal> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof ProviderUnreachable) return refuse("issuer_unreachable");
    throw cause;
  }
}

function parameter(query: string, name: string): string | undefined {
  const values = new URLSearchParams(query).getAll(name);
  return values.length === 1 && values[0] !== "" ? values[0] : undefined;
}

function cookieOf({ request }: Exchange): string | undefined {
  const header = oneHeader(request.rawHeaders, "cookie") ?? "";
  const found = header.split(/; ?/).filter((pair) => pair.startsWith(`${COOKIE}=`));
  return found.length === 1 ? found[0]!.slice(COOKIE.length + 1) : undefined;
}
