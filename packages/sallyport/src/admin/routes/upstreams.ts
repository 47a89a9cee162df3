/** Model servers: their state, which is recorded before it takes effect. */
import { Problem } from "@sallyport/protocol";
import type { UpstreamStateView } from "@sallyport/contract";
import { administers } from "../../access/attenuation.ts";
import type { Environment, UpstreamSpec } from "../../access/policy.ts";
import type { UpstreamState } from "../../access/upstream-state.ts";
import type { EventType } from "../../audit/event.ts";
import { Secret } from "../../kernel/secret.ts";
import { eventOf, refuseExcess } from "../call.ts";
import type { AnyCall, Handlers } from "../call.ts";
import { demandKnownEnvironment } from "../known-filter.ts";
import { excessOfOpening } from "../scope-gate.ts";
import { readUpstreamTls } from "../upstream-certificates.ts";
import { viewUpstreams } from "../views.ts";

interface CallOfUpstream extends AnyCall {
  readonly params: { readonly name: string; readonly upstream: string };
}

export const upstreamHandlers: Handlers<
  | "upstreams.list"
  | "upstreams.drain"
  | "upstreams.setCredential"
  | "upstreams.removeCredential"
  | "upstreams.setTls"
  | "upstreams.removeTls"
> = {
  "upstreams.list": (call) => {
    const { environment } = call.query;
    const { issuer } = call.caller;
    const environments =
      environment === undefined
        ? [...call.ports.snapshot().environments.values()].filter(({ name }) => administers(issuer.right, name))
        : [demandKnownEnvironment(call, environment)];
    return { upstreams: environments.flatMap((one) => viewStates(call, one)) };
  },

  "upstreams.drain": (call) => {
    const { isDrained } = call.body;
    return isDrained
      ? change(call, "upstream.drained", (state) => ({ ...state, isDrained }))
      : open(call, "upstream.resumed", (state) => ({ ...state, isDrained }));
  },

  "upstreams.setCredential": (call) => {
    const credential = new Secret(call.body.credential);
    return open(call, "upstream.credential_set", (state) => ({ ...state, credential }));
  },

  "upstreams.removeCredential": (call) =>
    change(call, "upstream.credential_removed", (state) => ({ ...state, credential: null })),

  "upstreams.setTls": (call) =>
    open(call, "upstream.tls_set", (state, { url }) => ({ ...state, tls: readUpstreamTls(call.body, url) })),

  // Without stored authorities, the gateway trusts the system's.
  "upstreams.removeTls": (call) => open(call, "upstream.tls_removed", (state) => ({ ...state, tls: null })),
};

type Next = (state: UpstreamState, upstream: UpstreamSpec) => UpstreamState;

/** A server that is put into service, or answers from now on, serves everyone in the environment. */
function open(call: CallOfUpstream, type: EventType, next: Next): Promise<UpstreamStateView> {
  const { ports, caller, params } = call;
  return change(call, type, next, async () => refuseExcess(await excessOfOpening(ports, caller.issuer, params.name)));
}

/** The record first: what is not recorded does not happen. */
function change(
  call: CallOfUpstream,
  type: EventType,
  next: Next,
  judge?: () => Promise<void>,
): Promise<UpstreamStateView> {
  const { ports, params } = call;
  return ports.changes.inTurn(async () => {
    const environment = demandKnownEnvironment(call, params.name);
    await judge?.();
    const upstream = demandUpstream(environment, params.upstream);
    const { id, url } = upstream;
    const state = next(ports.upstreamStates.of(environment.name, upstream), upstream);
    await ports.changes.change({
      operations: [],
      events: [eventOf(call, type, environment.name, { upstream: id, url })],
    });
    ports.upstreamStates.put(environment.name, upstream, state);
    return viewStates(call, environment).find((view) => view.id === id)!;
  });
}

function demandUpstream({ name, upstreams }: Environment, id: string): UpstreamSpec {
  const found = upstreams.find((one) => one.id === id);
  if (found) return found;
  const known = upstreams.map((one) => one.id).join(", ") || "none";
  throw new Problem("not_found", `environment ${name} has no model server ${id}; it has: ${known}`);
}

function viewStates({ ports }: AnyCall, environment: Environment): UpstreamStateView[] {
  return viewUpstreams(environment).map((view) => {
    const { isDrained, credential, tls } = ports.upstreamStates.of(environment.name, view);
    const running = ports.runningOn(environment.name, view.id);
    return {
      ...view,
      isDrained,
      hasCredential: credential !== null,
      hasOwnCa: (tls?.ca ?? null) !== null,
      hasClientCertificate: (tls?.client ?? null) !== null,
      running,
    };
  });
}
