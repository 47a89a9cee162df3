/**
 * Once a week, on Monday at 08:00 UTC, what needs a person is a notice: the five worst, each with its command. That it was
 * sent is a record, so a restart sends none twice, and one that was missed by less than a day is sent late.
 */
export interface WeeklyPorts {
  /** Epoch ms. */
  readonly now: () => number;
  /** When the last one was recorded, epoch ms; undefined for never. */
  readonly lastSent: () => Promise<number | undefined>;
  /** Sends and records it; does nothing where nothing needs a person. */
  readonly send: () => Promise<void>;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const WEEK_MS = 7 * DAY_MS;
/** 1970-01-01 was a Thursday: the first Monday at 08:00 UTC came four days and eight hours later. */
const FIRST_MS = 4 * DAY_MS + 8 * HOUR_MS;

/** The last Monday at 08:00 UTC, epoch ms. */
export function weeklySlot(now: number): number {
  return FIRST_MS + Math.floor((now - FIRST_MS) / WEEK_MS) * WEEK_MS;
}

export class WeeklyNotice {
  readonly #ports: WeeklyPorts;
  /** The week that is settled: its notice was sent, was not due any more, or there was nothing to say. */
  #settled = -Infinity;
  #isLooking = false;

  constructor(ports: WeeklyPorts) {
    this.#ports = ports;
  }

  /** Call it every minute or so. True if a notice was sent. Rejects where it could not be; the next call tries again. */
  async look(): Promise<boolean> {
    const now = this.#ports.now();
    const slot = weeklySlot(now);
    if (this.#isLooking || slot <= this.#settled) return false;
    if (now - slot >= DAY_MS) {
      this.#settled = slot;
      return false;
    }
    this.#isLooking = true;
    try {
      const isSent = ((await this.#ports.lastSent()) ?? -Infinity) >= slot;
      if (!isSent) await this.#ports.send();
      this.#settled = slot;
      return !isSent;
    } finally {
      this.#isLooking = false;
    }
  }
}
