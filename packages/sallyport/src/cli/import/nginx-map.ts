/** Tokens in an nginx `map`, such as `map $http_authorization $app { "Bearer abc" app1; }`: one key for each token. */
import { readNginx } from "./nginx-text.ts";
import type { NginxStatement } from "./nginx-text.ts";
import { shorten, SourceFindings } from "./source-read.ts";
import type { SourceRead } from "./source-read.ts";

/** What a client sends with its request; a credential's name says that it is one. */
const SENT = /^\$(?:http|arg|cookie)_/;
const CREDENTIAL = /auth|key|token/;
/** What nginx takes as false. */
const FALSE = new Set(["", "0"]);

export function readNginxMap(text: string): SourceRead {
  const findings = new SourceFindings();
  const { statements, mistake } = readNginx(text);
  if (mistake) {
    findings.reject(
      mistake.line,
      `${mistake.message}; write the map into a file by itself if this is not nginx syntax`,
    );
    return findings.result();
  }
  const maps = mapsIn(statements);
  for (const map of maps) {
    const variable = map.words[1]?.text ?? "";
    if (map.words.length !== 3 || map.block === undefined)
      findings.reject(map.line, "expected `map $source $name { … }`");
    else if (!SENT.test(variable) || !CREDENTIAL.test(variable))
      findings.leaveOut(map.line, `map ${shorten(variable)}`, "this map does not look up a credential");
    else for (const entry of map.block) readEntry(entry, findings);
  }
  if (maps.length === 0) findings.reject(1, "the file has no `map`");
  return findings.result();
}

function mapsIn(statements: readonly NginxStatement[]): readonly NginxStatement[] {
  return statements.flatMap((one) => (one.words[0]?.text === "map" ? [one] : mapsIn(one.block ?? [])));
}

function readEntry({ line, words, block }: NginxStatement, findings: SourceFindings): void {
  const [token, value] = words.map((word) => word.text);
  if (block !== undefined) return findings.reject(line, "a map has no blocks inside");
  if (words.length === 1 && (token === "volatile" || token === "hostnames"))
    return findings.leaveOut(line, token, "this option of the map has no counterpart");
  if (token === undefined || value === undefined || words.length !== 2)
    return findings.reject(line, "expected a token, a value and `;`");
  if (token === "include")
    return findings.leaveOut(line, "include", "included files are not read: import that file separately");
  if (FALSE.has(value)) return findings.leaveOut(line, shownEntry(token), "this entry denies access");
  if (token === "default")
    return findings.leaveOut(line, "default", "it admits clients without a listed token; Sallyport requires a key");
  if (token === "") return findings.leaveOut(line, "empty token", "Sallyport requires a key from every client");
  if (token.startsWith("~"))
    return findings.leaveOut(line, "pattern", "a pattern is not one token: create its keys by name");
  if (value.includes("$")) return findings.leaveOut(line, "token", "its value is a variable, which is not a name");
  findings.addKey(line, freeName(value, findings));
}

/** Tokens often share a value such as `1`: the second becomes `nginx-1-2`, in the order of the file. */
function freeName(value: string, findings: SourceFindings): string {
  const base = /\p{L}/u.test(value) ? value : `nginx-${value}`;
  let name = base;
  for (let count = 2; findings.hasName(name); count++) name = `${base}-${count}`;
  return name;
}

/** A token is a secret; these words are not. */
function shownEntry(token: string): string {
  return token === "default" ? "default" : "token";
}
