/** An export in JSONL: every record in order, led back to its own line, in the node's chain and in the logs. */
import { isEnvironmentName } from "@sallyport/protocol";
import { LogWalk } from "./check-log.ts";
import { logOrigin, parseCheckpoint } from "./checkpoint.ts";
import { lineOfExportRow } from "./export-row.ts";
import { linesOf } from "./lines-of.ts";
import { endedActOf, EndedRuns, parseEnded } from "./ended-record.ts";
import type { EndedAct } from "./ended-record.ts";
import { parseRecordLine } from "./record-line.ts";
import { parseVerifierKey } from "./signed-note.ts";
import type { ExportWalk } from "./export-walk.ts";
import { CHANGED, missing, UNEXPLAINED } from "./damage-words.ts";
import type { LedgerDamage } from "./damage-words.ts";

export function verifyRows(walk: ExportWalk): LedgerDamage | undefined {
  const { files, manifest, crypto, pins, times } = walk;
  const logs = new Map(
    manifest.logs.map(({ environment, base, firstKey, checkpoint }) => {
      const start = {
        origin: logOrigin(manifest.node, environment),
        base,
        firstKey: parseVerifierKey(crypto.sha256, firstKey),
        checkpoint: parseCheckpoint(checkpoint),
      };
      return [environment, new LogWalk(crypto, start, pins)];
    }),
  );
  const file = manifest.files[0]?.path ?? "";
  let last = { seq: 0, hash: "" };
  // Two neighbours that do not fit: which of them was changed shows in what comes after them.
  let misfit: { readonly before: number; readonly after: number } | undefined;
  const changed = (isAfterGenuine: boolean): LedgerDamage => ({
    seq: isAfterGenuine ? misfit!.before : misfit!.after,
    file,
    reason: CHANGED,
  });
  const runs = new EndedRuns();
  const acts: EndedAct[] = [];
  for (const row of linesOf(files.read(file) ?? [])) {
    const ended = row === undefined || last.seq === 0 || misfit ? undefined : parseEnded(row);
    if (ended && ended.seq === last.seq + 1 && ended.seq >= manifest.from) {
      const { seq, environment, prev, leaf, hash } = ended;
      if (prev !== null && prev !== last.hash) return { seq: last.seq, file, reason: CHANGED };
      last = { seq, hash: hash ?? "" };
      runs.add(seq);
      walk.records++;
      const reason = logs.get(environment)?.take(leaf);
      if (reason !== undefined) return { seq, file, reason: `log ${environment}: ${reason}` };
      continue;
    }
    const line = row === undefined ? undefined : lineOfExportRow(crypto.sha256Text, row);
    const record = line === undefined ? undefined : parseRecordLine(line);
    if (misfit) return changed(record?.prev === last.hash || !record);
    if (line === undefined || !record)
      return { seq: last.seq + 1, file, reason: "the line is not a well-formed record" };
    const { seq, prev, environment } = record;
    if (last.seq > 0 && seq !== last.seq + 1) return missing(last.seq + 1, seq, file);
    if (last.seq > 0 && prev !== last.hash) misfit = { before: last.seq, after: seq };
    last = { seq, hash: crypto.sha256Text(line) };
    times.take(record);
    const act = endedActOf(record);
    if (act) acts.push(act);
    walk.records++;
    const log = seq < manifest.from || !isEnvironmentName(environment) ? undefined : logs.get(environment);
    const reason = log?.take(crypto.tree.leaf(line), record);
    if (reason !== undefined) return { seq, file, reason: `log ${environment}: ${reason}` };
  }
  if (misfit) return changed(last.hash === manifest.head.hash);
  if (last.seq !== manifest.head.seq)
    return {
      seq: last.seq + 1,
      file,
      reason: `the export ends at record ${last.seq}, its manifest says ${manifest.head.seq}`,
    };
  if (last.hash !== manifest.head.hash) return { seq: last.seq, file, reason: "the last record was changed" };
  walk.ended += runs.count;
  const unexplained = runs.unexplained(crypto.sha256Text, acts);
  if (unexplained !== undefined) return { seq: unexplained, file, reason: UNEXPLAINED };
  for (const [environment, log] of logs) {
    const reason = log.end(pins);
    if (reason !== undefined) return { seq: last.seq, file, reason: `log ${environment}: ${reason}` };
  }
  return undefined;
}
