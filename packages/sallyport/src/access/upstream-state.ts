/**
 * What administrators decide about a model server beside policy: whether it takes requests, and which credential it wants.
 * It belongs to the server at one address: under another address, policy names another server.
 */
import type { Secret } from "../kernel/secret.ts";
import type { UpstreamSpec } from "./policy.ts";

export interface UpstreamState {
  /** It is sent no new requests; those that run finish. */
  readonly isDrained: boolean;
  /** Sent as a bearer token to this server and to no other; null = none. */
  readonly credential: Secret | null;
  /** How the two prove to each other who they are; null = the server by the system's authorities, the gateway not at all. */
  readonly tls: UpstreamTls | null;
}

/** PEM texts. */
export interface UpstreamTls {
  /** The only authorities that the server's certificate may come from; null = those of the system. */
  readonly ca: string | null;
  readonly client: { readonly certificate: string; readonly key: Secret } | null;
}

export const USUAL_STATE: UpstreamState = { isDrained: false, credential: null, tls: null };

export type UpstreamAt = Pick<UpstreamSpec, "id" | "url">;

export interface UpstreamStates {
  of(environment: string, upstream: UpstreamAt): UpstreamState;
  /** It is on the disk when this returns. Throws `store_unavailable` where it cannot be. */
  put(environment: string, upstream: UpstreamAt, state: UpstreamState): void;
}
