/** The queue in front of one model of one upstream: a fair queue by another name, so that the exchange can hold its place. */
import { FairQueue } from "../../limits/fair-queue.ts";

export const LANE_WAITING_MAX = 256;
export const LANE_WAIT_MS = 60_000;

export class Lane extends FairQueue {
  constructor(slots: number) {
    super(slots, LANE_WAITING_MAX, LANE_WAIT_MS);
  }
}
