/** The report: hostile names stay text in both forms, the picture is drawn, commands are commands. */
import type { IncidentView, RadiusView } from "@sallyport/contract";
import { describe, expect, it } from "vitest";
import { makeProgram } from "../cli/program.ts";
import type { Cli } from "../cli/terminal/cli.ts";
import { htmlText, markdownText, plainText } from "./hostile-text.ts";
import { makeReport } from "./make-report.ts";
import { remediesFor } from "./remedies.ts";
import { formatHtml } from "./report-html.ts";
import { formatMarkdown } from "./report-markdown.ts";
import { countText, spanText } from "./report.ts";
import { drawTimeline } from "./timeline-svg.ts";

const HOSTILE = `</style><script>alert(1)</script><img src=x onerror=alert(1)>"'|\n# x\n[a](javascript:1) \u202e\u0000\`~~~~ http://evil.example www.evil.example`;
const T0 = Date.UTC(2026, 0, 1);
const iso = (hours: number): string => new Date(T0 + hours * 3_600_000).toISOString();

const incident: IncidentView = {
  id: "inc_0123456789ab",
  environment: "dev",
  keyId: "K00000000001",
  keyName: HOSTILE,
  owner: "p_1",
  state: "open",
  since: iso(0),
  reason: HOSTILE,
  openedAt: iso(30),
  openedBy: HOSTILE,
  closed: null,
};

const key = {
  id: "K00000000001",
  environment: "dev",
  name: HOSTILE,
  owner: "p_1",
  state: "suspended",
  reason: "incident",
  roles: [HOSTILE],
  allow: [],
  models: [HOSTILE],
  networks: null,
  createdAt: iso(0),
  createdBy: HOSTILE,
} as unknown as RadiusView["key"];

const happening = { seq: 1, at: iso(1), environment: "dev", type: "key.issued", actor: HOSTILE, says: HOSTILE };
const list = { rows: [happening], more: 3 };
const counts = { rows: [{ name: HOSTILE, count: 2 }], others: 5 };

const radius: RadiusView = {
  from: iso(0),
  to: iso(30),
  knownFrom: iso(2),
  records: 10,
  requests: { served: 12, refused: 2, inputTokens: 1, outputTokens: 2, estimated: 1, bytesIn: 3, bytesOut: 4 },
  models: counts,
  endpoints: counts,
  permissions: { rows: [{ name: "models:pull", count: 1 }], others: 0 },
  codes: counts,
  outcomes: counts,
  programs: counts,
  addresses: {
    rows: [
      { address: "10.0.0.1", firstAt: iso(1), lastAt: iso(20), firstSeq: 2, requests: 9, refused: 0, earlier: 0 },
      { address: HOSTILE, firstAt: iso(25), lastAt: iso(26), firstSeq: 3, requests: 3, refused: 2, earlier: 0 },
    ],
    others: 7,
  },
  shared: {
    rows: [
      { address: HOSTILE, environment: "dev", actor: "key:K00000000003", uses: 1, firstAt: iso(2), lastAt: iso(3) },
      { address: HOSTILE, environment: "dev", actor: `key:x"; rm -rf / #`, uses: 1, firstAt: iso(2), lastAt: iso(3) },
    ],
    others: 0,
  },
  life: list,
  tokens: list,
  byKey: list,
  byOwner: list,
  rights: list,
  timeline: {
    bucketMs: 3_600_000,
    buckets: [
      { at: iso(1), refused: 0, addresses: [{ address: "10.0.0.1", count: 9 }], others: 0 },
      { at: iso(25), refused: 2, addresses: [{ address: HOSTILE, count: 5 }], others: 3 },
    ],
    marks: [
      { at: iso(1), kind: HOSTILE, says: HOSTILE },
      { at: iso(30), kind: "key.suspended", says: "key.suspended" },
    ],
  },
  decisive: [{ seq: 2, why: HOSTILE }],
  key,
  owner: { id: "p_1", kind: "person", name: HOSTILE, isDisabled: false },
  siblings: { rows: [{ ...key, id: "K00000000002", state: "active", reason: null }], more: 0 },
  clients: [{ address: HOSTILE, agent: HOSTILE, usedAt: iso(3) }],
  networks: { "10.0.0.1": "10.0.0.0/24", [HOSTILE]: "unknown" },
};

const parts = {
  incident,
  radius,
  proofs: [{ seq: 2, why: HOSTILE, file: "proofs/2.tlog-proof" }],
  evidence: { folders: ["evidence/dev"], missing: "" },
};

