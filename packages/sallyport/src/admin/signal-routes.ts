/**
 * What identity providers send, beside the contract: pushed security events (RFC 8935) and back-channel log-outs. Each is
 * believed by what it brings, a bearer and a signature; neither sees an admin key.
 */
import { Problem } from "@sallyport/protocol";
import type { AmbiguousSubject } from "../identity/ambiguous-subject.ts";
import { FailedClaims } from "../identity/failed-claims.ts";
import { networkPrefix } from "../kernel/network-prefix.ts";
import type { AdminPorts } from "./ports.ts";
import { readBytes } from "./read-request.ts";
import { RequestRate } from "./request-rate.ts";
import { SharedTurns } from "./shared-turns.ts";

export interface SignalRoutes {
  push(request: Request): Promise<Response>;
  /** `address`: the client's, null where it is not known. */
  logOut(request: Request, address: string | null): Promise<Response>;
}

export const PUSH_PATH = "/ssf/events";
export const LOG_OUT_PATH = "/oidc/back-channel-logout";
const BEARER = /^Bearer ([A-Za-z0-9._~+/=-]{16,512})$/i;
/** Of one event stream, whose sender has proved who it is. */
const PER_SECOND = 50;
const BURST_MS = 2_000;

export function makeSignalRoutes(ports: Pick<AdminPorts, "clock" | "signals" | "quarantine">): SignalRoutes {
  const pushes = new WeakMap<object, RequestRate>();
  const unproven = new SharedTurns();

  function rateOf(stream: object): RequestRate {
    const held = pushes.get(stream) ?? new RequestRate(ports.clock, (PER_SECOND * BURST_MS) / 1_000, BURST_MS);
    pushes.set(stream, held);
    return held;
  }

  function signals(): NonNullable<AdminPorts["signals"]> {
    if (ports.quarantine.restored()) throw new Problem("restore_unconfirmed");
    if (!ports.signals) throw new Problem("endpoint_unknown");
    return ports.signals;
  }

  return {
    async push(request) {
      const bearer = BEARER.exec(request.headers.get("authorization") ?? "")?.[1];
      const stream = bearer === undefined ? undefined : signals().streamOf(bearer);
      if (!stream) {
        signals();
        return eventError(401, "authentication_failed", "the bearer token is not one that was given out");
      }
      rateOf(stream).demand();
      const text = await readText(request, /^application\/secevent\+jwt$/i);
      const wrong = await stream.receive(text);
      if (!(wrong instanceof FailedClaims))
        return new Response(null, { status: 202, headers: { ...NO_STORE, ...toldAmbiguity(wrong) } });
      if (wrong.failure === "unavailable") throw new Problem("signals_unverifiable", wrong.says);
      return eventError(400, wrong.failure, wrong.says);
    },

    async logOut(request, address) {
      const to = signals();
      const form = new URLSearchParams(await readText(request, /^application\/x-www-form-urlencoded(?:\s*;.*)?$/i));
      const tokens = form.getAll("logout_token");
      const [token] = tokens;
      if (token === undefined || tokens.length !== 1) return logOutError("logout_token must be present exactly once");
      // Only verification shows whether it is genuine: until then it counts as its network's work, and delays no one
      // else.
      const network = address === null ? "unknown" : networkPrefix(address);
      const wrong = await unproven.run(network, () => to.logOut(token));
      if (!(wrong instanceof FailedClaims))
        return new Response(null, { status: 200, headers: { ...NO_STORE, ...toldAmbiguity(wrong) } });
      if (wrong.failure === "unavailable") throw new Problem("signals_unverifiable", wrong.says);
      return logOutError(wrong.says);
    },
  };
}

/** The subject could be several people, and all of them were stopped. */
function toldAmbiguity(found: AmbiguousSubject | undefined): Record<string, string> {
  return found ? { "x-sallyport-stopped": String(found.people) } : {};
}

const NO_STORE = { "cache-control": "no-store" };

async function readText(request: Request, awaited: RegExp): Promise<string> {
  if (!awaited.test((request.headers.get("content-type") ?? "").trim())) throw new Problem("media_type_unsupported");
  if (request.headers.has("content-encoding")) throw new Problem("encoding_unsupported");
  return Buffer.from(await readBytes(request)).toString("latin1");
}

/** RFC 8935, 2.3. */
function eventError(status: number, err: string, description: string): Response {
  return json(status, { err, description });
}

/** OpenID Connect Back-Channel Logout 1.0, 2.8. */
function logOutError(says: string): Response {
  return json(400, { error: "invalid_request", error_description: says });
}

function json(status: number, body: object): Response {
  return new Response(JSON.stringify(body), { status, headers: { ...NO_STORE, "content-type": "application/json" } });
}
