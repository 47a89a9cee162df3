/**
 * The blast radius of a key, by two walks over the ledger: what the key did, then who else used the addresses it was used
 * from. Memory is bounded; a line is looked at by its beginning, and parsed only where that says that it may tell
 * something. What is damaged is for `verify` to find.
 */
import { setImmediate as turn } from "node:timers/promises";
import { readKept } from "@sallyport/ledger";
import type { LedgerRadius, RadiusQuestion } from "../../incident/blast-radius.ts";
import type { LedgerWalk } from "./ledger-walk.ts";
import { KeyRadius } from "./radius/key-radius.ts";

type Walk = Pick<LedgerWalk, "oldestFirst">;

/** Others ask the same thread. */
const LINES_PER_TURN = 2_000;
const HEAD =
  /^\{"seq":\d+,"prev":"[0-9a-f]{64}","type":"([a-z_.]+)","at":(-?\d+),"environment":"([a-z0-9]+)","actor":"([^"]*)"/;
/** Where the type and the actor stand; a quote inside a text is escaped, so the first of each is the record's own. */
const TYPE = '"type":"';
const ACTOR = '"actor":"';
/** Told of by no key and no owner, and yet they change what a key may do. */
const POLICY = /^(?:role\.changed|environment\.changed|policy\.applied)"/;
/** Of what stands beside a record. */
const ADDRESS = /"address":\["[0-9A-Za-z]+","([ !#-[\]-~]*)"\]/;

export async function measureRadius(walk: Walk, question: RadiusQuestion): Promise<LedgerRadius> {
  const { environments, since, until } = question;
  const radius = new KeyRadius(question);
  const isShown = (environment: string): boolean => environments === "*" || environments.includes(environment);
  const knownFrom = firstTime(walk);
  const mayTell = makeMayTell(question);
  let records = 0;

  await eachLine(walk, question.createdAt, (line) => {
    records++;
    if (!mayTell(line)) return;
    const record = readKept(line);
    if (record && isShown(record.environment)) radius.take(record);
  });

  const own = `key:${question.key}`;
  await eachLine(walk, since, (line) => {
    const tab = line.indexOf("\t");
    const address = tab < 0 ? undefined : ADDRESS.exec(line.slice(tab))?.[1];
    if (address === undefined || !radius.addresses.has(address)) return;
    const [, , time, environment = "", by = ""] = HEAD.exec(line) ?? [];
    const at = Number(time ?? Number.NaN);
    if (!(at >= since && at <= until) || !isShown(environment)) return;
    if (by !== own || environment !== question.environment) radius.addresses.share(address, environment, by, at);
  });
  return radius.result({ knownFrom, records });
}

/** A request belongs to the key or says nothing; everything else may name the key or its owner anywhere. */
function makeMayTell({ key, owner, siblings }: RadiusQuestion): (line: string) => boolean {
  const own = `key:${key}"`;
  const ownActors = new Set([`principal:${owner}`, ...siblings]);
  return function mayTell(line) {
    const type = line.indexOf(TYPE) + TYPE.length;
    const actor = line.indexOf(ACTOR, type) + ACTOR.length;
    if (line.startsWith("request.", type) || line.startsWith("model.", type)) return line.startsWith(own, actor);
    if (ownActors.has(line.slice(actor, line.indexOf('"', actor)))) return true;
    return line.includes(key) || (owner !== null && line.includes(owner)) || POLICY.test(line.slice(type, type + 40));
  };
}

async function eachLine(walk: Walk, since: number, visit: (line: string) => void): Promise<void> {
  let lines = 0;
  for (const line of walk.oldestFirst({ after: 0, since, until: Infinity })) {
    visit(line);
    if (++lines % LINES_PER_TURN === 0) await turn();
  }
}

function firstTime(walk: Walk): string | null {
  for (const line of walk.oldestFirst({ after: 0, since: -Infinity, until: Infinity })) {
    const at = HEAD.exec(line)?.[2];
    if (at !== undefined) return new Date(Number(at)).toISOString();
  }
  return null;
}
