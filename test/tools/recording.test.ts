/** The recording in the README: it plays without a script, and shows no whole key. */
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";

const file = new URL("../../tools/record/draw.js", import.meta.url).href;
const { draw } = (await import(file)) as { draw: (recording: object) => string };

it("the committed recording has no script, no link, no whole key, and what the README says it shows", () => {
  const svg = readFileSync("docs/images/first-minute.svg", "utf8");
  expect(svg).not.toMatch(/<script|href|<image|foreignObject|\bon\w+=/i);
  expect(svg).not.toMatch(/sp_[a-z]+_[\w-]{5,}/);
  for (const shown of [
    "npx sallyport start",
    "permission_denied",
    "npx sallyport keys revoke",
    "revoked (by_administrator)",
  ])
    expect(svg).toContain(shown);
  expect(readFileSync("README.md", "utf8")).toContain("(docs/images/first-minute.svg)");
});

it("shows a text from when it came to when it went, escapes it, and shortens long pauses", () => {
  const pane = { title: "a", rows: 2, startMs: 0 };
  const samples = [
    { atMs: 0, rows: ["<b>", ""] },
    { atMs: 60_000, rows: ["<b>", "late"] },
    { atMs: 61_000, rows: ["", "late"] },
  ];
  const svg = draw({ panes: [{ ...pane, samples }], columns: 20, endMs: 62_000, label: "test" });
  expect(svg).toContain("&lt;b&gt;");
  expect(svg).not.toContain("<b>");
  // 2.5 s instead of 60, then 1 s, 1 s, and 3 s before it begins again.
  expect(svg).toContain("animation-duration:7500ms");
  // The first text is visible from the beginning to 3.5 s, the second from 2.5 s to the end.
  expect(svg).toMatch(/46\.67%\{visibility:hidden\}/);
  expect(svg).toMatch(/33\.33%\{visibility:visible\}\}/);
});
