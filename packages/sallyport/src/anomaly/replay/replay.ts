/** Today's detectors and policy over what was recorded: what would have been told, and what would have been done. */
import type { Alert } from "../alert.ts";
import { respond } from "../response.ts";
import type { AnomalyPolicy, Response } from "../response.ts";
import { KeyWatch } from "../watch/key-watch.ts";
import { FromRecords, parseExported } from "./from-records.ts";
import { batchesOfLines } from "./lines.ts";

export interface Replayed {
  readonly records: number;
  /** Lines that were no records. */
  readonly strange: number;
  readonly observations: number;
  /** Epoch ms; null where there was nothing. */
  readonly from: number | null;
  readonly until: number | null;
  readonly alerts: readonly (Alert & { readonly response: Response })[];
}

export async function replayFile(
  path: string,
  policy: AnomalyPolicy,
  onRead?: (bytes: number, total: number) => void,
): Promise<Replayed> {
  const watch = new KeyWatch({ budget: policy.budget });
  const from = new FromRecords();
  const alerts: (Alert & { readonly response: Response })[] = [];
  const seen = { records: 0, strange: 0, observations: 0, from: null as number | null, until: null as number | null };
  const see = (observations: ReturnType<FromRecords["take"]>): void => {
    for (const observation of observations) {
      seen.observations++;
      for (const alert of watch.see(observation))
        alerts.push({ ...alert, response: respond(alert, policy, reachOf(alert)) });
    }
  };
  for await (const lines of batchesOfLines(path, onRead)) {
    for (const line of lines) {
      if (line === "") continue;
      const record = parseExported(line);
      if (!record) {
        seen.strange++;
        continue;
      }
      seen.records++;
      seen.from ??= record.at;
      seen.until = record.at;
      see(from.take(record));
    }
  }
  see(from.rest());
  return { ...seen, alerts };
}

/** Records do not say which access conditions a key has; the alert contains the networks it came from. */
function reachOf({ factors }: Alert): Parameters<typeof respond>[2] {
  const networks = factors.find(({ name }) => name === "network")?.usual ?? [];
  return { networks: networks.map(String), hasSigner: true, hasPerson: true };
}
