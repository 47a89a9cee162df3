import { expect, it } from "vitest";
import { clientName } from "./client-name.ts";

it.each([
  ["python-requests/2.32.3", "python-requests/2.32.3"],
  ["ollama/0.12.3 (amd64 linux) Go/go1.24.1", "ollama/0.12.3"],
  ["Mozilla/5.0 (X11; Linux x86_64)", "Mozilla/5.0"],
  ["OpenAI/Python 1.54.0", "OpenAI/Python"],
  ["", null],
  [" leading", null],
])("%j is recorded as %j", (userAgent, recorded) => expect(clientName(userAgent)).toBe(recorded));

it.each(["my secret plan", "sp_dev_abc_def", "x/sp_dev_abc_def", "caf\u00e9/1", `${"a".repeat(40)}/1`, "a\tb", "curl"])(
  "of %j only a hash is recorded, always the same",
  (userAgent) => {
    expect(clientName(userAgent)).toMatch(/^other-[0-9a-f]{6}$/);
    expect(clientName(userAgent)).toBe(clientName(userAgent));
  },
);
