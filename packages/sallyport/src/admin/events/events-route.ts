/**
 * `GET /v1/events`, outside the contract: what happens, as server-sent events, for the console. A browser has one, whatever
 * the number of its tabs: over HTTP/1.1 it opens no more than six connections to a host. `Last-Event-ID` goes on where the
 * reader was, as far as that is in memory; otherwise `reset` says so.
 */
import { setTimeout as wait } from "node:timers/promises";
import { eventsQuery } from "@sallyport/contract";
import type { ContractRow } from "@sallyport/contract";
import { Problem } from "@sallyport/protocol";
import { EVENT_STREAMS } from "../../kernel/shared-resources.ts";
import { Shares } from "../../kernel/shares.ts";
import type { Caller } from "../caller.ts";
import { EventStream } from "../event-stream.ts";
import type { AdminPorts } from "../ports.ts";
import { judge, readQuery } from "../read-request.ts";
import { EventReader } from "./event-reader.ts";

export const eventsRoute = {
  name: "events",
  method: "GET",
  path: "/v1/events",
  permission: "status:read",
  caller: "any",
  events: [],
  says: "streams requests that are over, and which kinds of record changed (server-sent events), of the environments the caller administers; `Last-Event-ID` continues, or `reset` says that it cannot",
} as const satisfies Pick<ContractRow, "method" | "path" | "permission" | "caller" | "events" | "says"> & {
  readonly name: string;
};

const LAST_ID = /^[0-9A-Za-z]{8}-[0-9]{1,15}$/;

export class EventStreams {
  readonly #ports: AdminPorts;
  readonly #open = new Set<EventStream>();
  readonly #shares = new Shares(EVENT_STREAMS);

  constructor(ports: AdminPorts) {
    this.#ports = ports;
  }

  /** `again` throws the problem when the caller's right has ended. */
  answer(first: Caller, again: () => Caller, request: Request): Response {
    judge(eventsQuery, readQuery(request), "query_not_accepted");
    const lastId = request.headers.get("last-event-id") ?? undefined;
    if (lastId !== undefined && !LAST_ID.test(lastId))
      throw new Problem("input_invalid", "Last-Event-ID is not one of this stream");
    const ports = this.#ports;
    const { events, clock } = ports;
    const owner = { caller: first.issuer.actor };
    const full = this.#shares.take(owner);
    if (full !== undefined)
      throw new Problem(
        "concurrency_exceeded",
        full === "all" ? "too many event streams are open" : "you have too many event streams open",
      );
    const leave = events.enter();
    let caller = first;
    const reader = new EventReader(
      {
        events,
        right: () => caller.issuer.right,
        newestRecord: ports.newestRecord,
        isBusy: () => {
          const { running, queued } = ports.status();
          return running + queued > 0;
        },
        nowMs: () => clock.monotonic(),
      },
      lastId,
    );
    const { version } = ports.status();
    const stream = new EventStream({
      clock,
      wait: (ms) => wait(ms, undefined, { ref: false }),
      begin: `id: ${events.run}-${events.newest}\nevent: hello\ndata: ${JSON.stringify({ version, run: events.run })}\n\n`,
      demand: () => void (caller = again()),
      next: () => reader.next(),
      tooSlow: "events came faster than they were taken; Last-Event-ID goes on here",
      broken: "the events could not be read",
      onEnd: () => {
        this.#open.delete(stream);
        this.#shares.give(owner);
        leave();
      },
    });
    this.#open.add(stream);
    return stream.answer();
  }

  close(): void {
    for (const stream of this.#open) stream.end("stopping", "the gateway stops");
  }
}