describe("hostile text", () => {
  it("in HTML makes no element and no attribute", () => {
    const html = formatHtml(makeReport(parts));
    const tags = new Set([...html.matchAll(/<\/?([a-z0-9]+)/g)].map(([, tag]) => tag));
    const ours = "html head meta title style body h1 h2 section p dl div dt dd figure svg g line rect text figcaption span ol ul li input label pre table thead tbody tr th td"; // prettier-ignore
    expect([...tags].filter((tag) => !ours.split(" ").includes(tag!))).toEqual([]);
    expect(html).not.toMatch(/<[^>]*\son[a-z]+=/i);
    expect(html).not.toMatch(/<[^>]*\s(?:src|href|style|xlink:href)=/i);
    expect(html).not.toMatch(/<style>[^<]*(?:url\(|@import)/i);
    // The one style sheet is let in by its hash, and nothing else by anything.
    expect(html).toMatch(
      /content="default-src 'none'; style-src 'sha256-[\w+/=]+'; base-uri 'none'; form-action 'none'"/,
    );
    expect(html).not.toContain("\u202e");
  });

  it("in Markdown makes no markup, no link and no line of its own", () => {
    const markdown = formatMarkdown(makeReport(parts));
    expect(markdown).not.toMatch(/(?<!\\)<|(?<!\\)\]\(|https?:\/\/|www\.evil|\u202e/);
    const headings = markdown.split("\n").filter((line) => line.startsWith("#"));
    expect(headings).not.toContain("# x");
    for (const line of markdown.split("\n").filter((one) => one.startsWith("| ")))
      expect(line.replaceAll("\\|", "").endsWith("|")).toBe(true);
  });

  it("is shown as what it is", () => {
    expect(plainText("a\u202eb\nc")).toBe("a\\u{202e}b\\u{a}c");
    expect(htmlText(`<a b="c">'&`)).toBe("&lt;a b=&quot;c&quot;&gt;&#39;&amp;");
    expect(markdownText("a_b|c <i> 1.2.3.4")).toBe("a\\_b\\|c \\<i\\> 1.2.3.4");
    expect(plainText("x".repeat(1_000)).length).toBe(401);
  });
});

describe("the picture", () => {
  it("has a bar for each address and bucket, refusals apart, and numbered marks", () => {
    const { svg, legend, marks } = drawTimeline(radius.timeline, radius.from, radius.to);
    expect(svg.match(/<rect class="c0"/g)).toHaveLength(1);
    expect(svg.match(/<rect class="rest"/g)).toHaveLength(1);
    expect(svg.match(/<rect class="refused"/g)).toHaveLength(1);
    expect(svg.match(/<g class="mark /g)).toHaveLength(2);
    expect(legend.map(({ count }) => count)).toEqual([9, 5]);
    expect(marks.map(({ number }) => number)).toEqual([1, 2]);
    expect(svg).not.toMatch(/NaN|undefined|Infinity|<script|style=/);
  });

  it("is drawn where there is nothing to draw", () => {
    const { svg } = drawTimeline({ bucketMs: 3_600_000, buckets: [], marks: [] }, iso(0), iso(0));
    expect(svg).not.toMatch(/NaN|undefined|Infinity/);
  });
});

describe("remedies", async () => {
  const program = await makeProgram({ io: { out() {}, err() {}, env: {} } } as unknown as Cli);
  const closings = [
    null,
    { at: iso(31), by: "x", outcome: "reissued", reissued: "K00000000009", note: null },
    { at: iso(31), by: "x", outcome: "revoked", reissued: null, note: HOSTILE },
  ] as const;

  it.each(closings)("name commands and options that there are", (closed) => {
    const commands = remediesFor({ ...incident, closed }, radius).flatMap((remedy) => remedy.commands);
    expect(commands.length).toBeGreaterThan(3);
    for (const text of commands) {
      expect(text).not.toMatch(/evil|script|rm -rf/);
      const [name, ...words] = text.split(" ");
      expect(name).toBe("sallyport");
      let command = program;
      for (const word of words) command = command.commands.find((one) => one.name() === word) ?? command;
      const known = command.options.map((option) => option.long);
      expect(
        words.filter((word) => word.startsWith("--") && !known.includes(word)),
        text,
      ).toEqual([]);
    }
  });

  it("rotate the owner's other keys and name keys of others from the same addresses, once", () => {
    const commands = remediesFor(incident, radius).flatMap((remedy) => remedy.commands);
    expect(commands).toContain("sallyport keys rotate K00000000002 --deliver");
    expect(commands.filter((text) => text.includes("K00000000003"))).toHaveLength(1);
  });
});

it("spans and counts are written for people", () => {
  expect([0, 61_000, 3_600_000, 90_000_000].map(spanText)).toEqual(["less than a second", "1min 1s", "1h", "1d 1h"]);
  expect([1, 999, 1_000, 1_234_567].map(countText)).toEqual(["1", "999", "1 000", "1 234 567"]);
});
