import { expect, test } from "vitest";
import { ollamaUrl } from "./ollama-url.ts";

test.each([
  ["", undefined],
  ["127.0.0.1", "http://127.0.0.1:11434"],
  ["0.0.0.0", "http://127.0.0.1:11434"],
  [":8080", "http://127.0.0.1:8080"],
  ["example.org:8080", "http://example.org:8080"],
  ["http://example.org", "http://example.org:80"],
  ["https://example.org/", "https://example.org:443"],
  ["[::1]:1", "http://[::1]:1"],
  ["http://user@host", undefined],
  ["a b", undefined],
  ["ftp://host", undefined],
  ["127.0.0.1:99999", undefined],
])("%j is %s", (text, url) => {
  expect(ollamaUrl(text)).toBe(url);
});
