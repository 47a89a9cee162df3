/** Incidents and the blast radius of a key, as they are answered. Every text in a radius may be hostile: it came in requests. */
import { z } from "zod";
import { time } from "./scalars.ts";
import { keyView } from "./views.ts";

const count = z.number();

export const incidentView = z.object({
  id: z.string(),
  environment: z.string(),
  keyId: z.string(),
  keyName: z.string(),
  owner: z.string().nullable(),
  state: z.enum(["open", "closed"]),
  /** What is counted begins here. */
  since: time,
  reason: z.string().nullable(),
  openedAt: time,
  openedBy: z.string(),
  closed: z
    .object({
      at: time,
      by: z.string(),
      outcome: z.enum(["revoked", "reissued", "false_alarm"]),
      /** Id of the key that took its place. */
      reissued: z.string().nullable(),
      note: z.string().nullable(),
    })
    .nullable(),
});

/** Most frequent first; `others` = occurrences of names that were too many to be kept apart. */
const counts = z.object({ rows: z.array(z.object({ name: z.string(), count })), others: count });

/** Oldest first. `more` were omitted from the middle. */
const happenings = z.object({
  rows: z.array(z.object({ seq: count, at: time, environment: z.string(), type: z.string(), actor: z.string(), says: z.string() })), // prettier-ignore
  more: count,
});

/** What the audit log says about a key. */
export const ledgerRadiusView = z.object({
  from: time,
  to: time,
  /** The oldest record: what was before it is not known. Null without records. */
  knownFrom: time.nullable(),
  /** Records that were looked through. */
  records: count,
  requests: z.object({
    served: count,
    refused: count,
    inputTokens: count,
    outputTokens: count,
    /** Outcomes whose tokens were estimated. */
    estimated: count,
    bytesIn: count,
    bytesOut: count,
  }),
  models: counts,
  endpoints: counts,
  permissions: counts,
  /** Of denials. */
  codes: counts,
  outcomes: counts,
  /** Programs as they called themselves. */
  programs: counts,
  /** Since the key was issued, in the order in which they came. */
  addresses: z.object({
    rows: z.array(
      z.object({
        address: z.string(),
        firstAt: time,
        lastAt: time,
        /** The record of its first request. */
        firstSeq: count,
        /** Since `from`. */
        requests: count,
        refused: count,
        /** Before `from`. */
        earlier: count,
      }),
    ),
    others: count,
  }),
  /** Other keys, and people, that the same addresses used since `from`. */
  shared: z.object({
    rows: z.array(
      z.object({ address: z.string(), environment: z.string(), actor: z.string(), uses: count, firstAt: time, lastAt: time }), // prettier-ignore
    ),
    others: count,
  }),
  /** Of the key itself: issued, rotated, access conditions, delivery links. */
  life: happenings,
  tokens: happenings,
  /** What was done with the key, other than requests. */
  byKey: happenings,
  byOwner: happenings,
  /** What changed in the owner's rights, in the key's roles, in its environment. */
  rights: happenings,
  timeline: z.object({
    bucketMs: count,
    buckets: z.array(
      z.object({
        at: time,
        refused: count,
        addresses: z.array(z.object({ address: z.string(), count })),
        others: count,
      }),
    ),
    marks: z.array(z.object({ at: time, kind: z.string(), says: z.string() })),
  }),
  /** Records whose proofs belong to a report, and why. */
  decisive: z.array(z.object({ seq: count, why: z.string() })),
});

export const radiusView = ledgerRadiusView.extend({
  key: keyView,
  owner: z.object({ id: z.string(), kind: z.string(), name: z.string(), isDisabled: z.boolean() }).nullable(),
  /** Other keys of the owner. */
  siblings: z.object({ rows: z.array(keyView), more: count }),
  /** Programs as they call themselves, by the present record of uses. */
  clients: z.array(z.object({ address: z.string(), agent: z.string(), usedAt: time })),
  /** By address: IPv4 /24, IPv6 /48. */
  networks: z.record(z.string(), z.string()),
});

export type IncidentView = z.output<typeof incidentView>;
export type LedgerRadiusView = z.output<typeof ledgerRadiusView>;
export type RadiusView = z.output<typeof radiusView>;
