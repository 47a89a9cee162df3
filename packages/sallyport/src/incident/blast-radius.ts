/** The question about a leaked key, and the audit log's answer. */
import type { LedgerRadiusView } from "@sallyport/contract";

export interface RadiusQuestion {
  readonly environment: string;
  readonly key: string;
  /** Principal id; null without an owner. */
  readonly owner: string | null;
  /** Other keys of the owner, as actors name them (`key:<id>`). */
  readonly siblings: readonly string[];
  /** Names of the key's roles: what changes in them changed the key. */
  readonly roles: readonly string[];
  /** Epoch ms. Addresses are known from here on. */
  readonly createdAt: number;
  /** Epoch ms, inclusive: what is counted. */
  readonly since: number;
  readonly until: number;
  /** Records of other environments are not for who asks, and are passed over. */
  readonly environments: "*" | readonly string[];
}

export type LedgerRadius = LedgerRadiusView;
