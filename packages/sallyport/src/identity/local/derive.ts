/** Argon2id itself, which is `hash-wasm`'s work. Costs a tenth of a second of its thread: only `hash-thread.ts` and tests call it. */
import { argon2id } from "hash-wasm";
import { HASH_BYTES } from "./password-hash.ts";
import type { Derivation } from "./password-hash.ts";

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
