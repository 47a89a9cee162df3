import { expect, test } from "vitest";
import { cleanWords, readUpstreamError, rewriteError } from "./upstream-error.ts";

test.each([
  ['Post "http://127.0.0.1:38011/completion": EOF', 'Post "(address)": EOF'],
  ["dial tcp 10.1.0.5:11434: connect: connection refused", "dial tcp (address): connect: connection refused"],
  ["dial tcp [fd00::1%eth0]:80: refused", "dial tcp (address): refused"],
  ["lookup gpu-7 on 10.0.0.2:53: no such host", "lookup (address) on (address): no such host"],
  ["cannot reach gpu-7.corp.", "cannot reach (address)."],
  ["cannot reach GPU-7.Internal:8080, giving up", "cannot reach (address), giving up"],
  ["see http://ollama.svc.cluster.local/x", "see (address)"],
  ["pc.lan is down", "(address) is down"],
  ["localhost:11434 is down", "(address) is down"],
  ["open /usr/share/ollama/.ollama/models/blobs/sha256-1: no such file", "open (path): no such file"],
  ["C:\\Users\\anna\\model.gguf is missing", "(path) is missing"],
  ["see https://ollama.com/upgrade for more", "see https://ollama.com/upgrade for more"],
  [
    "model 'hf.co/ns/other:q4' not found, try pulling it first",
    "model 'hf.co/ns/other:q4' not found, try pulling it first",
  ],
  ["model 'llama3.2:1b' version 1.2.3 needs 4.5 GiB", "model 'llama3.2:1b' version 1.2.3 needs 4.5 GiB"],
])("%j is shown as %j", (words, shown) => {
  expect(cleanWords(words)).toBe(shown);
});

test("of hostile words only the beginning is read: no text makes the work longer", () => {
  for (const unit of ["a.", "a-", "1.", "http://a.", "[:", "lookup ", "/usr/", "[fd00::"]) {
    const words = unit.repeat(500_000);
    expect(cleanWords(words)).toBe(cleanWords(words.slice(0, 2_000)));
  }
});

test("of an error only the members of the dialects are shown, and only where it says something", () => {
  expect(JSON.parse(rewriteError('{"error":{"message":"no","type":"t","host":"x"},"host":"x"}')!)).toEqual({
    error: { message: "no", type: "t" },
  });
  for (const text of [
    "",
    "[]",
    "{}",
    '{"error":""}',
    '{"error":{}}',
    '{"host":"x"}',
    "<h1>no</h1>",
    `{"error":"${"x".repeat(70_000)}"}`,
  ])
    expect(rewriteError(text)).toBeUndefined();
});

test("what denies the gateway keeps its words as a detail, in plain characters", () => {
  const rewritten = Buffer.from(rewriteError('{"error":"not signed in \\u202e","signin_url":"https://x/"}')!);
  expect(readUpstreamError(401, rewritten, null)).toEqual({ code: "upstream_denied", detail: "not signed in ?" });
  expect(readUpstreamError(503, null, 7)).toEqual({ code: "upstream_busy", retryAfterSeconds: 7 });
});
