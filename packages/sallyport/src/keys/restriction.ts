/**
 * A temporary response to an alert: access conditions and limits that are laid over a key's record wherever the key is
 * looked up, and that end by themselves. The record itself is unchanged.
 */
import type { AlertAction, AlertKind } from "@sallyport/protocol";
import type { Limits } from "../access/policy.ts";
import type { KeyRecord } from "./key.ts";

export interface Restriction {
  /** Of the alert it answers. */
  readonly id: string;
  readonly environment: string;
  readonly key: string;
  readonly kind: AlertKind;
  readonly action: AlertAction;
  /** Of `networks`: where the key is known from (CIDR). */
  readonly networks: readonly string[];
  /** Epoch ms. */
  readonly at: number;
  readonly until: number;
}

/** A key whose limits are tightened goes on, slowly. */
const TIGHT: Limits = { requests: { count: 10, windowMs: 60_000 }, concurrency: 1 };

/** The record as it counts under the restriction. */
export function laidOver(record: KeyRecord, { action, networks }: Restriction): KeyRecord {
  switch (action) {
    case "tighten":
      return { ...record, limits: tightest(record.limits) };
    case "signature":
    case "identity":
      return { ...record, require: [...new Set([...record.require, action])] };
    case "networks":
      return { ...record, networks: narrowest(record.networks, networks) };
    // A suspended key says so itself; the others change nothing.
    case "suspend":
    case "note":
    case "notify":
      return record;
  }
}

/** The known networks are where the key was used from, so its own list let them in. */
function narrowest(own: readonly string[] | null, known: readonly string[]): readonly string[] | null {
  return known.length > 0 ? known : own;
}

function tightest(limits: Limits): Limits {
  const { requests, concurrency } = limits;
  const tight = TIGHT.requests!;
  const isTighter = requests && requests.count / requests.windowMs < tight.count / tight.windowMs;
  return {
    ...limits,
    requests: isTighter ? requests : tight,
    concurrency: Math.min(concurrency ?? Infinity, TIGHT.concurrency!),
  };
}
