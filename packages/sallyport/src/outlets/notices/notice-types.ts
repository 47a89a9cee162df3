/**
 * The events that cause notices: what ends or endangers a key or the gateway, and what was requested in their names.
 */
import type { EventType } from "../../audit/event.ts";

const told = [
  "key.notice",
  "key.suspended",
  "key.revoked",
  "key.rotation_begun",
  "key.rotated",
  "key.secret_reused",
  "ticket.opened_twice",
  "ticket.opened_late",
  "ticket.unexpected_network",
  "ticket.expired",
  "anomaly.detected",
  "rightsizing.taken_back",
  "review.started",
  "review.reminder",
  "review.closed",
  "notice.weekly",
  "leak.reported",
  "leak.in_traffic",
  "person.local_suspended",
  "admin.reset",
  "admin_key.issued",
  "gateway.restored",
  "witness.refused",
] as const satisfies readonly EventType[];

export type NoticeType = (typeof told)[number];
export const noticeTypes: ReadonlySet<EventType> = new Set(told);
