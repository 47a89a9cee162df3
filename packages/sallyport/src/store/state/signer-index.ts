/**
 * Which key an Ollama client's public key stands for. It names no environment, so it may stand for one key alone, in all
 * environments together: a second registration is refused. A revoked key gives its public keys free.
 */
import { Problem } from "@sallyport/protocol";
import type { KeyRecord } from "../../keys/key.ts";
import type { SqlDatabase } from "../disk/sqlite.ts";

export interface SignerIndex {
  /** The key's public keys from now on are these. Throws `already_exists` for one that stands for another key. */
  put(key: Pick<KeyRecord, "environment" | "id" | "signers">): void;
  forget(environment: string, id: string): void;
}

export function makeSignerIndex(database: SqlDatabase): SignerIndex {
  const remove = database.prepare("DELETE FROM ollama_signer WHERE environment = ? AND key_id = ?");
  const insert = database.prepare("INSERT INTO ollama_signer VALUES (?, ?, ?) ON CONFLICT DO NOTHING");
  return {
    put({ environment, id, signers }) {
      const ollama = signers.filter(({ use }) => use === "ollama");
      remove.run(environment, id);
      for (const signer of ollama) {
        if (Number(insert.run(signer.id, environment, id).changes) === 0)
          throw new Problem("already_exists", `the public key ${signer.id} is registered to another key`);
      }
    },
    forget: (environment, id) => void remove.run(environment, id),
  };
}
