/**
 * A proof that one record is in a log (C2SP tlog-proof): the record itself as its extra data, the hashes that lead from
 * it to a root, and the signed checkpoint that names the root. It is accepted alone, offline.
 */
import { base64Of, bytesOfBase64 } from "./base64.ts";
import { noPins } from "./check-log.ts";
import type { LedgerCrypto, Pins } from "./check-log.ts";
import { parseCheckpoint } from "./checkpoint.ts";
import { rootOfInclusion } from "./merkle-proof.ts";
import { isBesideGenuine, parseBeside, parseKept, withPersonal } from "./personal.ts";
import { parseRecordLine } from "./record-line.ts";
import type { LedgerRecord } from "./record-line.ts";
import { checkNote, parseVerifierKey } from "./signed-note.ts";
import { bytesOfHex, hexOfBytes } from "./tree-hash.ts";
import { textOfUtf8, utf8Of } from "./utf8.ts";

export const PROOF_FIRST_LINE = "c2sp.org/tlog-proof@v1";

export interface RecordProof {
  /** The kept record. */
  readonly kept: string;
  /** The key the checkpoint is signed by. */
  readonly key: string;
  readonly index: number;
  readonly path: readonly string[];
  /** Signed. */
  readonly checkpoint: string;
}

export function formatRecordProof({ kept, key, index, path, checkpoint }: RecordProof): string {
  const hashes = path.map((hash) => `${base64Of(bytesOfHex(hash))}\n`).join("");
  return `${PROOF_FIRST_LINE}\nextra ${base64Of(utf8Of(`${key}\n${kept}`))}\nindex ${index}\n${hashes}\n${checkpoint}`;
}

/** Reads the text strictly; undefined for anything else. */
export function parseRecordProof(text: string): RecordProof | undefined {
  const split = text.indexOf("\n\n");
  const [first, extra = "", place = "", ...encoded] = text.slice(0, split).split("\n");
  const said = bytesOfBase64(extra.replace(/^extra /, ""));
  if (split < 0 || first !== PROOF_FIRST_LINE || !extra.startsWith("extra ") || !said) return undefined;
  const hashes = encoded.map(bytesOfBase64);
  if (!/^index (?:0|[1-9]\d{0,15})$/.test(place) || !hashes.every((hash) => hash?.length === 32)) return undefined;
  const body = textOfUtf8(said) ?? "";
  const line = body.indexOf("\n");
  if (line < 0) return undefined;
  return {
    key: body.slice(0, line),
    kept: body.slice(line + 1),
    index: Number(place.slice("index ".length)),
    path: hashes.map((hash) => hexOfBytes(hash!)),
    checkpoint: text.slice(split + 2),
  };
}

export type ProofVerdict =
  | { readonly ok: true; readonly record: LedgerRecord; readonly origin: string; readonly size: number }
  | { readonly ok: false; readonly reason: string };

export function verifyRecordProof(crypto: LedgerCrypto, text: string, pins: Pins = noPins): ProofVerdict {
  const damaged = (reason: string): ProofVerdict => ({ ok: false, reason });
  const proof = parseRecordProof(text);
  const checkpoint = proof && parseCheckpoint(proof.checkpoint);
  if (!proof || !checkpoint) return damaged("this is no proof of a record");
  const { line, beside } = parseKept(proof.kept);
  const record = parseRecordLine(line);
  const values = parseBeside(beside);
  if (!record || !values || !isBesideGenuine(crypto.sha256Text, record, values))
    return damaged("the record is not well-formed, or what stands beside it is not what it was");
  const own = parseVerifierKey(crypto.sha256, proof.key);
  const key = pins.keys.find(({ name }) => name === checkpoint.origin) ?? own;
  if (!key || key.name !== checkpoint.origin) return damaged("no key of the log is known");
  if (!checkpoint.origin.endsWith(`/${record.environment}`))
    return damaged("the record is of another environment than its log");
  const { verdict } = checkNote(crypto.verify, checkpoint.note, key);
  if (verdict !== "genuine")
    return damaged(
      verdict === "forged" ? "the checkpoint's signature is not genuine" : "the checkpoint is signed by another key",
    );
  const { size, root, origin } = checkpoint;
  const found = rootOfInclusion(crypto.tree, crypto.tree.leaf(line), { index: proof.index, size, path: proof.path });
  if (found !== root) return damaged("the record is not in the tree that the checkpoint names");
  for (const witness of pins.witnesses)
    if (checkNote(crypto.verify, checkpoint.note, witness).verdict !== "genuine")
      return damaged(`${witness.name} has not cosigned the checkpoint`);
  const other = pins.checkpoints.find((one) => one.origin === origin && one.size === size && one.root !== root);
  if (other) return damaged("a known checkpoint of the same size names another tree");
  return { ok: true, record: withPersonal(record, values), origin, size };
}
