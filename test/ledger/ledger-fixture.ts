/** A ledger of three environments, as a store writes it, to be exported, proved and harmed. */
import { chmodSync, cpSync, mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { encodeEvent, parseVerifierKey } from "@sallyport/ledger";
import type { Pins } from "@sallyport/ledger";
import { dataPaths, ledgerCrypto, ownSource, publishedKeys } from "../program-under-test.ts";
import type { Store } from "../program-under-test.ts";
import { settled, START_MS } from "../store/store-fixture.ts";

export const ENVIRONMENTS = ["dev", "staging", "prod"];

/** Records `first`… as requests do: an address beside each, a second apart, round the environments. */
export async function write(store: Store, first: number, count: number, salt = ""): Promise<void> {
  let ticket: number | undefined;
  for (let n = first; n < first + count; n++) {
    ticket = store.append(
      encodeEvent({
        type: "request.intent",
        at: START_MS + n * 1_000,
        environment: ENVIRONMENTS[n % 3]!,
        actor: `key:k${n % 2}`,
        fields: {
          request: `req_${n}${salt}`,
          model: "llama3.2",
          address: `10.0.0.${n % 5}`,
          note: '"address":"1.2.3.4"',
        },
      }),
    );
    if (n % 100 === 0) await settled(store, ticket);
  }
  if (!(await settled(store, ticket))) throw new Error("a line was refused");
}

export const placeOf = (dataDirectory: string) => ({
  dataDirectory,
  keyEncryptionKey: ownSource(dataPaths(dataDirectory)),
});

/** A folder that goes away with the test. */
export function makeFolder(after: (work: () => void) => void): string {
  const folder = mkdtempSync(join(tmpdir(), "sallyport-ledger-"));
  after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** With modes as they are: newer Nodes give copied folders their own. */
export function copyOf(path: string, to: string): string {
  cpSync(path, to, { recursive: true });
  if (!statSync(path).isDirectory()) return to;
  for (const name of ["", ...readdirSync(path, { recursive: true, encoding: "utf8" })])
    chmodSync(join(to, name), statSync(join(path, name)).mode & 0o777);
  return to;
}

/** What an auditor has kept of a node. */
export async function pinsOf(directory: string, extra: Partial<Pins> = {}): Promise<Pins> {
  const keys = await publishedKeys(placeOf(directory));
  return {
    keys: keys.map(({ key }) => parseVerifierKey(ledgerCrypto.sha256, key)!),
    checkpoints: [],
    witnesses: [],
    ...extra,
  };
}
