/** A restored directory's quarantine, as the listeners ask for it: read once, ended once. */
import { SYSTEM_REALM } from "@sallyport/protocol";
import type { Quarantine } from "../admin/ports.ts";
import type { ChangeWriter } from "../changes/feed.ts";
import type { Clock } from "../kernel/clock.ts";
import { dataPaths } from "../store/disk/data-paths.ts";
import { markRecorded, readRestoredMark, removeRestoredMark } from "../store/state/restored-mark.ts";

/** Records the restore in the restored audit log, unless that was done already. */
export async function openQuarantine(directory: string, changes: ChangeWriter, clock: Clock): Promise<Quarantine> {
  const paths = dataPaths(directory);
  let mark = readRestoredMark(paths);
  if (mark && !mark.isRecorded) {
    const { backupAt, restoredAt, seq, version } = mark;
    const fields = { backup_at: backupAt, restored_at: restoredAt, backup_seq: seq, backup_version: version };
    const at = clock.now();
    await changes.change({
      operations: [],
      events: [{ type: "gateway.restored", at, environment: SYSTEM_REALM, actor: "gateway", fields }],
    });
    markRecorded(paths, mark);
  }
  return {
    restored: () => mark,
    end() {
      removeRestoredMark(paths);
      mark = undefined;
    },
  };
}
