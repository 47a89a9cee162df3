/**
 * One witness, asked repeatedly: whenever a log has grown since the last cosignature. If it does not respond, it is
 * asked next time; if it no longer knows the log, that is reported at once, because detecting this is its purpose.
 */
import type { EnvironmentName } from "@sallyport/protocol";
import type { LogSize } from "../../audit/audit-log.ts";
import { LogRefused } from "./ask-witness.ts";

export interface CosigningPorts {
  /** The logs there are now. */
  readonly logs: () => Promise<readonly LogSize[]>;
  /** Has the newest checkpoint cosigned and keeps it; how many records it covers. `size`: what the witness knows. */
  readonly cosign: (environment: EnvironmentName, size: number) => Promise<number>;
  /** Epoch ms. */
  readonly now: () => number;
  /** The witness says that the log is another. Told once, until it cosigns again. */
  readonly onRefused: (environment: string, reason: string) => Promise<void>;
  readonly onTrouble: (environment: string, reason: string) => void;
  readonly onRecovery: (environment: string) => void;
}

export interface CosigningFigures {
  readonly environment: string;
  readonly size: number;
  /** Epoch ms of the last cosignature; null = none since the start. */
  readonly cosignedAt: number | null;
  readonly failures: number;
}

interface Held {
  size: number;
  cosignedAt: number | null;
  failures: number;
  trouble: "none" | "told" | "refused";
}

export class Cosigning {
  readonly #ports: CosigningPorts;
  readonly #environments: readonly string[] | null;
  readonly #held = new Map<string, Held>();
  #running: Promise<void> | null = null;
  #isStopped = false;

  constructor(ports: CosigningPorts, environments: readonly string[] | null) {
    this.#ports = ports;
    this.#environments = environments;
  }

  /** Asks for every log that has grown, one at a time; concurrent callers wait for the same run. Never rejects. */
  run(): Promise<void> {
    return (this.#running ??= this.#runOnce().finally(() => (this.#running = null)));
  }

  /** Asks for no other log; resolves when the one that is under way has ended. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#running;
  }

  figures(): readonly CosigningFigures[] {
    return [...this.#held].map(([environment, { size, cosignedAt, failures }]) => ({
      environment,
      size,
      cosignedAt,
      failures,
    }));
  }

  async #runOnce(): Promise<void> {
    let logs: readonly LogSize[];
    try {
      logs = await this.#ports.logs();
    } catch (cause) {
      return this.#ports.onTrouble("system", reasonOf(cause));
    }
    for (const { environment, size } of logs) {
      if (this.#isStopped) return;
      if (this.#environments && !this.#environments.includes(environment)) continue;
      const held = this.#held.get(environment) ?? { size: 0, cosignedAt: null, failures: 0, trouble: "none" };
      this.#held.set(environment, held);
      if (held.size !== size) await this.#ask(environment, held);
    }
  }

  async #ask(environment: EnvironmentName, held: Held): Promise<void> {
    const { cosign, now, onRefused, onTrouble, onRecovery } = this.#ports;
    try {
      held.size = await cosign(environment, held.size);
      held.cosignedAt = now();
      if (held.trouble !== "none") onRecovery(environment);
      held.trouble = "none";
    } catch (cause) {
      held.failures++;
      const before = held.trouble;
      held.trouble = cause instanceof LogRefused ? "refused" : before === "refused" ? before : "told";
      if (held.trouble === before) return;
      onTrouble(environment, reasonOf(cause));
      if (held.trouble === "refused")
        await onRefused(environment, reasonOf(cause)).catch(() => (held.trouble = "told"));
    }
  }
}

function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
