/** One call of a route, as its handler gets it: authenticated, permitted, and of the contract's shape. */
import { Problem } from "@sallyport/protocol";
import type { Answer, Body, Params, Query, RouteName } from "@sallyport/contract";
import { administers } from "../access/attenuation.ts";
import type { EventType, LedgerEvent } from "../audit/event.ts";
import type { Caller } from "./caller.ts";
import type { AdminPorts } from "./ports.ts";

export interface Call<N extends RouteName> {
  readonly ports: AdminPorts;
  readonly caller: Caller;
  readonly params: Params<N>;
  readonly query: Query<N>;
  readonly body: Body<N>;
}

export type Handler<N extends RouteName> = (call: Call<N>) => Answer<N> | Promise<Answer<N>>;
/** Handlers of some routes; together they are all of the contract. */
export type Handlers<N extends RouteName> = { readonly [R in N]: Handler<R> };

/** The part of a call that does not depend on its route. */
export interface AnyCall {
  readonly ports: AdminPorts;
  readonly caller: Caller;
}

/** A call of a route that names one record by its id and says nothing else. */
export interface CallById extends AnyCall {
  readonly params: { readonly id: string };
}

/** Denies with `permission_denied` what is in an environment that the caller does not administer. */
export function demandEnvironment(call: AnyCall, environment: string): void {
  if (!administers(call.caller.issuer.right, environment)) {
    throw new Problem("permission_denied", `environment ${environment} is not yours to administer`);
  }
}

export function refuseMistakes(mistakes: readonly string[]): void {
  if (mistakes.length > 0) throw new Problem("input_invalid", undefined, mistakes);
}

/** Denies with `grant_exceeds_issuer` if there is any excess (R6). */
export function refuseExcess(excess: readonly string[]): void {
  if (excess.length > 0) throw new Problem("grant_exceeds_issuer", undefined, excess);
}

export function eventOf(
  call: AnyCall,
  type: EventType,
  environment: string,
  fields: LedgerEvent["fields"],
): LedgerEvent {
  const said = { ...fields, ...addressField(call.caller) };
  return { type, at: call.ports.clock.now(), environment, actor: call.caller.issuer.actor, fields: said };
}

/** The administrator's address, which distinguishes a stolen admin key. Nothing over the Unix socket. */
export function addressField({ address }: Pick<AnyCall["caller"], "address">): { readonly address?: string } {
  return address === null ? {} : { address };
}
