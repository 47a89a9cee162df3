/** What is not written, as a pattern, and what is written in its place. */
export const WORDS = [
  { not: /\bbaits?\b|\bdecoys?\b/gi, but: "canary key" },
  { not: /\b(?:more )?doors?\b/gi, but: "access condition" },
  { not: /\bbesides\b/gi, but: 'say "in addition", or name what is meant' },
  { not: /\bthe watch\b/gi, but: "anomaly detection" },
  { not: /\bunlike (?:itself|themselves|a key)\b/gi, but: "deviates from its baseline" },
  { not: /\bledgers?\b/gi, but: "audit log (ledger only for its storage, in code)" },
  { not: /\bceilings?\b/gi, but: "key scope; permission boundary" },
  { not: /\blive (?:rights?|roles?)\b|\beffective rights?\b/gi, but: "current permissions; effective permissions" },
  { not: /\brefus(?:es|ed|al|als|e|ing)\b/gi, but: "denies, denial (a decision); rejects (a request)" },
  { not: /\bcuts?\b(?! (?:off|short)\b)/gi, but: "aborts, terminates" },
  { not: /\bdisuse\b|\bswept\b|\bsweeps?\b/gi, but: "inactivity, inactivity policy" },
  { not: /\btickets?\b/gi, but: "one-time delivery link" },
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
  { not: /\bnot (?:yet )?there\b|\bis there already\b/gi, but: "does not exist; already exists" },
];

/** Pages and folders that have been rewritten: the list only grows. */
export const REWRITTEN = ["README.md", "docs/guides", "examples", "packages/sallyport/src/cli"];

/** A line that needs one of the words: a flag, a code, a term that a standard has. */
export const ALLOWED = [{ file: "cli/directory/restore.ts", text: "ledger/ folder" }]; // the name of the folder
