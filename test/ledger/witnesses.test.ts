/** A server that has its checkpoints cosigned by itself: by a real witness, over a log that grows, goes away and is rolled back. */
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pino } from "pino";
import { expect, it, onTestFinished } from "vitest";
import { checkNote, parseCheckpoint, parseSignedNote, parseVerifierKey } from "@sallyport/ledger";
import {
  AuditLink,
  ledgerCrypto,
  openLedgerReader,
  openWitness,
  openWitnesses,
  publishedKeys,
  Registry,
} from "../program-under-test.ts";
import type { WitnessCore, WitnessSettings } from "../program-under-test.ts";
import { makeDirectory, open, START_MS } from "../store/store-fixture.ts";
import { copyOf, makeFolder, placeOf, write } from "./ledger-fixture.ts";

const folder = (): string => makeFolder((end) => onTestFinished(end));
const ledger = { retentionDays: 3_650, retentionBytes: 1e12, reserveBytes: 0, requestDays: 3_650, personalDays: 3_650, securityPersonalDays: 3_650 }; // prettier-ignore

async function fill(directory: string, first: number, count: number, salt = ""): Promise<void> {
  const { store } = await open({ directory, ledger, segmentRecords: 300 });
  await write(store, first, count, salt);
  await store.close();
}

/** A witness of the directory's logs, on a port of its own. */
async function startWitness(directory: string, name: string) {
  const keys = (await publishedKeys(placeOf(directory))).map(({ key }) => key);
  const witness = openWitness({ name, folder: folder(), logs: keys, fault: () => {} });
  witness.server.listen(0, "127.0.0.1");
  await once(witness.server, "listening");
  onTestFinished(() => void witness.server.close());
  const url = `http://127.0.0.1:${(witness.server.address() as AddressInfo).port}`;
  return { url, witness: parseVerifierKey(ledgerCrypto.sha256, witness.key)!, environments: null, everyMs: 1e9 };
}

/** What the server joins, over a directory that somebody else writes. */
function serve(directory: string, settings: readonly WitnessSettings[]) {
  const audit = new AuditLink(directory);
  const growths: { environment: string; size: number; mark: number | undefined }[] = [];
  const watched = {
    logs: () => audit.logs(),
    growth(question: Parameters<AuditLink["growth"]>[0]) {
      const { environment, size, mark } = question;
      growths.push({ environment, size, mark: mark?.tree.size });
      return audit.growth(question);
    },
  };
  const events: object[] = [];
  const core = {
    audit: watched,
    clock: { now: () => START_MS },
    changes: {
      inTurn: (run: () => unknown) => run(),
      change: ({ events: more }: { events: object[] }) => Promise.resolve(void events.push(...more)),
    },
  } as unknown as WitnessCore;
  const registry = new Registry();
  const witnesses = openWitnesses(settings, directory, core, registry, pino({ level: "silent" }));
  onTestFinished(async () => {
    await witnesses.close();
    await audit.close();
  });
  const figures = () => registry.write({ label: "environment", isShown: () => true });
  const cosigned = (name: string) => readFileSync(join(directory, "ledger", "witnessed", name), "utf8");
  return { witnesses, growths, events, figures, cosigned };
}

it("cosigns every log, and reads only what came since when it grows", async () => {
  const directory = makeDirectory();
  await fill(directory, 1, 700);
  const settings = [
    await startWitness(directory, "witness.example/w1"),
    await startWitness(directory, "witness.example/w2"),
  ];
  const { witnesses, growths, events, figures, cosigned } = serve(directory, settings);
  await witnesses.run();
  const sizes = Object.fromEntries(
    ["dev", "staging", "prod"].map((name) => [name, parseCheckpoint(cosigned(name))?.size]),
  );
  expect(sizes).toMatchObject({ dev: 233, staging: 234, prod: 233 });
  for (const { witness } of settings) {
    for (const name of ["dev", `dev@${encodeURIComponent(witness.name)}`])
      expect(checkNote(ledgerCrypto.verify, parseSignedNote(cosigned(name))!, witness).verdict).toBe("genuine");
  }
  expect(figures()).toContain('sallyport_witness_cosigned_records{witness="witness.example/w1",environment="dev"} 233');

  await witnesses.run();
  growths.length = 0;
  await fill(directory, 701, 300);
  await witnesses.run();
  expect(parseCheckpoint(cosigned("dev"))?.size).toBe(333);
  expect(growths.filter(({ environment }) => environment === "dev")).toEqual([
    { environment: "dev", size: 233, mark: 233 },
    { environment: "dev", size: 233, mark: 233 },
  ]);
  expect(events).toEqual([]);
});

it("a proof by a mark is the one that is made from the beginning, and a mark that leads nowhere is left", async () => {
  const directory = makeDirectory();
  await fill(directory, 1, 900);
  const reader = openLedgerReader(directory);
  onTestFinished(() => reader.close());
  const ask = { environment: "dev", size: 0 };
  const { mark } = await reader.growth(ask);
  await fill(directory, 901, 500);
  for (const size of [mark.tree.size, mark.tree.size + 7, mark.tree.size + 150]) {
    const whole = await reader.growth({ ...ask, size });
    expect(await reader.growth({ ...ask, size, mark })).toEqual(whole);
    const wrong = { ...mark, tree: { ...mark.tree, peaks: mark.tree.peaks.map(() => "0".repeat(64)) } };
    expect(await reader.growth({ ...ask, size, mark: wrong })).toEqual(whole);
  }
  await expect(reader.growth({ ...ask, size: 10_000 })).rejects.toThrow("rolled back");
});

it("a ledger that was rolled back or written anew is told: an event, once", async () => {
  const directory = makeDirectory();
  await fill(directory, 1, 100);
  const older = copyOf(directory, join(folder(), "older"));
  await fill(directory, 101, 100);
  const settings = [await startWitness(directory, "witness.example/w1")];
  const first = serve(directory, settings);
  await first.witnesses.run();

  const rolled = serve(older, settings);
  await rolled.witnesses.run();
  await rolled.witnesses.run();
  const told = (events: readonly object[]) =>
    (events as { type: string; environment: string; fields: { reason: string } }[]).map(
      ({ type, environment, fields }) => `${type} ${environment} ${fields.reason.split(": ").at(-1)!}`,
    );
  for (const name of ["dev", "staging", "prod"])
    expect(told(rolled.events)).toContain(`witness.refused ${name} it was rolled back`);
  expect(new Set(told(rolled.events)).size).toBe(rolled.events.length);

  await fill(older, 101, 200, "-fork");
  const forked = serve(older, settings);
  await forked.witnesses.run();
  expect(told(forked.events).filter((text) => text.includes("It was rewritten or rolled back")).length).toBeGreaterThan(
    2,
  );
});

it("a witness that is away is a failure that is counted, and no event", async () => {
  const directory = makeDirectory();
  await fill(directory, 1, 30);
  const settings = await startWitness(directory, "witness.example/w1");
  const { witnesses, events, figures } = serve(directory, [{ ...settings, url: "http://127.0.0.1:1" }]);
  await witnesses.run();
  expect(figures()).toContain('sallyport_witness_failures_total{witness="witness.example/w1",environment="dev"} 1');
  expect(events).toEqual([]);
});
