/**
 * A review's population as text that anyone can compute again: one canonical JSON line for each entry, in the order of
 * their subjects. Its hash is what the audit log has.
 */
import { createHash } from "node:crypto";
import type { Hash } from "node:crypto";
import { canonical } from "@sallyport/ledger";
import type { PopulationEntry } from "./review.ts";

/** The members of an entry, in the order of its canonical text (RFC 8785: sorted). */
const MEMBERS = [
  "allow",
  "conditions",
  "environments",
  "issuer",
  "models",
  "name",
  "owner",
  "permissions",
  "roles",
  "state",
  "subject",
] as const satisfies readonly (keyof PopulationEntry)[];

export function entryText(entry: PopulationEntry): string {
  return canonical(Object.fromEntries(MEMBERS.map((member) => [member, entry[member]])));
}

export function entryHashOf(entry: PopulationEntry): string {
  return sha256(entryText(entry));
}

/** Entries are given in the order of `bySubject`. */
export class PopulationHash {
  readonly #hash: Hash = createHash("sha256");

  add(entry: PopulationEntry): void {
    this.#hash.update(`${entryText(entry)}\n`);
  }

  digest(): string {
    return this.#hash.digest("hex");
  }
}

/** By code units, so that the order is the same everywhere. */
export function bySubject(a: Pick<PopulationEntry, "subject">, b: Pick<PopulationEntry, "subject">): number {
  return a.subject < b.subject ? -1 : a.subject > b.subject ? 1 : 0;
}

/** In hex. */
export function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

/** Of a value of plain objects, lists, texts and numbers: SHA-256 of its one JSON text, its members in their order. */
export function jsonDigest(value: unknown): string {
  return sha256(canonical(value));
}
