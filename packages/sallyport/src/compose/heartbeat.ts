/** The node says every few minutes that it is there: where it did not, a verifier knows that it cannot vouch for the time between. */
import { HEARTBEAT_MS } from "@sallyport/protocol";
import { causeOf } from "../kernel/log.ts";
import type { Log } from "../kernel/log.ts";
import type { Core } from "./core.ts";

/** Answers how to end it. */
export function beat(
  record: (fields: { readonly records: number; readonly epoch: number }) => Promise<void>,
  { store, snapshot }: Pick<Core, "store" | "snapshot">,
  log: Log,
): () => void {
  const once = (): void => {
    record({ records: store.figures().records, epoch: snapshot().epoch }).catch((cause: unknown) =>
      log.error({ cause: causeOf(cause) }, "the heartbeat could not be recorded"),
    );
  };
  const beating = setInterval(once, HEARTBEAT_MS).unref();
  return () => clearInterval(beating);
}
