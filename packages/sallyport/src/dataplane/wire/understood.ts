/**
 * What one request means, after the strict parse: the only form policy looks at and the only source of the bytes that
 * are sent upstream (R1). Nothing of the caller's own bytes survives except validated lexemes.
 */
import type { DataPermission, ModelName, ThinkLevel } from "@sallyport/protocol";
import type { KeepAliveRange } from "../../access/decide.ts";
import type { AskedParameters, Demand } from "../../access/demand.ts";

export interface Understood {
  /** Everything the request asks for; never empty. */
  readonly demands: readonly Demand[];
  /** The model the work runs on: for the queue, the limits and the record. Null for requests without one. */
  readonly model: ModelName | null;
  /** What the request offers the model and can do without: taken out of what is sent where it is not granted. */
  readonly offers: readonly Demand[];
  /** Lower-case registry hosts the request would make the upstream contact (pull, push, create.from). */
  readonly registries: readonly string[];
  readonly asked: AskedParameters;
  /** True when the answer will come as a stream of chunks. */
  readonly isStream: boolean;
  /** True when usage must be asked from the upstream although the caller did not ask: it is taken out again. */
  readonly hidesUsage: boolean;
  /** Unknown fields that were dropped. */
  /** What a person wrote in it and is not sent on, such as a file's name; absent for nothing. */
  readonly unsent?: string;
  readonly droppedFields: number;
  /** A rough count of input characters, for estimates where the server reports no usage. */
  readonly inputCharacters: number;
  /** Our own serialisation, with what was granted applied. `spelling`: how the model server writes the model's name. */
  serialize(terms: Terms, spelling?: string): Serialized;
}

/** What `decide()` granted, as far as the bytes upstream depend on it. */
export interface Terms {
  /** Most output tokens; undefined = no cap. Lowered or inserted in the dialect's own field. */
  readonly outputTokens: number | undefined;
  /** The largest `num_ctx`; undefined = it is taken out. */
  readonly contextTokens: number | undefined;
  /** The most that the model may think; absent = no bound. */
  readonly think?: ThinkLevel | undefined;
  /** Most alternatives of which probabilities are returned; absent = no bound. */
  readonly topLogprobs?: number | undefined;
  /** `infer:override` is held on the model: fields pass that are otherwise stripped. */
  readonly mayOverride: boolean;
  /** Where a `keep_alive` must lie, in seconds; Infinity = for ever. */
  readonly keepAlive: KeepAliveRange;
  /** What the request offers is granted and stays in it. */
  readonly hasOffers: boolean;
}

export interface Serialized {
  readonly bytes: Uint8Array;
  readonly contentType: string;
  /** What was stripped or clamped, as `field` or `field=value`: told to the caller in `x-sallyport-adjusted`. */
  readonly adjusted: readonly string[];
  /**
   * Permissions that no field demands and without which something would have been stripped or clamped; absent = none.
   */
  readonly relied?: readonly DataPermission[];
}
