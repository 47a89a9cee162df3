/** What is not written, as a pattern, and what is written in its place. */
export const WORDS = [
  { not: /\bbaits?\b|\bdecoys?\b/gi, but: "canary key" },
  { not: /\b(?:more )?doors?\b/gi, but: "access condition" },
  { not: /\bbesides\b/gi, but: 'say "in addition", or name what is meant' },
  { not: /\bthe watch\b/gi, but: "anomaly detection" },
  { not: /\bunlike (?:itself|themselves|a key)\b/gi, but: "deviates from its baseline" },
  {
    not: /\bledgers?\b/gi,
    but: "audit log",
    // The name of its storage, in code.
    allowedIn: ["packages/sallyport/src/store/", "packages/sallyport/src/audit/", "packages/ledger/"],
  },
  { not: /\bceilings?\b/gi, but: "key scope; permission boundary" },
  { not: /\blive (?:rights?|roles?)\b|\beffective rights?\b/gi, but: "current permissions; effective permissions" },
  { not: /\brefus(?:es|ed|al|als|e|ing)\b/gi, but: "denies, denial (a decision); rejects (a request)" },
  { not: /(?<!power )\bcuts?\b(?! (?:off|short)\b)/gi, but: "aborts, terminates" },
  { not: /\bdisuse\b|\bswept\b|\bsweeps?\b/gi, but: "inactivity, inactivity policy" },
  {
    not: /\btickets?\b/gi,
    but: "one-time delivery link",
    // Of a line that waits for its commit.
    allowedIn: ["packages/sallyport/src/store/writer/", "packages/sallyport/src/audit/"],
  },
  { not: /\bseal(?:s|ed|ing)?\b|\bunseal(?:ed)?\b/gi, but: "encrypts, encrypted" },
  { not: /\bpath secrets?\b/gi, but: "URL token" },
  { not: /\bpractice server\b/gi, but: "demo model server" },
  {
    not: /\bbeside the (?:running )?server\b|\bbeside a running\b/gi,
    but: "on the gateway host; whether or not the server is running",
  },
  { not: /\bleft out\b|\bunless set\b/gi, but: "the default is …" },
  { not: /\bwhat is wrong\b/gi, but: "findings" },
  { not: /\banew\b/gi, but: "again" },
  { not: /\bof (?:its|their|his) own\b/gi, but: 'say "separate"' },
  { not: /\blets? go of\b/gi, but: "deletes, releases" },
  { not: /\bmends?\b/gi, but: "fixes" },
  { not: /\bas good as\b/gi, but: "say what it is" },
  { not: /\bis none\b|\bare none\b/gi, but: "say what is missing" },
  { not: /\bnobody\b|\bsomebody\b|\bwhoever\b/gi, but: "name the agent: the gateway, a user, anyone who" },
  { not: /\b(?:he|him|his)\b/g, but: "they, the user, the owner" },
  { not: /\banswers (?:with|whether|what|how)\b/gi, but: "returns, responds" },
  { not: /\bis told\b|\bare told\b|\btells\b/gi, but: "notifies, reports, prints" },
  { not: /\b(?:is|are|was|were) not (?:yet )?there\b|\bis there already\b/gi, but: "does not exist; already exists" },
];

/** Pages and folders that have been rewritten: the list only grows. */
export const REWRITTEN = [
  "README.md",
  "docs/guides",
  "examples",
  "packages/sallyport/src/cli",
  "packages/sallyport/src/anomaly",
  "packages/sallyport/src/compose",
  "packages/sallyport/src/config",
  "packages/sallyport/src/incident",
  "packages/sallyport/src/factors",
  "packages/sallyport/src/tokens",
  "packages/sallyport/src/outlets",
  "packages/sallyport/src/watch-lab",
  "packages/sallyport/src/changes",
  "packages/sallyport/src/practice",
  "packages/sallyport/src/store",
  "packages/sallyport/src/dataplane",
  "packages/sallyport/src/admin",
  "packages/sallyport/src/identity",
  "packages/sallyport/src/kernel",
  "packages/sallyport/src/listener",
  "packages/sallyport/src/keys",
  "packages/sallyport/src/access",
  "packages/sallyport/src/limits",
  "packages/contract/src",
  "packages/ledger/src",
  "packages/client/src",
  "packages/protocol/src",
];

/** A line that needs one of the words: a flag, a code, a term that a standard has. */
export const ALLOWED = [
  // A folder, a setting, and classes of a style sheet.
  { file: "cli/terminal/examples.ts", text: "sallyport keys sweep" },
  { file: "cli/directory/restore.ts", text: "ledger/ folder" },
  { file: "compose/gateway.ts", text: "ledger.reserveBytes" },
  { file: "dataplane/ways.ts", text: "constant metadata ticket" },
  { file: "dataplane/server.ts", text: " Refused\r\n" },
  { file: "state/migrations/3-factors.ts", text: "factors besides the credential" },
  { file: "store/state/reader.ts", text: "sealed" },
  { file: "store/state/sealed-rows.ts", text: "sealed" },
  // Inputs of a key derivation.
  { file: "protocol/src/ticket.ts", text: "sallyport ticket" },
  { file: "store/secrets/envelope.ts", text: "sallyport sealed 1" },
  { file: "incident/report-html.ts", text: ".refused" },
  { file: "incident/timeline-svg.ts", text: 'class="refused"' },
];
