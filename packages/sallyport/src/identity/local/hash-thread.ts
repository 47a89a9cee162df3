/** Entry of the thread that hashes passwords: the thread of requests must not wait for that. */
import { parentPort } from "node:worker_threads";
import { argon2id } from "hash-wasm";
import { HASH_BYTES } from "./password-hash.ts";
import type { Derivation } from "./password-hash.ts";
import type { HashAnswered, HashAsked } from "./password-hasher.ts";

if (parentPort) {
  const port = parentPort;
  const answer = async ({ id, password, derivation }: HashAsked): Promise<HashAnswered> => {
    try {
      return { id, hash: await derive(password, derivation) };
    } catch (cause) {
      return { id, failure: cause instanceof Error ? cause.message : String(cause) };
    }
  };
  port.on("message", (asked: HashAsked) => void answer(asked).then((answered) => port.postMessage(answered)));
}

export function derive(password: string, { memoryKib, passes, lanes, salt }: Derivation): Promise<Uint8Array> {
  return argon2id({
    password,
    salt,
    iterations: passes,
    memorySize: memoryKib,
    parallelism: lanes,
    hashLength: HASH_BYTES,
    outputType: "binary",
  });
}
