/** Prints what a scan found, for people, as JSON or as SARIF. The secret of a key is in none of them. */
import type { Leak } from "../../leaks/scan-content.ts";
import type { Io } from "../terminal/io.ts";
import { warn } from "../terminal/print.ts";
import { withCommands } from "../terminal/styled-line.ts";
import { standingName } from "./key-standing.ts";
import type { KeyStanding, Standings } from "./key-standing.ts";

export interface Skipped {
  readonly file: string;
  readonly reason: string;
}

export interface ScanReport {
  readonly files: number;
  readonly bytes: number;
  readonly leaks: readonly Leak[];
  readonly standing: Standings;
  readonly skipped: readonly Skipped[];
  /** Findings that the baseline lists. */
  readonly suppressed: number;
  readonly version: string;
}

const SKIPPED_SHOWN = 20;

export async function printReport(
  io: Io,
  { json, sarif }: { readonly json?: boolean; readonly sarif?: boolean },
  report: ScanReport,
): Promise<void> {
  const { files, bytes, leaks, skipped, suppressed } = report;
  if (sarif) {
    const { toSarif } = await import("../../leaks/sarif.ts");
    io.out(JSON.stringify(toSarif(leaks, report.version)));
  } else if (json) {
    const findings = leaks.map((leak) => withStanding(leak, report.standing.get(standingName(leak))));
    io.out(JSON.stringify({ files, bytes, findings, skipped, suppressed }));
  } else printForPeople(io, report);
  if (json) return;
  for (const { file, reason } of skipped.slice(0, SKIPPED_SHOWN)) warn(io, `${file}: ${reason}`);
  if (skipped.length > SKIPPED_SHOWN)
    warn(io, `${skipped.length - SKIPPED_SHOWN} more items could not be scanned completely; --json lists all`);
}

function withStanding({ kind, ...leak }: Leak, standing: KeyStanding | undefined) {
  const { keyId, environment, file, line, form } = leak;
  const row = { keyId, environment, file, line, form, kind };
  if (!standing) return { ...row, state: "unknown here" };
  return { ...row, state: standing.state, isLive: standing.isLive, name: standing.name, owner: standing.owner };
}

function printForPeople(io: Io, { files, bytes, leaks, standing, suppressed }: ScanReport): void {
  for (const leak of leaks)
    io.out(`${leak.file}:${leak.line}: ${leak.kind} key ${leak.keyId} of ${leak.environment} (${leak.form})`);
  const keys = new Map(leaks.map((leak) => [standingName(leak), leak]));
  for (const [name, leak] of keys) io.out(["  ", ...withCommands(standingText(leak, standing.get(name)))]);
  const known = suppressed === 0 ? "" : `, ${suppressed} known findings not shown`;
  const where = `${files} ${files === 1 ? "file" : "files"}, ${(bytes / 1_000_000).toFixed(1)} MB`;
  io.err(
    `${leaks.length === 0 ? "no keys" : `${keys.size} ${keys.size === 1 ? "key" : "keys"} in ${leaks.length} ${leaks.length === 1 ? "place" : "places"}`} (${where}${known})`,
  );
}

function standingText({ keyId, environment, kind }: Leak, standing: KeyStanding | undefined): string {
  if (!standing) return `${keyId} of ${environment}: unknown here${remedyOf(keyId, kind)}`;
  const { name, owner, state, isLive } = standing;
  const whose = `${keyId} of ${environment}: ${name}, owned by ${owner}, ${state}`;
  return isLive ? `${whose}; it is live${remedyOf(keyId, kind)}` : `${whose}; it no longer works`;
}

/** What ends a credential of this kind. */
function remedyOf(keyId: string, kind: Leak["kind"]): string {
  switch (kind) {
    case "api":
    case "path":
      return `; on the gateway host run \`sallyport keys suspend ${keyId}\``;
    case "admin":
      return `; on the gateway host run \`sallyport admin keys revoke ${keyId}\``;
    case "ticket":
    case "enrolment":
      return "; it works once and expires";
  }
}
