/** An export prints as many records as its verification finds, whatever was exported. */
import { exportAudit, verifyPath } from "../program-under-test.ts";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { noPins } from "@sallyport/ledger";
import { open } from "../store/store-fixture.ts";
import { ENVIRONMENTS, makeFolder, placeOf, write } from "./ledger-fixture.ts";

it.each([
  ["tiles", undefined],
  ...ENVIRONMENTS.map((environment) => ["tiles", environment] as const),
  ["jsonl", undefined],
  ["ocsf", undefined],
] as const)("in %s, of %s", async (format, environment) => {
  const out = join(
    makeFolder((end) => onTestFinished(end)),
    "out",
  );
  const opened = await open({ segmentRecords: 50 });
  await write(opened.store, 1, 177);
  const exported = await exportAudit(placeOf(opened.directory), { format, out, environment });
  const verdict = await verifyPath(out, noPins);
  expect(verdict).toMatchObject({ ok: true, records: exported.records });
  expect(exported.records).toBeGreaterThan(0);
  expect(exported.records + exported.leftOut).toBe(177);
  if (environment !== undefined) expect(exported.records).toBeLessThan(177 / 2);
});
