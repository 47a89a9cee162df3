/**
 * What one reader of live events gets in a turn: requests, at most so many, with the number of those that were left; and
 * the kinds of record that changed, each once. Each event is judged by the reader's right at that moment.
 */
import type { ChangedKind } from "@sallyport/contract";
import { administers } from "../../access/attenuation.ts";
import type { AdminRight } from "../../access/policy.ts";
import type { StreamPart } from "../event-stream.ts";
import { CHANGED_KINDS } from "./changed-kinds.ts";
import type { LiveEvent, LiveEvents } from "./live-events.ts";

/** Requests of a turn: 500 a second. People read fewer, and a browser paints them without falling behind. */
export const REQUESTS_PER_TURN = 125;
/** What changes all the time is said no more often. */
const OFTEN_MS = 1_000;

export interface EventReaderPorts {
  readonly events: Pick<LiveEvents, "run" | "newest" | "first" | "after">;
  /** The reader's right now. */
  readonly right: () => AdminRight;
  /** Number of the newest record of the audit log. */
  readonly newestRecord: () => number;
  /** Something runs or waits. */
  readonly isBusy: () => boolean;
  /** Monotonic ms. */
  readonly nowMs: () => number;
}

export class EventReader {
  readonly #ports: EventReaderPorts;
  #cursor: number;
  #saidOftenMs = -Infinity;
  #saidRecord: number;
  #wasBusy = false;
  /** Requests were seen since what runs was said to have changed. */
  #haveEnded = false;
  /** Nothing is known of what happened before the cursor. */
  #isReset: boolean;

  /** `lastId`: where the reader was; undefined = it begins now. */
  constructor(ports: EventReaderPorts, lastId: string | undefined) {
    this.#ports = ports;
    const { run, newest, first } = ports.events;
    const [itsRun, seq] = lastId?.split("-") ?? [];
    const known = itsRun === run ? Number(seq) : NaN;
    const isKnown = known >= first - 1 && known <= newest;
    this.#cursor = isKnown ? known : newest;
    this.#isReset = lastId !== undefined && !isKnown;
    this.#saidRecord = ports.newestRecord();
  }

  next(): StreamPart | null {
    const { events } = this.#ports;
    const parts: string[] = [];
    if (this.#isReset || events.first > this.#cursor + 1) {
      this.#isReset = false;
      parts.push("event: reset\ndata: {}\n");
    }
    const { requests, left, kinds } = this.#visible();
    this.#cursor = events.newest;
    if (requests.length > 0) {
      const texts = requests.map((request) => JSON.stringify(request));
      parts.push(`event: requests\ndata: {"requests":[${texts.join(",")}],"left":${left}}\n`);
    }
    if (kinds.size > 0) parts.push(`event: changed\ndata: ${JSON.stringify({ kinds: [...kinds] })}\n`);
    if (parts.length === 0) return null;
    const id = `id: ${events.run}-${this.#cursor}\n`;
    return { text: parts.map((part) => `${id}${part}\n`).join(""), count: requests.length, isMore: false };
  }

  #visible() {
    const right = this.#ports.right();
    const requests: Extract<LiveEvent, { readonly of: "request" }>["request"][] = [];
    const kinds = new Set<ChangedKind>();
    for (const event of this.#ports.events.after(this.#cursor)) {
      if (!maySee(right, event)) continue;
      if (event.of === "change") kinds.add(event.kind);
      else requests.push(event.request);
    }
    if (requests.length > 0) this.#haveEnded = true;
    for (const kind of this.#often()) if (right.permissions.includes(CHANGED_KINDS[kind])) kinds.add(kind);
    const left = Math.max(0, requests.length - REQUESTS_PER_TURN);
    return { requests: requests.slice(left), left, kinds };
  }

  /** What runs changes while something runs, and once more when nothing does. */
  *#often(): Generator<ChangedKind> {
    const nowMs = this.#ports.nowMs();
    if (nowMs - this.#saidOftenMs < OFTEN_MS) return;
    const [isBusy, record] = [this.#ports.isBusy(), this.#ports.newestRecord()];
    const isActive = isBusy || this.#wasBusy || this.#haveEnded;
    if (!isActive && record === this.#saidRecord) return;
    if (isActive) yield "activity";
    if (record !== this.#saidRecord) yield "audit";
    this.#saidOftenMs = nowMs;
    this.#saidRecord = record;
    this.#wasBusy = isBusy;
    this.#haveEnded = false;
  }
}

function maySee(right: AdminRight, event: LiveEvent): boolean {
  if (event.environment !== null && !administers(right, event.environment)) return false;
  return right.permissions.includes(event.of === "request" ? CHANGED_KINDS.activity : CHANGED_KINDS[event.kind]);
}
