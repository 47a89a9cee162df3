/** Kinds of record that change, as readers of live events see them, and the permission to hear of each. */
import type { ChangedKind } from "@sallyport/contract";
import type { AdminPermission } from "@sallyport/protocol";
import type { EventType } from "../../audit/event.ts";
import type { Committed, ImageKind } from "../../changes/image.ts";

export const CHANGED_KINDS: Readonly<Record<ChangedKind, AdminPermission>> = {
  keys: "keys:read",
  policy: "policy:read",
  people: "principals:read",
  findings: "policy:read",
  reviews: "reviews:read",
  incidents: "keys:read",
  alerts: "audit:read",
  leaks: "audit:read",
  audit: "audit:read",
  activity: "status:read",
};

const OF_IMAGE: { readonly [K in ImageKind]: ChangedKind | null } = {
  environment: "policy",
  role: "policy",
  principal: "people",
  group: "people",
  assignment: "people",
  local_login: "people",
  key: "keys",
  ticket: null,
  restriction: "keys",
  rightsizing: "keys",
  token_key: null,
  revoked_token: null,
  finding: "findings",
  review: "reviews",
  review_line: "reviews",
};

type Noun = EventType extends `${infer N}.${string}` ? N : never;
/** By the first part of the type of a record. */
const OF_EVENT: { readonly [N in Noun]?: ChangedKind } = {
  incident: "incidents",
  anomaly: "alerts",
  leak: "leaks",
  upstream: "policy",
};

interface Changed {
  readonly kind: ChangedKind;
  readonly environment: string | null;
}

/** Each kind and environment once. */
export function changedBy({ images, events }: Pick<Committed, "images" | "events">): Changed[] {
  const found = new Map<string, Changed>();
  const note = (kind: ChangedKind | null | undefined, environment: string | null): void => {
    if (kind) found.set(`${kind} ${environment ?? ""}`, { kind, environment });
  };
  for (const image of images) note(OF_IMAGE[image.of], "environment" in image ? image.environment : null);
  for (const { type, environment } of events) {
    note(OF_EVENT[type.slice(0, type.indexOf(".")) as Noun], environment);
  }
  return [...found.values()];
}
