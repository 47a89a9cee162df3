/** One thing a request asks for. A request may ask for several; every one must be granted. */
import type { DataPermission, ModelName } from "@sallyport/protocol";

export interface Demand {
  readonly permission: DataPermission;
  /** The model it is asked on; null where the permission needs none. */
  readonly model: ModelName | null;
  /** Where in the request it is asked, for the explanation: `model`, `keep_alive`, `tools[2].type`. */
  readonly field: string;
}

/** The parameters of a request that guards bound. Absent = not asked. */
export interface AskedParameters {
  readonly outputTokens?: number;
  readonly images: number;
  /** Absent = 0, like the next two. */
  readonly messages?: number;
  readonly tools?: number;
  /** Of its largest schema. */
  readonly schemaBytes?: number;
}
