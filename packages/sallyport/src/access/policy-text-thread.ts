/**
 * Entry of the thread that reads one policy text and ends: hostile YAML may take long, and the thread of requests must not
 * wait for it. What was read lies ready in pieces, because a large policy in one message is a long turn for who hears it.
 */
import { parentPort, workerData } from "node:worker_threads";
import type { MessagePort } from "node:worker_threads";
import { ownThreadId } from "../kernel/thread-time.ts";
import { cutPolicyRead } from "./policy-pieces.ts";
import type { ThreadSays } from "./policy-text-reader.ts";
import { readPolicyText } from "./policy-text.ts";

const { text, pieces } = workerData as { readonly text: string; readonly pieces: MessagePort };
const say = (said: ThreadSays): void => parentPort?.postMessage(said);
const thread = ownThreadId();
if (thread !== undefined) say({ thread });
const cut = cutPolicyRead(readPolicyText(text));
for (const piece of cut) pieces.postMessage(piece);
say({ count: cut.length });
