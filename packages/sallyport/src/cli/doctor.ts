/** `sallyport doctor`: looks at what is around the gateway and tells what is wrong; exit code 1 when something is. */
import { lstatSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { connect as connectTcp } from "node:net";
import type { Command } from "commander";
import type { UpstreamView } from "@sallyport/protocol/contract";
import type { Listener, Settings } from "../config/settings.ts";
import { withClient } from "./cli.ts";
import type { Cli } from "./cli.ts";
import { adminSocket, isAnswered, readSettings } from "./connect.ts";
import { withServer } from "./options.ts";
import type { ServerOptions } from "./options.ts";
import { show, table } from "./print.ts";

interface Finding {
  readonly check: string;
  /** `note`: worth knowing, nothing wrong. */
  readonly state: "ok" | "note" | "wrong";
  readonly says: string;
}

const PROBE_MS = 3_000;

export function addDoctor(program: Command, cli: Cli): void {
  withServer(program.command("doctor"))
    .description("check node, the data directory, ports and model servers")
    .action(async (options: ServerOptions) => {
      const settings = await readSettings(options, cli.io.env);
      const isRunning = await isAnswered(adminSocket(settings));
      const findings = [
        checkNode(process.versions.node),
        checkDirectory(settings.dataDirectory),
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

/** Node 20.19 is the floor. */
export function checkNode(version: string): Finding {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const isEnough = major > 20 || (major === 20 && minor >= 19);
  return {
    check: "node",
    state: isEnough ? "ok" : "wrong",
    says: isEnough ? version : `${version}: 20.19 or newer is needed`,
  };
}

function checkDirectory(path: string): Finding {
  const check = "data directory";
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (!found) return { check, state: "note", says: `${path} is not there yet: run \`sallyport init\`` };
  if (!found.isDirectory()) return { check, state: "wrong", says: `${path} is not a directory` };
  const mode = (found.mode & 0o777).toString(8).padStart(3, "0");
  if (mode !== "700")
    return { check, state: "wrong", says: `${path} has mode 0${mode}: chmod 700 it, others can reach keys and ledger` };
  const own = process.getuid?.();
  if (own !== undefined && own !== 0 && found.uid !== own)
    return { check, state: "wrong", says: `${path} belongs to another user` };
  return { check, state: "ok", says: path };
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
  const findings = await Promise.all(
    upstreams.map(async (upstream) => [await checkReach(upstream), await checkExposure(upstream)]),
  );
  return findings.flat();
}

async function checkReach({ environment, id, url }: UpstreamView): Promise<Finding> {
  const check = `upstream ${environment}/${id}`;
  try {
    const { request } = await import("undici");
    const answer = await request(`${url}/api/version`, { headersTimeout: PROBE_MS, bodyTimeout: PROBE_MS });
    await answer.body.dump();
    const isFine = answer.statusCode < 500;
    return { check, state: isFine ? "ok" : "wrong", says: `${url} answers ${answer.statusCode}` };
  } catch (failure) {
    const why = failure instanceof Error ? failure.message || failure.name : String(failure);
    return { check, state: "wrong", says: `${url} cannot be reached: ${why}` };
  }
}

/** A model server that listens beyond loopback can be used past the gateway. */
async function checkExposure({ environment, id, url }: UpstreamView): Promise<Finding> {
  const check = `exposure ${environment}/${id}`;
  const { hostname, port, protocol } = new URL(url);
  const host = hostname.replace(/^\[|\]$/g, "");
  if (host !== "localhost" && host !== "::1" && !host.startsWith("127.")) {
    return {
      check,
      state: "note",
      says: `${host} is another machine or address: let its firewall admit only this one`,
    };
  }
  const wanted = port === "" ? (protocol === "https:" ? 443 : 80) : Number(port);
  for (const address of outsideAddresses()) {
    if (await isOpen(address, wanted)) {
      return {
        check,
        state: "wrong",
        says: `it also listens on ${address}:${wanted}, past the gateway: set OLLAMA_HOST=127.0.0.1`,
      };
    }
  }
  return { check, state: "ok", says: "only on loopback" };
}

function outsideAddresses(): string[] {
  return Object.values(networkInterfaces())
    .flatMap((list) => list ?? [])
    .filter((entry) => !entry.internal && !entry.address.startsWith("fe80:"))
    .map((entry) => entry.address);
}

function isOpen(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connectTcp({ host, port, timeout: PROBE_MS });
    const end = (isAccepted: boolean) => (): void => {
      probe.destroy();
      resolve(isAccepted);
    };
    probe.once("connect", end(true)).once("error", end(false)).once("timeout", end(false));
  });
}
