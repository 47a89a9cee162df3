/** The filters of audit records, for searches and tails. */
import { z } from "zod";
import { queryNumber } from "./scalars.ts";

const word = z.string().min(1).max(256);
const timeMs = queryNumber(0, 8_640_000_000_000_000);

export const sequenceNumber = queryNumber(0, Number.MAX_SAFE_INTEGER);

export const auditFilter = {
  actor: word.optional(),
  /** A key's id: what it did, and what was done to it. */
  key: word.optional(),
  principal: word.optional(),
  type: word.optional(),
  code: word.optional(),
  environment: word.optional(),
  model: word.optional(),
  /** An address, or a network such as 10.0.0.0/8. */
  address: word.optional(),
  /** Epoch ms, inclusive. */
  since: timeMs.optional(),
  until: timeMs.optional(),
};

/** Beside the contract's rows: a tail is a stream of events, no JSON. */
export const tailQuery = z.strictObject({
  ...auditFilter,
  /** Begins after this sequence number; a `Last-Event-ID` header says more. From now on unless given. */
  after: sequenceNumber.optional(),
});

export type TailQuery = z.input<typeof tailQuery>;
