/**
 * A row of the counters of permissions: what one key did, or was denied, with one permission on one model on one day
 * (UTC). Rows are kept as long as those of usage (`USAGE_DAYS`), so that a quarterly job is in them.
 */

export interface PermissionUseSubject {
  /** Days since 1970-01-01, UTC. */
  readonly day: number;
  readonly environment: string;
  readonly key: string;
  readonly permission: string;
  /** A model's key; empty where the permission needs none; `OTHER_MODELS` beyond the bound of a key and day. */
  readonly model: string;
  /** Denied requests are counted in a separate row: what was denied was not used. */
  readonly isDenied: boolean;
}

export interface PermissionUseRow extends PermissionUseSubject {
  readonly count: number;
  /** Epoch ms of the first and the last record that was counted. */
  readonly firstAt: number;
  readonly lastAt: number;
}

/** What a key did with one permission on one model, over all days. */
export interface PermissionUseSum {
  readonly permission: string;
  readonly model: string;
  readonly used: number;
  readonly denied: number;
  /** Days on which it was used. */
  readonly days: number;
  /** Epoch ms; null if it was only denied. */
  readonly firstAt: number | null;
  readonly lastAt: number | null;
}

/** The subject as one text, different for different subjects. */
export function permissionUseText({
  day,
  environment,
  key,
  permission,
  model,
  isDenied,
}: PermissionUseSubject): string {
  return `${day} ${environment} ${key} ${permission} ${isDenied ? "-" : "+"} ${model}`;
}
