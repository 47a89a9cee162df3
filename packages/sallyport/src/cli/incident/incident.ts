/** `sallyport incident open|report|list|close`: a key has leaked. The key is stopped before anything else is done. */
import type { Command } from "commander";
import type { AdminClient } from "@sallyport/client";
import type { IncidentView, RadiusView } from "@sallyport/contract";
import { withClient } from "../terminal/cli.ts";
import type { Cli } from "../terminal/cli.ts";
import type { Connection } from "../terminal/connect.ts";
import { readSettings } from "../terminal/connect.ts";
import { deliverOption, deliveryOf, fromOption, sayTicket, toOption } from "../keys/deliver.ts";
import type { DeliverOptions } from "../keys/deliver.ts";
import { UsageMistake } from "../terminal/usage-mistake.ts";
import { withServer } from "../terminal/options.ts";
import type { ServerOptions } from "../terminal/options.ts";
import { facts, show, table, timeText, warn } from "../terminal/print.ts";
import { withProgress } from "../terminal/progress.ts";
import type { ShownWork } from "../terminal/progress.ts";
import { timeMsOf } from "../terminal/when.ts";
import { relativeTime } from "../terminal/relative-time.ts";

interface OpenOptions extends ServerOptions {
  readonly keyId: string;
  readonly since?: string;
  readonly reason?: string;
}

interface CloseOptions extends ServerOptions, DeliverOptions {
  readonly reissue?: boolean;
  readonly falseAlarm?: boolean;
  readonly note?: string;
}

interface Measured {
  readonly incident: IncidentView;
  readonly radius: RadiusView;
  readonly kind: Connection["kind"];
  /** The report as the gateway made it; only over the network. */
  readonly remote?: { readonly report: string; readonly html: string };
}

export function addIncident(program: Command, cli: Cli): void {
  const incident = program
    .command("incident")
    .description("stop a leaked key, report what was done with it, replace it");

  withServer(incident.command("open"))
    .description("suspend a key at once, preserve the evidence, and write a report")
    .requiredOption("--key-id <id>", "id or name of the key")
    .option("--since <when>", "report from this time on: 7d, or 2026-01-31T12:00Z (default: the key's creation)")
    .option("--reason <text>", "why you believe that it leaked")
    .action((options: OpenOptions) => open(cli, options));

  withServer(incident.command("report <incident>"))
    .description("write an incident's report again with current data")
    .option("--since <when>", "report from this time on (default: as when it was opened)")
    .action(async (id: string, options: ServerOptions & { since?: string }) => {
      const since = timeMsOf(options.since, Date.now());
      const measured = await withClient(cli, options, (client, kind) =>
        withProgress(cli.io, searching(options), () => measure(client, kind, id, since)),
      );
      await writeAndSay(cli, options, measured, {});
    });

  withServer(incident.command("list"))
    .description("list incidents, newest first")
    .action(async (options: ServerOptions) => {
      const found = await withClient(cli, options, (client) => client.call("incidents.list"));
      show(cli.io, options.json, found, () =>
        table(
          ["INCIDENT", "STATE", "ENV", "KEY", "OPENED", "BY", "CLOSED", "OUTCOME"],
          found.incidents.map((one) => [
            one.id,
            one.state,
            one.environment,
            one.keyId,
            relativeTime(one.openedAt),
            one.openedBy,
            one.closed ? relativeTime(one.closed.at) : "-",
            one.closed ? [one.closed.outcome, one.closed.reissued ?? ""].join(" ").trim() : "-",
          ]),
          "no incidents",
        ),
      );
    });

  withServer(incident.command("close <incident>"))
    .description("close an incident and revoke the key, unless it was a false alarm")
    .option("--reissue", "create another key with the same scope, owner, limits, networks and conditions")
    .option("--false-alarm", "reactivate the key instead")
    .option("--note <text>", "what was found")
    .addOption(deliverOption())
    .addOption(toOption())
    .addOption(fromOption())
    .action((id: string, options: CloseOptions) => close(cli, id, options));
}

