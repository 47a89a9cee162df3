/** Entry of the thread that reads the ledger: a search may walk all of it, and the thread of requests must not wait for that. */
import { parentPort, workerData } from "node:worker_threads";
import { openLedgerReader } from "./ledger-reader.ts";
import type { AuditAsked, AuditAnswered } from "./audit-link.ts";

if (parentPort) {
  const port = parentPort;
  const reader = openLedgerReader(workerData as string);
  const answer = async ({ id, filter }: AuditAsked): Promise<AuditAnswered> => {
    try {
      return { id, value: filter === null ? await reader.verify() : reader.search(filter) };
    } catch (cause) {
      return { id, failure: cause instanceof Error ? cause.message : String(cause) };
    }
  };
  port.on("message", (asked: AuditAsked) => {
    void answer(asked).then((answered) => port.postMessage(answered));
  });
}
