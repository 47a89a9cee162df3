/** The end of a restored gateway's quarantine. What is replayed only narrows, so it needs no proof of where it comes from. */
import { SYSTEM_REALM } from "@sallyport/protocol";
import type { Operation } from "../../changes/change.ts";
import type { LedgerEvent } from "../../audit/event.ts";
import type { KeyRecord } from "../../keys/key.ts";
import { isSuspendedForDisuse } from "../../keys/own-resume.ts";
import { eventOf } from "../call.ts";
import type { AnyCall, Call, Handlers } from "../call.ts";
import { isoTime } from "../views.ts";

type Replayed = Call<"restore.replay">["body"]["records"][number];

interface Narrowing {
  readonly operation: Operation;
  readonly event: LedgerEvent;
}

export const restoreHandlers: Handlers<"restore.show" | "restore.replay" | "restore.confirm"> = {
  "restore.show": ({ ports }) => {
    const restore = ports.quarantine.restored();
    if (!restore) return { isUnconfirmed: false, backupAt: null, restoredAt: null, seq: null, hash: null };
    const { backupAt, restoredAt, seq, hash } = restore;
    return { isUnconfirmed: true, backupAt: isoTime(backupAt), restoredAt: isoTime(restoredAt), seq, hash };
  },

  "restore.replay": (call) =>
    call.ports.changes.inTurn(async () => {
      const counts = { revoked: 0, suspended: 0, disabled: 0, unknown: 0 };
      for (const record of call.body.records) {
        const narrowing = narrowingOf(call, record);
        if (narrowing === "unknown") counts.unknown++;
        if (typeof narrowing === "string") continue;
        await call.ports.changes.change({ operations: [narrowing.operation], events: [narrowing.event] });
        if (record.type === "principal.disabled") counts.disabled++;
        else if (record.type === "key.suspended") counts.suspended++;
        else counts.revoked++;
      }
      return counts;
    }),

  "restore.confirm": (call) =>
    call.ports.changes.inTurn(async () => {
      const restore = call.ports.quarantine.restored();
      if (!restore) return { wasUnconfirmed: false };
      const { backupAt, seq } = restore;
      const { replayed, isWhole } = call.body;
      const fields = { backup_at: backupAt, backup_seq: seq, replayed, is_whole: isWhole };
      await call.ports.changes.change({
        operations: [],
        events: [eventOf(call, "gateway.restore_confirmed", SYSTEM_REALM, fields)],
      });
      call.ports.quarantine.end();
      return { wasUnconfirmed: true };
    }),
};

/** `done` where it is so already. */
function narrowingOf(call: AnyCall, { type, environment, id }: Replayed): Narrowing | "unknown" | "done" {
  if (type === "principal.disabled") return disabling(call, id);
  if (type === "person.local_removed") return closing(call, id);
  const key = call.ports.keys.find(type === "admin_key.revoked" ? SYSTEM_REALM : environment, id);
  if (!key) return "unknown";
  const state = type === "key.suspended" ? "suspended" : "revoked";
  return isAtMost(key, state) ? "done" : ending(call, key, type, state);
}

function isAtMost(key: KeyRecord, state: "suspended" | "revoked"): boolean {
  return key.state === "revoked" || (key.state === state && !isSuspendedForDisuse(key));
}

function ending(
  call: AnyCall,
  key: KeyRecord,
  type: Exclude<Replayed["type"], "principal.disabled" | "person.local_removed">,
  state: "suspended" | "revoked",
): Narrowing {
  const { environment, id, name, owner } = key;
  return {
    operation: { op: "key.state", environment, id, state, reason: "replayed" },
    event: eventOf(call, type, environment, { key: id, name, owner, replayed: true }),
  };
}

/** The password was a different one by then, or none: the user is invited again. */
function closing(call: AnyCall, id: string): Narrowing | "unknown" | "done" {
  const principal = call.ports.snapshot().principals.get(id);
  if (!principal) return "unknown";
  if (!call.ports.localLogins.of(id)) return "done";
  return {
    operation: { op: "localLogin.remove", principal: id },
    event: eventOf(call, "person.local_removed", SYSTEM_REALM, { principal: id, name: principal.name, replayed: true }),
  };
}

function disabling(call: AnyCall, id: string): Narrowing | "unknown" | "done" {
  const principal = call.ports.snapshot().principals.get(id);
  if (!principal) return "unknown";
  if (principal.isDisabled) return "done";
  const { kind, name } = principal;
  return {
    operation: { op: "principal.put", principal: { ...principal, isDisabled: true, disabledBy: ["admin"] } },
    event: eventOf(call, "principal.disabled", SYSTEM_REALM, { principal: id, kind, name, replayed: true }),
  };
}
