/** Folds what the audit log records of decisions about some keys, in slices: others ask the same thread. */
import { setImmediate as turn } from "node:timers/promises";
import { seqOfLine } from "../ledger/segment-file.ts";
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
  /** Decisions that were folded. */
  readonly decisions: number;
  /** Time of the first of them, epoch ms; null without any. */
  readonly from: number | null;
}

const LINES_PER_TURN = 2_000;
/** Between two reports of progress, in lines. */
const REPORTED = 20_000;
const INTENTS = ["request.intent", "model.intent"];

export async function surveyDecisions(
  walk: LedgerWalk,
  { keys, since, until }: DecisionQuestion,
  onProgress: (records: number) => void,
): Promise<SurveyedDecisions> {
  const fold = new DecisionFold(keys, since, until);
  let lines = 0;
  for (const kept of walk.oldestFirst({ after: 0, since, until, types: INTENTS })) {
    if (mayDemand(kept)) fold.take(kept);
    if (++lines % LINES_PER_TURN !== 0) continue;
    if (lines % REPORTED === 0) onProgress(seqOfLine(kept) ?? 0);
    await turn();
  }
  return { keys: fold.result(), decisions: fold.count, from: fold.from };
}
