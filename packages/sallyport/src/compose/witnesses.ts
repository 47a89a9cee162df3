/** Witnesses that the server asks by itself, joined; loaded only where the settings name one. */
import { join } from "node:path";
import type { WitnessSettings } from "../config/witness-settings.ts";
import { sendBounded } from "../kernel/bounded-request.ts";
import type { Log } from "../kernel/log.ts";
import type { Registry } from "../outlets/metrics/registry.ts";
import { dataPaths } from "../store/disk/data-paths.ts";
import { writeDurably } from "../store/disk/durable-file.ts";
import { ledgerCrypto } from "@sallyport/ledger/node";
import type { GrowthMark } from "../store/search/log-growth.ts";
import { askWitness } from "../outlets/witness/ask-witness.ts";
import { keepCosigned } from "../outlets/witness/cosigned-files.ts";
import { Cosigning } from "../outlets/witness/cosigning.ts";
import type { CosigningFigures } from "../outlets/witness/cosigning.ts";
import type { Core } from "./core.ts";

export type WitnessCore = Pick<Core, "audit" | "changes" | "clock">;

export interface OpenWitnesses {
  /** Asks each of them now. */
  run(): Promise<void>;
  close(): Promise<void>;
}

/** Begins to ask at once. */
export function openWitnesses(
  settings: readonly WitnessSettings[],
  directory: string,
  core: WitnessCore,
  registry: Registry,
  log: Log,
): OpenWitnesses {
  const open = settings.map((one) => ({ ...one, cosigning: makeCosigning(one, directory, core, log) }));
  nameMetrics(registry, () =>
    open.flatMap(({ witness, cosigning }) => cosigning.figures().map((of) => ({ ...of, witness: witness.name }))),
  );
  const run = async (): Promise<void> => void (await Promise.all(open.map(({ cosigning }) => cosigning.run())));
  const timers = open.map(({ cosigning, everyMs }) => setInterval(() => void cosigning.run(), everyMs).unref());
  void run();
  return {
    run,
    async close() {
      timers.forEach(clearInterval);
      await Promise.all(open.map(({ cosigning }) => cosigning.stop()));
    },
  };
}

function makeCosigning(
  { url, witness, environments }: WitnessSettings,
  directory: string,
  { audit, changes, clock }: WitnessCore,
  log: Log,
): Cosigning {
  const place = { folder: join(dataPaths(directory).ledger, "witnessed"), write: writeDurably };
  const marks = new Map<string, GrowthMark>();
  return new Cosigning(
    {
      logs: () => audit.logs(),
      async cosign(environment, known) {
        let covered = 0;
        const prove = async (size: number) => {
          const { checkpoint, path, mark } = await audit.growth({ environment, size, mark: marks.get(environment) });
          covered = mark.tree.size;
          marks.set(environment, mark);
          return { checkpoint, path };
        };
        const text = await askWitness(
          { send: sendBounded, verify: ledgerCrypto.verify },
          { url, witness },
          prove,
          known,
        );
        keepCosigned(place, environment, witness.name, text);
        return covered;
      },
      now: () => clock.now(),
      async onRefused(environment, reason) {
        const fields = { witness: witness.name, reason };
        const event = { type: "witness.refused", at: clock.now(), environment, actor: "gateway", fields } as const;
        await changes.inTurn(() => changes.change({ operations: [], events: [event] }));
      },
      onTrouble: (environment, reason) =>
        log.warn({ witness: witness.name, environment, reason }, "a checkpoint was not cosigned"),
      onRecovery: (environment) => log.info({ witness: witness.name, environment }, "checkpoints are cosigned again"),
    },
    environments,
  );
}

function nameMetrics(
  registry: Registry,
  figures: () => readonly (CosigningFigures & { readonly witness: string })[],
): void {
  const labels = ["witness", "environment"];
  const name = (
    type: "counter" | "gauge",
    metric: string,
    help: string,
    read: (of: CosigningFigures) => number,
  ): void =>
    registry.reading(type, `sallyport_witness_${metric}`, help, labels, () =>
      figures().map((of) => [read(of), of.witness, of.environment]),
    );
  name("gauge", "cosigned_records", "Records of the log that the witness has cosigned.", (of) => of.size);
  name(
    "gauge",
    "cosigned_timestamp_seconds",
    "When the witness last cosigned the log; 0 = not since the start.",
    (of) => (of.cosignedAt ?? 0) / 1000,
  );
  name("counter", "failures_total", "Attempts that failed.", (of) => of.failures);
}
