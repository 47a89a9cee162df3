/**
 * An entry of the epoch log: one change with its events, numbered without gaps, chained to the entry before it by hash,
 * and signed. What is hashed and signed is text that does not depend on the database which stores it.
 */
import { hash } from "node:crypto";
import { Problem } from "@sallyport/protocol";

/** What a change says before it has a number. */
export interface EntryDraft {
  /** The node that made the change. */
  readonly author: string;
  /** Epoch ms. */
  readonly at: number;
  /** Of the vocabulary of changes, and the program that wrote it (`sallyport/0.1.0`). */
  readonly version: number;
  readonly program: string;
  /** As `change-text.ts` writes them. */
  readonly operations: string;
  readonly events: string;
}

export interface EpochEntry extends EntryDraft {
  readonly epoch: number;
  /** Head of the entry before it: SHA-256, 64 hexadecimal digits. */
  readonly previous: string;
  /** Hash of this entry. */
  readonly head: string;
  /** Fencing token of the sequencer that wrote it. */
  readonly fence: number;
  /** Ed25519 over the head, base64. */
  readonly signature: string;
}

/** A place in the log. */
export interface LogHead {
  readonly epoch: number;
  readonly head: string;
}

/** Where a log begins: the state of the single machine that was moved to it. */
export interface LogBase extends LogHead {
  /** Of the deployment: made once, when the log was. */
  readonly deployment: string;
  /** SHA-256 of the state at that epoch, 64 hexadecimal digits. */
  readonly digest: string;
  readonly signature: string;
}

/** Signs and verifies what it is given, with the key that all authorities of a deployment share. */
export interface EntrySigner {
  sign(text: string): string;
  isGenuine(text: string, signature: string): boolean;
}

/** Most characters of the operations, and of the events, of one entry. */
export const ENTRY_TEXT_MAX = 16 * 1024 * 1024;

const sha256 = (text: string): string => hash("sha256", text, "hex");

/** The head of an entry. Fields of free text are hashed, so that no text can pass for two fields. */
function headOf(deployment: string, entry: Omit<EpochEntry, "head" | "signature">): string {
  const { epoch, previous, fence, author, at, version, program, operations, events } = entry;
  const fields = [
    deployment,
    epoch,
    previous,
    fence,
    at,
    version,
    ...[author, program, operations, events].map(sha256),
  ];
  return sha256(`sallyport epoch 1\n${fields.join("\n")}\n`);
}

const signedText = (head: string): string => `sallyport epoch head 1\n${head}\n`;

/** Throws `input_invalid` for a change that no entry can hold. */
export function makeEntry(
  signer: EntrySigner,
  deployment: string,
  { epoch, head: previous }: LogHead,
  fence: number,
  draft: EntryDraft,
): EpochEntry {
  demandFits(draft);
  const entry = { ...draft, epoch: epoch + 1, previous, fence };
  const head = headOf(deployment, entry);
  return { ...entry, head, signature: signer.sign(signedText(head)) };
}

export function demandFits({ operations, events }: EntryDraft): void {
  if (Math.max(operations.length, events.length) > ENTRY_TEXT_MAX)
    throw new Problem("input_invalid", "the change is too large for one entry of the log: make it in parts");
}

/** Why the entry cannot follow `before`; undefined where it does. */
export function mistakeOfEntry(
  signer: EntrySigner,
  deployment: string,
  before: LogHead,
  entry: EpochEntry,
): string | undefined {
  if (entry.epoch !== before.epoch + 1) return `epoch ${before.epoch + 1} is missing: the next entry is ${entry.epoch}`;
  if (entry.previous !== before.head) return `epoch ${entry.epoch} does not continue epoch ${before.epoch}`;
  if (headOf(deployment, entry) !== entry.head) return `epoch ${entry.epoch} is not what its hash says`;
  if (!signer.isGenuine(signedText(entry.head), entry.signature))
    return `the signature of epoch ${entry.epoch} is not genuine`;
  return undefined;
}

const baseHead = (deployment: string, epoch: number, digest: string): string =>
  sha256(`sallyport epoch base 1\n${deployment}\n${epoch}\n${digest}\n`);

export function makeBase(signer: EntrySigner, deployment: string, epoch: number, digest: string): LogBase {
  const head = baseHead(deployment, epoch, digest);
  return { deployment, epoch, digest, head, signature: signer.sign(signedText(head)) };
}

/** Why the log's beginning cannot be trusted; undefined where it can. */
export function mistakeOfBase(signer: EntrySigner, base: LogBase): string | undefined {
  if (baseHead(base.deployment, base.epoch, base.digest) !== base.head)
    return "the beginning of the log is not what its hash says";
  if (!signer.isGenuine(signedText(base.head), base.signature))
    return "the signature of the beginning of the log is not genuine: another deployment's signing key made it";
  return undefined;
}
