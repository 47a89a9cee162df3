/**
 * Findings that are known already, for example dead keys in an old commit. A baseline names keys by id, never by secret.
 * A finding is known by key and file, so that it stays known when lines move.
 */
import type { Leak } from "./scan-content.ts";

export type KnownLeak = Pick<Leak, "environment" | "keyId" | "file">;

const VERSION = 1;

export function isKnown(known: readonly KnownLeak[]): (leak: KnownLeak) => boolean {
  const names = new Set(known.map(nameOf));
  return (leak) => names.has(nameOf(leak));
}

export function writeBaseline(leaks: readonly Leak[]): string {
  const known = new Map<string, KnownLeak>();
  for (const leak of leaks) {
    const { environment, keyId, file } = leak;
    known.set(nameOf(leak), { environment, keyId, file });
  }
  const sorted = [...known].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, leak]) => leak);
  return `${JSON.stringify({ version: VERSION, findings: sorted }, null, 2)}\n`;
}

/** Undefined for what is no baseline. */
export function readBaseline(text: string): readonly KnownLeak[] | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isRecord(value) || value["version"] !== VERSION || !Array.isArray(value["findings"])) return undefined;
  const findings: unknown[] = value["findings"];
  return findings.every(isKnownLeak) ? findings : undefined;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}

function isKnownLeak(value: unknown): value is KnownLeak {
  return isRecord(value) && ["environment", "keyId", "file"].every((member) => typeof value[member] === "string");
}

function nameOf({ environment, keyId, file }: KnownLeak): string {
  return JSON.stringify([environment, keyId, file]);
}
