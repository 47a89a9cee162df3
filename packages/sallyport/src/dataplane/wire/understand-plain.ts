/** Requests without a body of meaning: listings, status, blobs, one model's row, the account. */
import { parseModelName, refuse } from "@sallyport/protocol";
import type { DataPermission, ModelName, Refusal } from "@sallyport/protocol";
import type { Demand } from "../../access/demand.ts";
import { showDemands } from "./understand-models.ts";
import type { Serialized, Understood } from "./understood.ts";

const NOTHING: Serialized = { bytes: new Uint8Array(0), contentType: "", adjusted: [] };

function plain(demands: readonly Demand[], model: ModelName | null, sent: Serialized = NOTHING): Understood {
  return {
    demands,
    model,
    registries: [],
    asked: { images: 0 },
    offers: [],
    isStream: false,
    hidesUsage: false,
    droppedFields: 0,
    inputCharacters: 0,
    serialize: () => sent,
  };
}

export function understandPlain(permission: DataPermission): () => Understood {
  const understood = plain([{ permission, model: null, field: "endpoint" }], null);
  return () => understood;
}

/** The digest has been checked by the endpoint's match; the bytes are streamed through when they are forwarded. */
export function understandBlob(permission: "blobs:probe" | "blobs:write"): () => Understood {
  const sent = permission === "blobs:write" ? { ...NOTHING, contentType: "application/octet-stream" } : NOTHING;
  const understood = plain([{ permission, model: null, field: "endpoint" }], null, sent);
  return () => understood;
}

/** `GET /v1/models/:model`: on a cloud name this GET leaves the machine. */
export function understandModelRow(_body: Buffer, parameter: string | null): Understood | Refusal {
  const model = parseModelName(parameter ?? "");
  return model ? plain(showDemands(model), model) : refuse("model_name_invalid");
}
