/** Entry of the thread that reads one policy text and ends: hostile YAML may take long, and the thread of requests must not wait for it. */
import { parentPort, workerData } from "node:worker_threads";
import { readPolicyText } from "./policy-text.ts";

parentPort?.postMessage(readPolicyText(String(workerData)));
