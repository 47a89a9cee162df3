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
}

export const USUAL_STATE: UpstreamState = { isDrained: false, credential: null };

export type UpstreamAt = Pick<UpstreamSpec, "id" | "url">;

export interface UpstreamStates {
  of(environment: string, upstream: UpstreamAt): UpstreamState;
  /** It is on the disk when this returns. Throws `store_unavailable` where it cannot be. */
  put(environment: string, upstream: UpstreamAt, state: UpstreamState): void;
}
