/** The usage that a caller sees: shared by gateway and client. */

/** Of a key, or with a session, of all the user's keys in the environment of the log-in. `since`: a day or epoch ms. */
export const OWN_USAGE_PATH = "/sallyport/usage";

/** A sum for one key and one model. */
export interface OwnUsageRow {
  readonly environment: string;
  readonly key: string | null;
  /** Null where the key is not known any more. */
  readonly keyName: string | null;
  /** A model's key; `other`: models without a separate row; null: requests without a model. */
  readonly model: string | null;
  readonly requests: number;
  readonly denied: number;
  /** Denied requests by the code of the denial. */
  readonly codes: Readonly<Record<string, number>>;
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** Requests whose tokens are the gateway's estimate. */
  readonly estimated: number;
  readonly computeMs: number;
  readonly queueMs: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** ISO 8601. */
  readonly firstAt: string;
  readonly lastAt: string;
}

export interface OwnUsageAnswer {
  readonly environment: string;
  /** First and last day, UTC. */
  readonly since: string;
  readonly until: string;
  readonly rows: readonly OwnUsageRow[];
  /** There are more rows than an answer holds. */
  readonly isTruncated: boolean;
}
