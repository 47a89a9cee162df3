/** An environment is read as it was written; a row that says nothing of the queue and slow readers has the usual bounds. */
import { expect, test } from "vitest";
import { environmentDefaults, environmentRow, readEnvironment } from "../program-under-test.ts";
import type { Environment } from "../program-under-test.ts";

const COLUMNS = [
  "name", "upstreams", "key_max_age_ms", "cloud", "registries", "keep_alive_max_seconds", "limits", "guard", "key_life",
  "networks", "require", "require_for", "path_secrets", "tokens", "key_fate", "anomalies", "inference_recording",
]; // prettier-ignore

function rowOf(environment: Environment): Record<string, never> {
  return Object.fromEntries(environmentRow(environment).map((value, n) => [COLUMNS[n]!, value])) as Record<
    string,
    never
  >;
}

const environment: Environment = {
  ...environmentDefaults,
  name: "dev",
  upstreams: [
    {
      id: "u1",
      url: "http://127.0.0.1:1",
      timeoutMs: 5,
      timeouts: { connectMs: 1, firstByteMs: 2, silenceMs: 3, answerMs: 4 },
    },
  ],
  queue: { waitMs: 7, lengthMax: 8 },
  readerStallMs: 9,
  limits: { concurrency: 3 },
};

test("an environment is read as it was written", () => {
  expect(readEnvironment(rowOf(environment))).toEqual(environment);
});

test("an older row has the usual queue and bound for slow readers", () => {
  const row = { ...rowOf(environment), limits: '{"concurrency":3}' as never };
  const { queue, readerStallMs } = environmentDefaults;
  expect(readEnvironment(row)).toEqual({ ...environment, queue, readerStallMs });
});
