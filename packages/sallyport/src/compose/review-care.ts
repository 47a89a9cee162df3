/**
 * What a running gateway does for access reviews by itself: starts those that are scheduled, reminds their reviewers, and
 * ends them when their time is over.
 */
import { endReview } from "../admin/reviews/end-review.ts";
import { findReviewer } from "../admin/reviews/reviewers.ts";
import { isUnderWay, startReview } from "../admin/reviews/start-review.ts";
import type { AdminPorts } from "../admin/ports.ts";
import type { EventType, LedgerEvent } from "../audit/event.ts";
import { causeOf } from "../kernel/log.ts";
import type { Log } from "../kernel/log.ts";
import { dueReminder, isDue, scheduleName, schedulesOf } from "../reviews/review-dates.ts";
import type { ReviewSchedule } from "../reviews/review-dates.ts";
import type { ReviewRecord } from "../reviews/review.ts";

const EVERY_MS = 60_000;
/** A schedule that cannot start, such as one whose reviewer does not exist, is tried again an hour later. */
const RETRY_MS = 3_600_000;
const ACTOR = "gateway";

export interface ReviewCare {
  /** Does what is due now; one look at a time. */
  look(): Promise<void>;
  stop(): void;
}

interface CareParts {
  readonly ports: AdminPorts;
  readonly isClockAgreed: () => boolean;
  /** False where another gateway makes the changes. */
  readonly isActive?: () => boolean;
  readonly log: Log;
}

export function careForReviews(parts: CareParts): ReviewCare {
  const jobs = new ReviewJobs(parts);
  const timer = setInterval(() => void jobs.look(), EVERY_MS).unref();
  return { look: () => jobs.look(), stop: () => clearInterval(timer) };
}

export class ReviewJobs {
  readonly #parts: CareParts;
  /** Reviews that were still being written when this process began: no one writes on. */
  readonly #unfinished: readonly string[];
  readonly #retryAt = new Map<string, number>();
  #looking: Promise<void> | undefined;

  constructor(parts: CareParts) {
    this.#parts = parts;
    this.#unfinished = parts.ports.reviews.all().flatMap(({ id, state }) => (state === "starting" ? [id] : []));
  }

  look(): Promise<void> {
    this.#looking ??= this.#look().finally(() => (this.#looking = undefined));
    return this.#looking;
  }

  async #look(): Promise<void> {
    const { ports, isClockAgreed, isActive, log } = this.#parts;
    if (isActive?.() === false) return;
    await this.#try("a review that was not finished could not be abandoned", () => this.#abandon());
    // A clock that is wrong for a moment must neither end a review nor start one, nor must a backup that no one confirmed.
    if (!isClockAgreed() || ports.quarantine.restored()) return;
    for (const review of ports.reviews.all()) {
      if (review.state !== "open") continue;
      await this.#try(`review ${review.id} could not be reminded of or ended`, () => this.#tend(review));
    }
    const now = ports.clock.now();
    for (const schedule of schedulesOf(ports.snapshot().environments.values())) {
      const name = scheduleName(schedule);
      if ((this.#retryAt.get(name) ?? 0) > now || !isDue(schedule, ports.reviews.all(), now)) continue;
      this.#retryAt.set(name, now + RETRY_MS);
      await this.#try(`the review ${name} could not start`, () => this.#start(schedule));
    }
    for (const [name, at] of this.#retryAt) if (at <= now || at > now + RETRY_MS) this.#retryAt.delete(name);
    log.debug("access reviews were looked at");
  }

  async #try(what: string, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (cause) {
      this.#parts.log.error({ cause: causeOf(cause) }, what);
    }
  }

  async #abandon(): Promise<void> {
    const { ports } = this.#parts;
    for (const id of this.#unfinished) {
      await ports.changes.inTurn(async () => {
        const review = ports.reviews.get(id);
        if (review?.state !== "starting") return;
        await ports.changes.change({
          operations: [
            {
              op: "review.put",
              review: { ...review, state: "abandoned", closedAt: ports.clock.now(), closedBy: ACTOR },
            },
          ],
          events: [this.#event("review.closed", review.environment, { review: id, reason: "not_finished" })],
        });
      });
    }
  }

  async #tend(review: ReviewRecord): Promise<void> {
    const { ports, log } = this.#parts;
    const now = ports.clock.now();
    if (now >= review.dueAt) {
      const event = (type: EventType, environment: string, fields: LedgerEvent["fields"]): LedgerEvent =>
        this.#event(type, environment, fields);
      const closed = await endReview(ports, { review: review.id, actor: ACTOR, event });
      if (closed) log.info({ review: review.id, ...closed.result?.counts }, "an access review ended");
      return;
    }
    if (!dueReminder(review, now)) return;
    await ports.changes.inTurn(async () => {
      const present = ports.reviews.get(review.id);
      const reminder = present?.state === "open" ? dueReminder(present, now) : undefined;
      if (!present || !reminder) return;
      const open = ports.reviewLines.counts(present.id).filter(({ status }) => status === "open");
      const lines = open.reduce((sum, one) => sum + one.lines, 0);
      await ports.changes.change({
        operations: [{ op: "review.put", review: { ...present, reminded: reminder.reminded } }],
        events: [
          this.#event("review.reminder", present.environment, {
            review: present.id,
            days: reminder.days,
            due_at: present.dueAt,
            open: lines,
            reviewers: open.flatMap(({ assignedTo }) => (assignedTo === null ? [] : [assignedTo])),
          }),
        ],
      });
    });
  }

  async #start(schedule: ReviewSchedule): Promise<void> {
    const { ports, log } = this.#parts;
    const { environment, scope, dueMs } = schedule;
    // One that an administrator started covers it; it is looked at again when that one is closed.
    if (ports.reviews.all().some((one) => one.environment === environment && one.scope === scope && isUnderWay(one)))
      return;
    const reviewers = [];
    for (const name of schedule.reviewers) reviewers.push(await findReviewer(ports, environment, name));
    const review = await startReview(ports, {
      environment,
      scope,
      dueMs,
      reviewers,
      schedule: scheduleName(schedule),
      actor: ACTOR,
      event: (type, fields) => this.#event(type, environment, fields),
    });
    log.info({ review: review.id, environment, lines: review.lines }, "a scheduled access review was started");
  }

  #event(type: EventType, environment: string, fields: LedgerEvent["fields"]): LedgerEvent {
    return { type, at: this.#parts.ports.clock.now(), environment, actor: ACTOR, fields };
  }
}
