import { expect, test } from "vitest";
import { ownThreadId, threadRanMs } from "./thread-time.ts";

test("a thread's processor time is known where the kernel tells it, and of no other thread", () => {
  const thread = ownThreadId();
  if (process.platform === "linux") expect(threadRanMs(thread!)).toBeGreaterThan(0);
  else expect(thread).toBeUndefined();
  expect(threadRanMs("0")).toBeUndefined();
});
