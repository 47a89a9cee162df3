/** `sallyport doctor`: looks at what is around the gateway and tells what is wrong; exit code 1 when something is. */
import { lstatSync } from "node:fs";
import type { Command } from "commander";
import type { UpstreamView } from "@sallyport/protocol/contract";
import type { Listener, Settings } from "../config/settings.ts";
import { withClient } from "./cli.ts";
import type { Cli } from "./cli.ts";
import { adminSocket, isAnswered, readSettings } from "./connect.ts";
import { checkDirectory, checkDisk, checkNode } from "./doctor-host.ts";
import { checkUpstream } from "./doctor-upstreams.ts";
import type { Finding } from "./finding.ts";
import { withServer } from "./options.ts";
import type { ServerOptions } from "./options.ts";
import { show, table } from "./print.ts";
import { isOpen } from "./probe.ts";

export function addDoctor(program: Command, cli: Cli): void {
  withServer(program.command("doctor"))
    .description("check node, the data directory, ports and model servers")
    .action(async (options: ServerOptions) => {
      const settings = await readSettings(options, cli.io.env);
      const isRunning = await isAnswered(adminSocket(settings));
      const findings = [
        checkNode(process.versions.node, Date.now()),
        checkDirectory(settings.dataDirectory),
        checkDisk(settings.dataDirectory),
        await checkPort("data port", settings.listen, isRunning),
        await checkPort("admin port", settings.adminListen, isRunning),
        ...(await checkUpstreams(cli, options, settings)),
      ];
      const ok = findings.every((finding) => finding.state !== "wrong");
      show(cli.io, options.json, { ok, findings }, () =>
        table(
          ["CHECK", "STATE", "SAYS"],
          findings.map(({ check, state, says }) => [check, state, says]),
          "nothing checked",
        ),
      );
      if (!ok) cli.found();
    });
}

async function checkPort(check: string, listener: Listener, isRunning: boolean): Promise<Finding> {
  const where = `${listener.host}:${listener.port}`;
  const isTaken = listener.port !== 0 && (await isOpen(listener.host, listener.port));
  if (isRunning)
    return {
      check,
      state: isTaken ? "ok" : "note",
      says: isTaken ? `${where} answers` : `the server listens elsewhere than ${where}`,
    };
  return {
    check,
    state: isTaken ? "wrong" : "ok",
    says: isTaken ? `${where} is taken by another program` : `${where} is free`,
  };
}

async function checkUpstreams(cli: Cli, options: ServerOptions, settings: Settings): Promise<Finding[]> {
  if (!lstatSync(settings.dataDirectory, { throwIfNoEntry: false })) return [];
  let upstreams: readonly UpstreamView[];
  try {
    ({ upstreams } = await withClient(cli, options, (client) => client.call("upstreams.list")));
  } catch (failure) {
    return [
      {
        check: "policy",
        state: "wrong",
        says: `cannot be read: ${failure instanceof Error ? failure.message : String(failure)}`,
      },
    ];
  }
  if (upstreams.length === 0)
    return [{ check: "upstreams", state: "wrong", says: "no environment has a model server" }];
  const findings = await Promise.all(upstreams.map(checkUpstream));
  return findings.flat();
}
