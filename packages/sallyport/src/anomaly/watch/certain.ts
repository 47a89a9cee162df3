/** What needs no likelihood: facts that a key's events make known. */
import type { AlertFactor, AlertKind } from "../alert.ts";
import type { Observation } from "../observation.ts";
import { countOf } from "./breadth.ts";
import { returnsOf } from "./company.ts";
import { mix } from "./hash.ts";
import type { KnownFacts } from "./known-facts.ts";
import type { Names } from "./names.ts";
import { noveltyRate } from "./novelty.ts";
import type { Row } from "./row.ts";
import { RECENT, ROW } from "./row.ts";

const DAY_S = 86_400;
const HOUR_S = 3_600;
const DORMANT_S = 28 * DAY_S;
const REPLAYS = 3;
const REPLAYS_WITHIN_S = 600;
/** Different kinds of denied requests within a quarter of an hour. */
const PROBES = 4;
const PROBED: ReadonlySet<string> = new Set(["permission_denied", "model_denied", "cloud_denied", "registry_denied"]);
/** Networks within the hour. */
const SPREAD = 8;
const RETURNS = 4;

export interface Certain {
  readonly kind: AlertKind;
  readonly factor: AlertFactor;
}

/** What was found of the last event; emptied by the next. Mostly nothing, so nothing is made. */
const found: Certain[] = [];

function say(kind: AlertKind, name: string, observed: string | number, usual: AlertFactor["usual"]): void {
  found.push({ kind, factor: { name, observed, usual, p: null } });
}

/** After the event was compared. `gapS`: how long the key was silent before it. */
export function certainOf(
  row: Row,
  event: Observation,
  facts: KnownFacts,
  names: Names,
  nowS: number,
  gapS: number,
): readonly Certain[] {
  found.length = 0;
  const { words, floats } = row.block;
  const { at } = row;
  const isNewNetwork = words[at + ROW.newNetworkAt] === nowS;
  if (gapS > DORMANT_S)
    say("dormant_revival", "days of rest", Math.floor(gapS / DAY_S), [`up to ${DORMANT_S / DAY_S}`]);
  if (event.isDecoy) say("decoy_used", "use of a canary key", event.address ?? "unknown", []);
  if (facts.hasEnded(event) && (event.outcome === "served" || isNewNetwork))
    say("leaver", "use after the end", event.code ?? "served", []);
  if (event.code === "signature_replayed") replays(row, nowS);
  if (event.kind === "refused" && event.code !== null && PROBED.has(event.code)) probes(row, event, names, nowS);
  if (words[at + ROW.returnsAt] === nowS) inTurns(row, nowS);
  if (isNewNetwork && floats[at + ROW.breadths] !== 0) {
    const networks = countOf(row, 0);
    const most = Math.expm1(floats[at + ROW.breadths + 1]! + 3 * Math.sqrt(floats[at + ROW.breadths + 2]!));
    if (networks >= Math.max(SPREAD, 2 * most))
      say("credential_spread", "networks within the hour", networks, [Math.max(1, Math.round(most))]);
  }
  return found;
}

function replays({ block, at }: Row, nowS: number): void {
  const { words, floats } = block;
  const count = nowS - words[at + ROW.replayedAt]! < REPLAYS_WITHIN_S ? floats[at + ROW.replayed]! + 1 : 1;
  floats[at + ROW.replayed] = count;
  words[at + ROW.replayedAt] = nowS;
  if (count >= REPLAYS) say("replay", "signatures used again", count, [0]);
}

function probes(row: Row, { code, endpoint, model }: Observation, names: Names, nowS: number): void {
  const { floats } = row.block;
  const { at } = row;
  const what = mix(names.hash(code ?? "") ^ mix(names.hash(endpoint ?? "")) ^ names.hash(model ?? "")) || 1;
  const different = deny(row, what, nowS);
  const usually = floats[at + ROW.deniedMost]!;
  floats[at + ROW.deniedToday] = Math.max(floats[at + ROW.deniedToday]!, different);
  // A key that was hardly ever denied needs fewer.
  const least = usually <= 1 && floats[at + ROW.days]! >= 7 ? PROBES - 1 : PROBES;
  if (different >= Math.max(least, 1.5 * usually + 1))
    say("scope_probing", "different kinds of denied requests", different, [Math.round(usually)]);
}

/** To and fro between networks by a key that never did, one of them new: it is in two places. */
function inTurns(row: Row, nowS: number): void {
  const { words, floats } = row.block;
  const { at } = row;
  if (returnsOf(row) < RETURNS || floats[at + ROW.returnDays]! >= 1.5) return;
  if (nowS - words[at + ROW.newNetworkAt]! >= HOUR_S || floats[at + ROW.days]! <= 7) return;
  if (noveltyRate(row, "network", 0) < 0.15) say("two_places", "networks in turns", returnsOf(row), [0]);
}

const WITHIN_S = 900;

/** Adds a denied kind of request and returns how many different ones there were recently. */
function deny({ block, at }: Row, what: number, nowS: number): number {
  const { words } = block;
  let count = 1;
  let place = -1;
  for (let slot = at + ROW.denied; slot < at + ROW.denied + 2 * RECENT; slot += 2) {
    if (words[slot] === what) place = slot;
    else if (words[slot] !== 0 && nowS - words[slot + 1]! < WITHIN_S) count++;
  }
  if (place < 0) {
    const next = words[at + ROW.deniedNext]! % RECENT;
    words[at + ROW.deniedNext] = next + 1;
    place = at + ROW.denied + 2 * next;
  }
  words[place] = what;
  words[place + 1] = nowS;
  return count;
}
