/** Folds what the audit log records of decisions about some keys, in slices: others ask the same thread. */
import { setImmediate as turn } from "node:timers/promises";
import { parseKept } from "@sallyport/ledger";
import { DecisionFold } from "../../usage/recorded-decisions.ts";
import type { KeyDecisions } from "../../usage/recorded-decisions.ts";
import { mayDemand } from "../../usage/recorded-demand.ts";
import type { KeyName } from "../../usage/usage-report.ts";
import type { LedgerWalk } from "./ledger-walk.ts";

export interface DecisionQuestion {
  readonly keys: readonly KeyName[];
  /** Epoch ms, inclusive. */
  readonly since: number;
  readonly until: number;
}

export interface SurveyedDecisions {
  readonly keys: readonly KeyDecisions[];
  /** Records that were read, of all kinds. */
  readonly records: number;
  /** Time of the first of them, epoch ms; null without any. */
  readonly from: number | null;
}

const LINES_PER_TURN = 2_000;
/** Between two reports of progress, in records. */
const REPORTED = 20_000;
const AT = /"at":(\d{1,15}),/;

export async function surveyDecisions(
  walk: LedgerWalk,
  { keys, since, until }: DecisionQuestion,
  onProgress: (records: number) => void,
): Promise<SurveyedDecisions> {
  const fold = new DecisionFold(keys, since, until);
  let records = 0;
  let from: number | null = null;
  for (const kept of walk.oldestFirst({ after: 0, since, until })) {
    if (kept === "") continue;
    if (from === null) {
      const at = Number(AT.exec(kept)?.[1] ?? Number.NaN);
      if (at >= since) from = at;
    }
    if (mayDemand(kept)) fold.take(parseKept(kept).line);
    if (++records % LINES_PER_TURN !== 0) continue;
    if (records % REPORTED === 0) onProgress(records);
    await turn();
  }
  return { keys: fold.result(), records, from };
}
