/** The audit log as administration sees it: questions to the reading thread, which is started with the first one. */
import { Worker } from "node:worker_threads";
import { Problem } from "@sallyport/protocol";
import type {
  AuditFilter,
  AuditLog,
  AuditPage,
  AuditRecord,
  AuditUses,
  AuditVerdict,
  LogSize,
} from "../../audit/audit-log.ts";
import type { LedgerRadius, RadiusQuestion } from "../../incident/blast-radius.ts";
import type { GrowthQuestion, LogGrowth } from "./log-growth.ts";
import type { DecisionQuestion, SurveyedDecisions } from "./decision-survey.ts";
import type { KeyUseHistories } from "../state/permission-use-rows.ts";
import type { UseBounds } from "./ledger-uses.ts";
import type { KeyName, UsagePage, UsageQuestion } from "../../usage/usage-report.ts";
import type { RebuildFindings } from "./usage-rebuild.ts";

export type AuditQuestion =
  | { readonly ask: "search"; readonly filter: AuditFilter }
  | { readonly ask: "read"; readonly filter: AuditFilter }
  | { readonly ask: "care" }
  | { readonly ask: "verify" }
  | { readonly ask: "prove"; readonly seq: number }
  | { readonly ask: "uses"; readonly bounds: UseBounds }
  | { readonly ask: "radius"; readonly question: RadiusQuestion }
  | { readonly ask: "logs" }
  | { readonly ask: "growth"; readonly question: GrowthQuestion }
  | { readonly ask: "usage"; readonly question: UsageQuestion }
  | { readonly ask: "requests"; readonly keys: readonly KeyName[]; readonly from: number; readonly to: number }
  | { readonly ask: "histories"; readonly keys: readonly KeyName[]; readonly from: number }
  | { readonly ask: "decisions"; readonly question: DecisionQuestion }
  | { readonly ask: "recount"; readonly today: number };

export type AuditAsked = AuditQuestion & { readonly id: number };

export type AuditAnswered =
  | {
      readonly id: number;
      readonly value:
        | readonly AuditRecord[]
        | AuditPage
        | undefined
        | AuditVerdict
        | string
        | null
        | AuditUses
        | LedgerRadius
        | readonly LogSize[]
        | LogGrowth
        | UsagePage
        | readonly (readonly number[])[]
        | RebuildFindings
        | KeyUseHistories
        | SurveyedDecisions;
    }
  /** How many records were read so far; the answer follows. */
  | { readonly id: number; readonly progress: number }
  | { readonly id: number; readonly failure: string };

interface Waiting {
  readonly onProgress: (records: number) => void;
  readonly resolve: (value: unknown) => void;
  readonly reject: (cause: Problem) => void;
}

/** The thread's `workerData`. */
export interface AuditThreadSetup {
  readonly directory: string;
  /** Of the segments' indexes; null = they are read whole. */
  readonly indexKey: Uint8Array | null;
}

/**
 * Three times a semi-space. What reading allocates is short-lived, and its speed hardly matters; with V8's usual 48 the
 * thread, idle most of the time, kept some 30 MB of garbage.
 */
const YOUNG_MB = 12;

export class AuditLink implements AuditLog {
  readonly #setup: AuditThreadSetup;
  readonly #waiting = new Map<number, Waiting>();
  #thread: Worker | null = null;
  #lastId = 0;

  constructor(directory: string, indexKey: Uint8Array | null = null) {
    this.#setup = { directory, indexKey };
  }

  search(filter: AuditFilter): Promise<readonly AuditRecord[]> {
    return this.#ask({ ask: "search", filter }) as Promise<readonly AuditRecord[]>;
  }

  read(filter: AuditFilter): Promise<AuditPage> {
    return this.#ask({ ask: "read", filter }) as Promise<AuditPage>;
  }

  /** Makes the indexes of segments that have none. */
  async care(): Promise<void> {
    await this.#ask({ ask: "care" });
  }

  verify(): Promise<AuditVerdict> {
    return this.#ask({ ask: "verify" }) as Promise<AuditVerdict>;
  }

  prove(seq: number): Promise<string | null> {
    return this.#ask({ ask: "prove", seq }) as Promise<string | null>;
  }

  uses(bounds: UseBounds): Promise<AuditUses> {
    return this.#ask({ ask: "uses", bounds }) as Promise<AuditUses>;
  }

  radius(question: RadiusQuestion): Promise<LedgerRadius> {
    return this.#ask({ ask: "radius", question }) as Promise<LedgerRadius>;
  }

  logs(): Promise<readonly LogSize[]> {
    return this.#ask({ ask: "logs" }) as Promise<readonly LogSize[]>;
  }

  growth(question: GrowthQuestion): Promise<LogGrowth> {
    return this.#ask({ ask: "growth", question }) as Promise<LogGrowth>;
  }

  usage(question: UsageQuestion): Promise<UsagePage> {
    return this.#ask({ ask: "usage", question }) as Promise<UsagePage>;
  }

  /** Admitted requests of each of the keys, in their order, day by day; days are inclusive. */
  requestsOf(keys: readonly KeyName[], from: number, to: number): Promise<readonly (readonly number[])[]> {
    return this.#ask({ ask: "requests", keys, from, to }) as Promise<readonly (readonly number[])[]>;
  }

  /** Counts use again from the audit log. `today` in days. */
  recountUsage(today: number, onProgress: (records: number) => void): Promise<RebuildFindings> {
    return this.#ask({ ask: "recount", today }, onProgress) as Promise<RebuildFindings>;
  }

  /** What each of the keys did since a day, in their order. */
  histories(keys: readonly KeyName[], from: number): Promise<KeyUseHistories> {
    return this.#ask({ ask: "histories", keys, from }) as Promise<KeyUseHistories>;
  }

  /** What is recorded of decisions about some keys. */
  decisions(question: DecisionQuestion, onProgress: (records: number) => void): Promise<SurveyedDecisions> {
    return this.#ask({ ask: "decisions", question }, onProgress) as Promise<SurveyedDecisions>;
  }

  async close(): Promise<void> {
    await this.#thread?.terminate();
  }

  #ask(question: AuditQuestion, onProgress: (records: number) => void = () => {}): Promise<unknown> {
    const thread = (this.#thread ??= this.#start());
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject, onProgress });
      thread.postMessage({ id, ...question } satisfies AuditAsked);
    });
  }

  #start(): Worker {
    const thread = new Worker(new URL("./audit-thread.js", import.meta.url), {
      workerData: this.#setup,
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MB },
    });
    thread.unref();
    thread.on("message", (answered: AuditAnswered) => {
      const waiting = this.#waiting.get(answered.id);
      if ("progress" in answered) return waiting?.onProgress(answered.progress);
      this.#waiting.delete(answered.id);
      if ("failure" in answered) waiting?.reject(new Problem("store_unavailable", answered.failure));
      else waiting?.resolve(answered.value);
    });
    const end = (cause: string): void => {
      if (this.#thread === thread) this.#thread = null;
      for (const { reject } of this.#waiting.values()) reject(new Problem("store_unavailable", cause));
      this.#waiting.clear();
    };
    thread.on("error", (cause: Error) => end(cause.message));
    thread.on("exit", () => end("the ledger's reader has ended"));
    return thread;
  }
}
