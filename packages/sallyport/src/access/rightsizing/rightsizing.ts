/**
 * The right-sizing of one key: first a shadow, in which requests are only compared with the boundary, then applied, with
 * a guard for a time: the first request that the key's scope allows and the boundary denies ends it. What has ended stays
 * readable until the key is right-sized again.
 */
import type { Boundary } from "./boundary.ts";

export interface Rightsizing {
  readonly environment: string;
  /** Public id. */
  readonly key: string;
  readonly state: "shadow" | "applied" | "ended";
  readonly boundary: Boundary;
  /** Who began the state, as recorded, and when. Epoch ms. */
  readonly by: string;
  readonly at: number;
  /** When the shadow ends, or the guard. Epoch ms. */
  readonly until: number;
  /** Requests that the shadow has compared, and those of them that the boundary would have denied. */
  readonly compared: number;
  readonly differences: number;
  /** The first requests that the boundary denied, or would have denied. */
  readonly examples: readonly BoundaryDenial[];
  /** Null while it is a shadow or applied. */
  readonly end: RightsizingEnd | null;
}

/** A request that the key's scope allows and the boundary does not. */
export interface BoundaryDenial {
  /** Epoch ms. */
  readonly at: number;
  /** The request's id. */
  readonly request: string;
  /** `infer:embed on registry.ollama.ai/library/llama3.2:latest` */
  readonly demanded: string;
}

export interface RightsizingEnd {
  /** `stopped`: by an administrator. `taken_back`: by the guard. */
  readonly why: "stopped" | "taken_back";
  readonly by: string;
  /** Epoch ms. */
  readonly at: number;
}

export type RightsizingOperation = { readonly op: "rightsizing.put"; readonly rightsizing: Rightsizing };

export interface RightsizingImage {
  readonly of: "rightsizing";
  /** `<environment>/<key>` */
  readonly id: string;
  readonly now: Rightsizing;
}

/** Examples that are kept. */
export const EXAMPLES_MAX = 10;
/** How long requests are compared before a boundary is applied. */
export const SHADOW_DAYS = 7;
/** How long the guard watches after it was applied: a monthly job comes once in it. */
export const GUARD_DAYS = 32;

export function rightsizingId({ environment, key }: Pick<Rightsizing, "environment" | "key">): string {
  return `${environment}/${key}`;
}

/** The boundary that holds; null for a shadow and for what has ended. */
export function appliedBoundary(record: Rightsizing | null | undefined): Boundary | null {
  return record?.state === "applied" ? record.boundary : null;
}
