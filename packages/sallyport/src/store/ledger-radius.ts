/**
 * The blast radius of a key, by two walks over the ledger: what the key did, then who else used the addresses it was used
 * from. Memory is bounded; a line is parsed only when its beginning says that it may tell something. What is damaged is
 * for `verify` to find.
 */
import { setImmediate as turn } from "node:timers/promises";
import { parseKept, readKept } from "@sallyport/protocol";
import type { LedgerRadius, RadiusQuestion } from "../incident/blast-radius.ts";
import type { LedgerWalk } from "./ledger-walk.ts";
import { KeyRadius } from "./radius/key-radius.ts";

/** Others ask the same thread. */
const LINES_PER_TURN = 1_000;
const HEAD =
  /^\{"seq":\d+,"prev":"[0-9a-f]{64}","type":"([a-z_.]+)","at":(-?\d+),"environment":"([a-z0-9]+)","actor":"([^"]*)"/;
/** Told of by no key and no owner, and yet they change what a key may do. */
const POLICY = new Set(["role.changed", "environment.changed", "policy.applied"]);
const ADDRESS = /"address":\["[0-9A-Za-z]+","([ !#-[\]-~]*)"\]/;
/** Ends of requests name no address; refusals of strangers are no use of a key. */
const BOTTOMLESS = -Infinity;

export async function measureRadius(walk: LedgerWalk, question: RadiusQuestion): Promise<LedgerRadius> {
  const { key, owner, siblings, environments } = question;
  const radius = new KeyRadius(question);
  const actor = `key:${key}`;
  const ownActors = new Set([actor, `principal:${owner}`, ...siblings]);
  const isShown = (environment: string): boolean => environments === "*" || environments.includes(environment);
  const knownFrom = firstTime(walk);
  let records = 0;

  for await (const { line, type, environment, by } of linesOf(walk, question.createdAt)) {
    records++;
    if (!isShown(environment)) continue;
    const isUse = type.startsWith("request.") || type.startsWith("model.");
    if (isUse ? by !== actor : !mayTell(line, type, by)) continue;
    const record = readKept(line);
    if (record) radius.take(record);
  }
  for await (const { line, at, environment, by } of linesOf(walk, question.since)) {
    if (at < question.since || at > question.until || !isShown(environment)) continue;
    if (by === actor && environment === question.environment) continue;
    const address = ADDRESS.exec(parseKept(line).beside)?.[1];
    if (address !== undefined && radius.addresses.has(address)) radius.addresses.share(address, environment, by, at);
  }
  return radius.result({ knownFrom, records });

  function mayTell(line: string, type: string, by: string): boolean {
    return ownActors.has(by) || POLICY.has(type) || line.includes(key) || (owner !== null && line.includes(owner));
  }
}

interface Line {
  readonly line: string;
  readonly type: string;
  readonly at: number;
  readonly environment: string;
  readonly by: string;
}

async function* linesOf(walk: LedgerWalk, since: number): AsyncGenerator<Line> {
  let lines = 0;
  for (const line of walk.oldestFirst({ after: 0, since, until: Infinity })) {
    if (++lines % LINES_PER_TURN === 0) await turn();
    const [, type = "", at, environment = "", by = ""] = HEAD.exec(line) ?? [];
    if (at !== undefined) yield { line, type, at: Number(at), environment, by };
  }
}

function firstTime(walk: LedgerWalk): string | null {
  for (const line of walk.oldestFirst({ after: 0, since: BOTTOMLESS, until: Infinity })) {
    const at = HEAD.exec(line)?.[2];
    if (at !== undefined) return new Date(Number(at)).toISOString();
  }
  return null;
}
