import { expect, test } from "vitest";
import { environmentDefaults } from "../access/default-environment.ts";
import type { Environment } from "../access/policy.ts";
import { GAP_KEYS_MAX, UnrecordedRequests } from "./unrecorded.ts";

/** A ledger that takes nothing until it is told to, and a clock. */
function start(policies: Readonly<Record<string, Environment["inferenceRecording"]>>) {
  const ledger = {
    lines: [] as string[],
    isOpen: false,
    isAlive: true,
    told: [] as ((isOnDisk: boolean) => void)[],
    append: (line: string) => (ledger.isOpen ? ledger.lines.push(line) : undefined),
    whenDurable: (_: number, then: (isOnDisk: boolean) => void) => void ledger.told.push(then),
    takesChanges: () => ledger.isAlive,
  };
  const environments = new Map(
    Object.entries(policies).map(([name, inferenceRecording]) => [
      name,
      { ...environmentDefaults, name, upstreams: [], inferenceRecording },
    ]),
  );
  const clock = { at: 1_000, now: () => clock.at++ };
  const gaps: string[] = [];
  const onGap = (environment: string): void => void gaps.push(environment);
  const unrecorded = new UnrecordedRequests({ ledger, clock, environments: () => environments, onGap });
  const fields = () => ledger.lines.map((line) => (JSON.parse(line) as { fields: object }).fields);
  return { ledger, unrecorded, gaps, fields };
}
const open = "fail_open_with_gap_record";

test("only where policy says so, and only while something can be revoked", () => {
  const { ledger, unrecorded } = start({ dev: open, prod: "fail_closed" });
  expect([unrecorded.take("dev", "A"), unrecorded.take("prod", "A"), unrecorded.take("gone", "A")]).toEqual([
    true,
    false,
    false,
  ]);
  ledger.isAlive = false;
  expect([unrecorded.take("dev", "A"), unrecorded.total]).toEqual([false, 1]);
});

test("a gap is written once the ledger takes it: how many, when, which keys", () => {
  const { ledger, unrecorded, gaps, fields } = start({ dev: open, lab: open });
  for (const key of ["B", "A", "B"]) unrecorded.take("dev", key);
  unrecorded.take("lab", "C");
  unrecorded.flush();
  expect([ledger.lines, unrecorded.hasGap, gaps]).toEqual([[], true, ["dev", "lab"]]);
  ledger.isOpen = true;
  unrecorded.flush();
  expect(fields()).toEqual([
    { requests: 3, since: 1_000, until: 1_002, keys: ["A", "B"], has_more_keys: false },
    { requests: 1, since: 1_003, until: 1_003, keys: ["C"], has_more_keys: false },
  ]);
  expect(unrecorded.hasGap).toBe(false);
  for (const then of ledger.told) then(true);
  unrecorded.flush();
  expect(ledger.lines.length).toBe(2);
});

test("a gap whose commit fails is not lost: it grows on, and is written later", () => {
  const { ledger, unrecorded, fields } = start({ dev: open });
  unrecorded.take("dev", "A");
  ledger.isOpen = true;
  unrecorded.flush();
  unrecorded.take("dev", "B");
  ledger.told.pop()!(false);
  unrecorded.flush();
  expect(fields().at(-1)).toEqual({ requests: 2, since: 1_000, until: 1_002, keys: ["A", "B"], has_more_keys: false });
});

test("a gap names so many keys and says that there were more", () => {
  const { ledger, unrecorded, fields } = start({ dev: open });
  for (let i = 0; i <= GAP_KEYS_MAX; i++) unrecorded.take("dev", `K${i}`);
  ledger.isOpen = true;
  unrecorded.flush();
  const [gap] = fields() as { keys: string[]; has_more_keys: boolean }[];
  expect([gap!.keys.length, gap!.has_more_keys]).toEqual([GAP_KEYS_MAX, true]);
});

test("all are served only where every environment says so, and there is one", () => {
  expect(start({ dev: open, lab: open }).unrecorded.areAllServed()).toBe(true);
  expect(start({ dev: open, prod: "fail_closed" }).unrecorded.areAllServed()).toBe(false);
  expect(start({}).unrecorded.areAllServed()).toBe(false);
});
