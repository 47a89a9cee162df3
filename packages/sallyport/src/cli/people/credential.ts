/** `sallyport credential`: which credential a program on this machine would use, its source, and findings. Never the secret. */
import type { Command } from "commander";
import type { CredentialReport } from "@sallyport/client";
import type { Cli } from "../terminal/cli.ts";
import { describeFindings } from "../doctor/doctor.ts";
import { facts, show } from "../terminal/print.ts";
import type { Line } from "../terminal/styled-line.ts";

interface CredentialOptions {
  readonly url?: string;
  readonly env?: string;
  readonly json?: boolean;
}

export function addCredential(program: Command, cli: Cli): void {
  program
    .command("credential")
    .description("show which credential this machine would use and its source, without the secret")
    .option("--url <url>", "the gateway's address (default: SALLYPORT_URL, then http://127.0.0.1:11435)")
    .option("--env <environment>", "environment, if there are credentials for several")
    .option("--json", "print JSON")
    .action(async (options: CredentialOptions) => {
      const { inspectCredentials } = await import("@sallyport/client");
      const report = await inspectCredentials({ url: options.url, environment: options.env, env: cli.io.env });
      const { credential } = report;
      const expiresAt = credential?.expiresAt ?? null;
      const told = {
        ...report,
        credential: credential && { ...credential, expiresAt: expiresAt === null ? null : isoTime(expiresAt) },
      };
      show(cli.io, options.json, told, () => describe(report));
      if (credential === null || report.findings.some(({ state }) => state === "wrong")) cli.found();
    });
}

function describe({ url, credential, findings }: CredentialReport): Line[] {
  const found = credential && {
    kind: credential.kind,
    from: credential.where,
    environment: credential.environment,
    ...(credential.keyId === null ? {} : { key: credential.keyId }),
    ...(credential.expiresAt === null ? {} : { expires: isoTime(credential.expiresAt) }),
  };
  const amiss = findings.filter(({ state }) => state !== "ok").map((finding) => ({ check: "credential", ...finding }));
  return [
    ...facts({ gateway: url, ...(found ?? { kind: "none" }) }),
    ...(amiss.length === 0 ? [] : ["", ...describeFindings(amiss)]),
  ];
}

function isoTime(timeMs: number): string {
  return new Date(timeMs).toISOString();
}
