/** How clients write the gateway's address: as the settings say, or, where no proxy stands in front, as the listener is. */
import type { Exchange } from "./exchange.ts";

export interface PublicAddress {
  /** `publicUrl` of the settings; null = none. */
  readonly configured: URL | null;
  /** The listener's own address, once it listens. */
  readonly listener: () => string;
}

/** Scheme and authority as the client signed or meant them. */
export function originOf(
  { configured }: PublicAddress,
  { request, host }: Exchange,
): { scheme: "http" | "https"; authority: string } {
  if (configured) return { scheme: configured.protocol === "https:" ? "https" : "http", authority: configured.host };
  // The name was looked up among those the listener answers for; without a proxy the socket says the scheme.
  return { scheme: "encrypted" in request.socket ? "https" : "http", authority: host ?? "" };
}

/** The request's address without its query. */
export function urlOf(address: PublicAddress, exchange: Exchange): string {
  const { scheme, authority } = originOf(address, exchange);
  return `${scheme}://${authority}${exchange.environmentPath === null ? "" : `/e/${exchange.environmentPath}`}${exchange.path}`;
}

/** Where the gateway is, without a slash at the end: never from a request's Host. */
export function baseOf({ configured, listener }: PublicAddress): string {
  return configured ? configured.origin : listener();
}

/** Where an environment's tokens come from. */
export function issuerOf(address: PublicAddress, environment: string): string {
  return `${baseOf(address)}/e/${environment}`;
}
