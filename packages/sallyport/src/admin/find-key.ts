/** Finds a key by its id alone, for who administers its environment. */
import { Problem } from "@sallyport/protocol";
import type { KeyRecord } from "../keys/key.ts";
import { demandEnvironment } from "./call.ts";
import type { AnyCall } from "./call.ts";

/** The key of that id, in whichever environment; denied if the caller does not administer it. */
export function findKey(call: AnyCall, id: string): KeyRecord {
  for (const environment of call.ports.snapshot().environments.keys()) {
    const key = call.ports.keys.find(environment, id);
    if (!key && !call.ports.keys.isDamaged(environment, id)) continue;
    demandEnvironment(call, environment);
    if (!key) throw new Problem("record_damaged", `key ${id} of ${environment}`);
    return key;
  }
  throw new Problem("not_found", `there is no key ${id}`);
}
