/** Entry of the thread that reads the ledger: a search may walk all of it, and the thread of requests must not wait for that. */
import { parentPort, workerData } from "node:worker_threads";
import { openLedgerReader } from "./ledger-reader.ts";
import type { AuditAsked, AuditAnswered, AuditThreadSetup } from "./audit-link.ts";

if (parentPort) {
  const port = parentPort;
  const { directory, indexKey } = workerData as AuditThreadSetup;
  const reader = openLedgerReader(directory, indexKey && Buffer.from(indexKey));
  let caring: Promise<undefined> | null = null;
  const valueOf = (asked: AuditAsked) => {
    switch (asked.ask) {
      case "search":
        return reader.search(asked.filter);
      case "read":
        return reader.read(asked.filter);
      case "care":
        // One at a time: concurrent callers wait for the same result.
        return (caring ??= reader
          .care()
          .then(() => undefined)
          .finally(() => (caring = null)));
      case "verify":
        return reader.verify();
      case "prove":
        return reader.prove(asked.seq);
      case "uses":
        return reader.uses(asked.bounds);
      case "radius":
        return reader.radius(asked.question);
      case "logs":
        return reader.logs();
      case "growth":
        return reader.growth(asked.question);
      case "usage":
        return reader.usage(asked.question);
      case "requests":
        return reader.requestsOf(asked.keys, asked.from, asked.to);
      case "histories":
        return reader.histories(asked.keys, asked.from);
      case "decisions":
        return reader.decisions(asked.question, (records) =>
          port.postMessage({ id: asked.id, progress: records } satisfies AuditAnswered),
        );
      case "recount":
        return reader.recountUsage(asked.today, (records) =>
          port.postMessage({ id: asked.id, progress: records } satisfies AuditAnswered),
        );
    }
  };
  const answer = async (asked: AuditAsked): Promise<AuditAnswered> => {
    const { id } = asked;
    try {
      return { id, value: await valueOf(asked) };
    } catch (cause) {
      return { id, failure: cause instanceof Error ? cause.message : String(cause) };
    }
  };
  port.on("message", (asked: AuditAsked) => {
    void answer(asked).then((answered) => port.postMessage(answered));
  });
}