async function open(cli: Cli, options: OpenOptions): Promise<void> {
  const { keyId, reason } = options;
  const since = timeMsOf(options.since, Date.now());
  const measured = await withClient(cli, options, async (client, kind) => {
    const opened = await client.call("incidents.open", { body: { keyId, since, reason } });
    const { wasOpen, id } = opened;
    if (!options.json)
      cli.io.err(
        wasOpen
          ? `Key ${keyId} is suspended already, by incident ${id}.`
          : `Key ${keyId} is suspended. Incident ${id} is open; searching the audit log…`,
      );
    return { ...(await withProgress(cli.io, searching(options), () => measure(client, kind, id, since))), wasOpen };
  });
  const { radius, wasOpen } = measured;
  const { served, refused } = radius.requests;
  await writeAndSay(cli, options, measured, {
    wasOpen,
    requests: served,
    refused,
    addresses: radius.addresses.rows.length,
    siblings: radius.siblings.rows.length + radius.siblings.more,
  });
}

function searching({ json }: ServerOptions): ShownWork {
  return { label: "searching the audit log", isJson: json };
}

async function measure(
  client: AdminClient,
  kind: Connection["kind"],
  id: string,
  since: number | undefined,
): Promise<Measured> {
  const query = since === undefined ? {} : { since };
  const measured = { ...(await client.call("incidents.radius", { params: { id }, query })), kind };
  if (kind !== "network") return measured;
  const { report, html } = await client.call("incidents.report", { params: { id }, query });
  return { ...measured, remote: { report, html } };
}

/** Over the network there is no folder to write to: the gateway makes the report's text, without evidence and proofs. */
async function write(cli: Cli, options: ServerOptions, { incident, radius, kind, remote }: Measured) {
  if (kind === "network")
    return { ...remote!, reportFile: null, htmlFile: null, folder: null, evidence: [] as string[], proofs: 0 };
  const settings = await readSettings(options, cli.io.env);
  const { writeIncident } = await import("../../compose/incident-folder.ts");
  return writeIncident(settings, incident, radius);
}

async function writeAndSay(
  cli: Cli,
  options: ServerOptions,
  measured: Measured,
  more: Readonly<Record<string, string | number | boolean>>,
): Promise<void> {
  const { id: incidentId, keyId, state } = measured.incident;
  const written = await write(cli, options, measured);
  const { reportFile, htmlFile, evidence, proofs } = written;
  show(cli.io, options.json, { incidentId, ...written, state, keyId, ...more }, () => [
    ...facts({
      incident: incidentId,
      state,
      key: keyId,
      ...more,
      ...(reportFile === null ? {} : { report: reportFile, html: htmlFile, evidence: evidence.join(", "), proofs }),
    }),
    // From another machine there is no file to open: the report itself is printed.
    ...(reportFile === null
      ? [
          "",
          ...written.report.split("\n"),
          `For evidence and proofs, run on the gateway host: sallyport incident report ${incidentId}`,
        ]
      : []),
  ]);
}

async function close(cli: Cli, id: string, options: CloseOptions): Promise<void> {
  const { reissue, falseAlarm, note } = options;
  if (reissue && falseAlarm) throw new UsageMistake("--reissue and --false-alarm exclude each other");
  const deliver = deliveryOf(options);
  if (deliver && !reissue) throw new UsageMistake("--deliver goes with --reissue");
  const outcome = reissue ? "reissue" : falseAlarm ? "false_alarm" : "revoke";
  const { closed, measured } = await withClient(cli, options, async (client, kind) => {
    const answer = await client.call("incidents.close", { params: { id }, body: { outcome, note, deliver } });
    return {
      closed: answer,
      measured: await tried(cli, id, () =>
        withProgress(cli.io, searching(options), () => measure(client, kind, id, undefined)),
      ),
    };
  });
  const written = measured && (await tried(cli, id, () => write(cli, options, measured)));
  const { incident, issued } = closed;
  const report = written?.report ?? null;
  const reportFile = written?.reportFile ?? null;
  if (issued && deliver && !options.json) return sayTicket(cli, false, issued, {});
  const told = { state: incident.state, outcome: incident.closed?.outcome ?? outcome };
  show(cli.io, options.json, { incidentId: id, ...told, keyId: incident.keyId, issued, report, reportFile }, () =>
    facts({
      incident: id,
      ...told,
      ...(issued
        ? { "new key": issued.id, key: issued.key, owner: issued.owner, expires: timeText(issued.expiresAt) }
        : {}),
      report: reportFile,
    }),
  );
  if (issued?.key !== undefined && !options.json) cli.io.err("The key is shown this once and cannot be read again.");
}

/** The incident is closed and a key may have been made: whatever becomes of the report, the key must be told. */
async function tried<T>(cli: Cli, id: string, work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    warn(cli.io, `The report could not be written (${why}): sallyport incident report ${id}`);
    return undefined;
  }
}
