/** A witness, and the gateway's side of one. Loaded by their commands only. */
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { createPrivateKey } from "node:crypto";
import type { Server } from "node:http";
import { join } from "node:path";
import {
  checkNote,
  cosignedText,
  formatAddCheckpoint,
  formatSignedNote,
  formatVerifierKey,
  isNoteName,
  noteVerifier,
  parseCheckpoint,
  parseSignedNote,
  Problem,
  timedSignature,
} from "@sallyport/protocol";
import type { NoteVerifier } from "@sallyport/protocol";
import type { Settings } from "../config/settings.ts";
import { systemClock } from "../kernel/clock.ts";
import { dataPaths } from "../store/data-paths.ts";
import { writeDurably } from "../store/durable-file.ts";
import { ledgerCrypto } from "../store/ledger-crypto.ts";
import { noteSignerOf } from "../store/note-signer.ts";
import { generateSigningKey } from "../store/signing-key.ts";
import { createWitnessServer } from "../witness/witness-server.ts";
import { WitnessState } from "../witness/witness-state.ts";
import { proveGrowth, verifiersOf } from "./ledger-files.ts";

export interface WitnessOrder {
  readonly name: string;
  /** Its key and what it remembers. */
  readonly folder: string;
  /** Verifier keys of the logs it knows, or files of them. */
  readonly logs: readonly string[];
  readonly fault: (cause: unknown) => void;
}

/** Made with a key of its own the first time. Throws `input_invalid` for a name or a key that is none. */
export function openWitness({ name, folder, logs, fault }: WitnessOrder): {
  readonly server: Server;
  readonly key: string;
} {
  if (!isNoteName(name))
    throw new Problem("input_invalid", "a witness is named without spaces and plus signs, such as witness.example/w1");
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const path = join(folder, "key.pem");
  if (!existsSync(path)) writeDurably(path, generateSigningKey().privatePem);
  const signer = noteSignerOf(createPrivateKey(readFileSync(path, "utf8")), name);
  const own = noteVerifier(ledgerCrypto.sha256, name, "cosignature", signer.verifier.publicKey);
  const server = createWitnessServer({
    crypto: ledgerCrypto,
    logs: logs.flatMap(verifiersOf),
    state: new WitnessState(join(folder, "logs"), writeDurably),
    cosign(checkpoint) {
      const time = Math.floor(systemClock.now() / 1000);
      const signature = timedSignature(time, signer.signBare(cosignedText(checkpoint, time)));
      return { name, keyId: own.keyId, signature };
    },
    fault,
  });
  return { server, key: formatVerifierKey(own) };
}

const TIMEOUT_MS = 10_000;
const ATTEMPTS = 3;

/** Has the newest checkpoint of an environment's log cosigned; gives it with the cosignature, on disk under `ledger/witnessed/`. */
export async function cosign(
  settings: Settings,
  { url, witness, environment }: { readonly url: string; readonly witness: NoteVerifier; readonly environment: string },
): Promise<string> {
  let size = 0;
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const { checkpoint, path } = await proveGrowth(settings, environment, size);
    const response = await fetch(new URL("add-checkpoint", url.endsWith("/") ? url : `${url}/`), {
      method: "POST",
      body: formatAddCheckpoint(size, path, checkpoint),
      redirect: "error",
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const body = (await response.text()).slice(0, 64 * 1024);
    if (response.status === 409) {
      if (!/^(?:0|[1-9]\d{0,15})\n$/.test(body)) break;
      size = Number(body);
      continue;
    }
    if (response.status !== 200)
      throw new Problem("conflict", `the witness answers ${response.status}${REASONS[response.status] ?? ""}`);
    const cosigned = `${checkpoint}${body}`;
    const note = parseSignedNote(cosigned);
    if (!note || checkNote(ledgerCrypto.verify, note, witness).verdict !== "genuine")
      throw new Problem("conflict", "what the witness answered is not its cosignature: is it another witness?");
    const kept = mergeSignatures(join(dataPaths(settings.dataDirectory).ledger, "witnessed"), environment, cosigned);
    return kept;
  }
  throw new Problem("conflict", "the witness and the log could not agree on a size: try again");
}

const REASONS: Readonly<Record<number, string>> = {
  403: ": it does not know the log's key: give it the one 'sallyport audit keys' prints",
  404: ": it does not know the log: give it the key 'sallyport audit keys' prints",
  422: ": this log does not go on from the one it saw before. It was written anew or rolled back",
};

/** Cosignatures of several witnesses on one checkpoint are kept together. */
function mergeSignatures(folder: string, environment: string, cosigned: string): string {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const path = join(folder, environment);
  const held = existsSync(path) ? parseCheckpoint(readFileSync(path, "utf8")) : undefined;
  const next = parseCheckpoint(cosigned)!;
  const others =
    held?.note.text === next.note.text
      ? held.note.signatures.filter(
          ({ name, keyId }) => !next.note.signatures.some((one) => one.name === name && one.keyId === keyId),
        )
      : [];
  const text = formatSignedNote({ text: next.note.text, signatures: [...next.note.signatures, ...others] });
  writeDurably(path, text);
  return text;
}
