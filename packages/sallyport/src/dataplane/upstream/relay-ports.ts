/** What a relay needs of the gateway, and how it ends. */
import type { Refusal } from "@sallyport/protocol";
import type { LedgerAppender } from "../../audit/recorder.ts";
import type { UnrecordedRequests } from "../../audit/unrecorded.ts";
import type { Clock } from "../../kernel/clock.ts";
import type { TrafficGuard } from "../keys-in-traffic.ts";
import type { CallFailure } from "./health.ts";

export interface RelayPorts {
  readonly ledger: LedgerAppender;
  readonly unrecorded: UnrecordedRequests;
  readonly clock: Clock;
  /** What is done about keys in responses. */
  readonly traffic: TrafficGuard;
}

/** How a relay ends: `finish` or `fault`, once. */
export interface RelayEnds {
  /** With a denial if nothing was sent yet and the caller must be informed, otherwise with undefined. */
  finish(refusal: Refusal | undefined): void;
  /** Something broke in reading or writing the answer. */
  fault(cause: unknown): void;
  /** The call failed before anything of its answer came: true when it is made once more. */
  repeat(failure: CallFailure): boolean;
}
