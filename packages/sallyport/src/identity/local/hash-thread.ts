/** Entry of the thread that hashes passwords: the thread of requests must not wait for that. */
import { parentPort } from "node:worker_threads";
import { derive } from "./derive.ts";
import type { HashAsked, HashAnswered } from "./password-hasher.ts";

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
