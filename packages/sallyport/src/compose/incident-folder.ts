/** An incident's folder, whether or not the server is running; loaded by the incident commands only. */
import { statSync } from "node:fs";
import { fillIncidentFolder as write } from "../incident/incident-folder.ts";
import type { WrittenIncident } from "../incident/incident-folder.ts";
import type { ReportParts } from "../incident/make-report.ts";
import type { DirectoryPlace } from "../store/directory/data-directory.ts";
import { awaitProofs, exportAudit, proveRecords } from "../store/directory/ledger-files.ts";
import { dataPaths } from "../store/disk/data-paths.ts";
import { writeDurably } from "../store/disk/durable-file.ts";
import { listSegments } from "../store/ledger/segment-file.ts";

/** `evidenceBytesMax` = the largest audit log that is copied. */
export function writeIncident(
  place: DirectoryPlace,
  incident: ReportParts["incident"],
  radius: ReportParts["radius"],
  evidenceBytesMax?: number,
): Promise<WrittenIncident> {
  const paths = dataPaths(place.dataDirectory);
  const ports = {
    root: paths.incidents,
    awaitProofs: (environments: readonly string[]) => awaitProofs(place, environments),
    exportLog: (environment: string, out: string) => exportAudit(place, { format: "tiles", out, environment }),
    proveRecords: (seqs: readonly number[]) => proveRecords(place, seqs),
    ledgerBytes: () =>
      listSegments(paths.ledger).reduce((sum, { path }) => sum + statSync(path).size, statSync(paths.database).size),
    write: (path: string, text: string) => writeDurably(path, text),
  };
  return write(ports, incident, radius, evidenceBytesMax);
}
