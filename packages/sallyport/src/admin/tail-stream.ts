/** One reader of the audit log: pages of records, as an event stream. */
import type { AuditPage } from "../audit/audit-log.ts";
import { EventStream } from "./event-stream.ts";
import type { EventStreamPorts, StreamPart } from "./event-stream.ts";
import { isoTime } from "./views.ts";

export interface TailPorts extends Pick<EventStreamPorts, "clock" | "wait" | "demand" | "onEnd"> {
  /** Number of the newest record on disk. */
  readonly newest: () => number;
  /** A page of what the reader may see. Throws the problem if its permission has ended. */
  readonly read: (page: { after: number; limit: number; order: "oldest" }) => Promise<AuditPage>;
  readonly after: number;
}

export const PAGE_RECORDS = 200;

export class TailStream extends EventStream {
  constructor(ports: TailPorts) {
    let cursor = ports.after;
    super({
      ...ports,
      begin: ": audit records as they are written\n\n",
      next: () => (ports.newest() > cursor ? readPage() : null),
      tooSlow: "records came faster than they were taken; Last-Event-ID goes on here",
      broken: "the audit log could not be read",
    });

    async function readPage(): Promise<StreamPart> {
      const page = await ports.read({ after: cursor, limit: PAGE_RECORDS, order: "oldest" });
      const gap =
        page.first > cursor + 1 && cursor > 0
          ? `event: gap\ndata: ${JSON.stringify({ after: cursor, first: page.first })}\n\n`
          : "";
      const records = page.records.map(
        (record) => `id: ${record.seq}\ndata: ${JSON.stringify({ ...record, at: isoTime(record.at) })}\n\n`,
      );
      cursor = Math.max(cursor, page.through);
      return { text: gap + records.join(""), count: page.records.length, isMore: page.records.length >= PAGE_RECORDS };
    }
  }
}
