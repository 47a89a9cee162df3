/** The items of the setting `witnesses`: witnesses that cosign the audit log's checkpoints (C2SP tlog-witness). */
import { hash } from "node:crypto";
import { z } from "zod";
import { parseVerifierKey } from "@sallyport/ledger";
import { isEnvironmentName } from "@sallyport/protocol";
import type { NoteVerifier } from "@sallyport/ledger";
import { parseDurationMs } from "@sallyport/contract";
import { isNoticeUrl } from "./listener-address.ts";

const WITNESSES_MAX = 16;
const EVERY_MIN_MS = 10_000;
const EVERY_MAX_MS = 86_400_000;

const witness = z.strictObject({
  url: z.string().refine(isNoticeUrl, "is not an https address, or http on loopback, without user or fragment"),
  /** Its verifier key, as `sallyport audit witness` prints it. */
  key: z.string().refine((text) => verifierOf(text) !== undefined, "is not a verifier key such as NAME+12ab34cd+KEY"),
  environments: z
    .array(z.string().refine((name) => name === "system" || isEnvironmentName(name), "is not an environment name"))
    .min(1)
    .optional(),
  every: z
    .string()
    .refine((text) => isBetween(parseDurationMs(text), EVERY_MIN_MS, EVERY_MAX_MS), "is not a duration of 10s to 1d")
    .default("5m"),
});

export const witnessList = z
  .array(witness)
  .max(WITNESSES_MAX)
  .refine((witnesses) => new Set(witnesses.map(({ key }) => key)).size === witnesses.length, "two have one key");

export interface WitnessSettings {
  readonly url: string;
  readonly witness: NoteVerifier;
  /** Null = the logs of all. */
  readonly environments: readonly string[] | null;
  readonly everyMs: number;
}

/** `file` has been judged by the schema. */
export function witnessOf({ url, key, environments, every }: z.output<typeof witness>): WitnessSettings {
  return {
    url,
    witness: verifierOf(key)!,
    environments: environments ?? null,
    everyMs: parseDurationMs(every) ?? EVERY_MIN_MS,
  };
}

function verifierOf(key: string): NoteVerifier | undefined {
  return parseVerifierKey((bytes) => hash("sha256", bytes, "hex"), key);
}

function isBetween(ms: number | undefined, least: number, most: number): boolean {
  return ms !== undefined && ms >= least && ms <= most;
}
