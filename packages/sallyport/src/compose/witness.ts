/** A witness, and the gateway's side of one. Loaded by their commands only. */
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { createPrivateKey } from "node:crypto";
import type { Server } from "node:http";
import { join } from "node:path";
import { cosignedText, formatVerifierKey, isNoteName, noteVerifier, timedSignature } from "@sallyport/ledger";
import { Problem } from "@sallyport/protocol";
import type { Settings } from "../config/settings.ts";
import { sendBounded } from "../kernel/bounded-request.ts";
import { systemClock } from "../kernel/clock.ts";
import { dataPaths } from "../store/disk/data-paths.ts";
import { writeDurably } from "../store/disk/durable-file.ts";
import { ledgerCrypto } from "@sallyport/ledger/node";
import { noteSignerOf } from "../store/ledger/note-signer.ts";
import { generateSigningKey } from "../store/secrets/signing-key.ts";
import { askWitness } from "../outlets/witness/ask-witness.ts";
import type { WitnessPlace } from "../outlets/witness/ask-witness.ts";
import { keepCosigned } from "../outlets/witness/cosigned-files.ts";
import { createWitnessServer } from "../outlets/witness/witness-server.ts";
import { WitnessState } from "../outlets/witness/witness-state.ts";
import { verifiersOf } from "@sallyport/ledger/node";
import { logOf, proveGrowth } from "../store/directory/ledger-files.ts";

export interface WitnessOrder {
  readonly name: string;
  /** Its key and what it remembers. */
  readonly folder: string;
  /** Verifier keys of the logs it knows, or files of them. */
  readonly logs: readonly string[];
  readonly fault: (cause: unknown) => void;
}

/** Creates its key the first time. Throws `input_invalid` for an invalid name or key. */
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

/** Has the newest checkpoint of an environment's log cosigned; gives it with the cosignature, on disk under `ledger/witnessed/`. */
export async function cosign(
  settings: Settings,
  { environment: asked, ...place }: WitnessPlace & { readonly environment: string },
): Promise<string> {
  const environment = await logOf(settings, asked);
  const ports = { send: sendBounded, verify: ledgerCrypto.verify };
  const cosigned = await askWitness(ports, place, (size) => proveGrowth(settings, environment, size));
  const folder = join(dataPaths(settings.dataDirectory).ledger, "witnessed");
  return keepCosigned({ folder, write: writeDurably }, environment, place.witness.name, cosigned);
}
