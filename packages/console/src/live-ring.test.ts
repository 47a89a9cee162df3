import type { LiveRequest } from "@sallyport/contract";
import { expect, test } from "vitest";
import { LiveRing, RING_MAX } from "./live-ring.ts";

function request(n: number): LiveRequest {
  const counts = { totalMs: 1, queuedMs: 0, inputTokens: 1, outputTokens: 1 };
  const outcome = n % 10 === 0 ? "refused" : "served";
  const what = { endpoint: "chat", model: n % 2 === 0 ? "llama3.2" : "qwen3", outcome, code: null, ...counts };
  const environment = n % 3 === 0 ? "prod" : "dev";
  return { id: `r${n}`, at: "2026-01-01T00:00:00Z", environment, key: `k${n % 5}`, keyName: `App ${n % 5}`, principal: null, ...what }; // prettier-ignore
}

test("keeps the newest, says how many did not come, and shows them newest first", () => {
  const ring = new LiveRing();
  expect(ring.newest({}, 100)).toEqual({ shown: [], matching: 0 });
  for (let n = 0; n < 5_000; n += 100)
    ring.add(
      Array.from({ length: 100 }, (_, i) => request(n + i)),
      7,
    );
  expect([ring.kept, ring.left]).toEqual([RING_MAX, 350]);
  const { shown, matching } = ring.newest({}, 3);
  expect([shown.map(({ id }) => id), matching]).toEqual([["r4999", "r4998", "r4997"], RING_MAX]);
  expect(ring.newest({}, RING_MAX).shown.at(-1)!.id).toBe("r3000");
});

test.each([
  [{ environment: "prod" }, (n: number) => n % 3 === 0],
  [{ outcome: "refused" }, (n: number) => n % 10 === 0],
  [{ model: "qwen" }, (n: number) => n % 2 === 1],
  [{ key: "k3" }, (n: number) => n % 5 === 3],
  [{ key: "app 4", environment: "dev" }, (n: number) => n % 5 === 4 && n % 3 !== 0],
])("filters by %j", (filter, isAsked) => {
  const ring = new LiveRing();
  const all = Array.from({ length: 60 }, (_, n) => n);
  ring.add(all.map(request), 0);
  const expected = all.filter(isAsked).toReversed();
  expect(ring.newest(filter, 60).shown.map(({ id }) => id)).toEqual(expected.map((n) => `r${n}`));
  expect(ring.outcomes()).toEqual(["refused", "served"]);
});
