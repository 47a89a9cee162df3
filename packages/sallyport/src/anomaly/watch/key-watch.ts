/**
 * Detects anomalies of all keys of a gateway: one row of numbers and a little evidence per key, a constant few
 * microseconds per event. Pure: it knows only the events it is given, time is that of the events, and its state can be
 * stored.
 */
import { alertKinds } from "../alert.ts";
import type { Alert, AlertFactor, AlertKind } from "../alert.ts";
import type { Observation } from "../observation.ts";
import { turnBreadths } from "./breadth.ts";
import { Budget } from "./budget.ts";
import type { KeptBudget } from "./budget.ts";
import { certainOf } from "./certain.ts";
import { Comparison } from "./comparison.ts";
import { combineFactors } from "./factors.ts";
import { learnFalseAlarm } from "./feedback.ts";
import { visitHour } from "./hours.ts";
import { kindOf } from "./kind-of.ts";
import { KnownFacts } from "./known-facts.ts";
import type { KeptFacts } from "./known-facts.ts";
import { knownNetworks } from "./known-networks.ts";
import { turnWindows } from "./meters.ts";
import { countDay } from "./novelty.ts";
import { Peers } from "./peers.ts";
import type { KeptPeers } from "./peers.ts";
import { ROW, ROW_WORDS, Rows } from "./row.ts";
import type { Row } from "./row.ts";
import { closeDay } from "./slow.ts";
import { tellFactors } from "./tell.ts";
import { evidenceOf, keepEvidence, newWatchedKey } from "./watched-key.ts";
import type { WatchedKey } from "./watched-key.ts";

const PEERS_MAX = 64;
const HOUR_S = 3_600;
const DAY_S = 86_400;
/** The same kind of the same key within this is the same alert. */
const AGAIN_S = 86_400;

export interface Look {
  /** -log10 of the combined p-value, and the bar it has to pass. */
  readonly score: number;
  readonly bar: number;
  readonly signals: number;
  readonly factors: readonly AlertFactor[];
}

export interface KeyWatchSettings {
  /** Alerts a key and 30 days that are promised not to be passed by likelihoods; facts are always told. */
  readonly budget?: number;
}

/** Changes with what a row means. */
const WATCH_VERSION = 2;

export type KeptKey = Omit<WatchedKey, "place" | "row" | "times"> & {
  readonly row: string;
  readonly times: readonly number[];
};

export interface KeptWatch {
  readonly version: number;
  readonly rowWords: number;
  readonly keys: readonly KeptKey[];
  readonly peers: readonly KeptPeers[];
  readonly names: readonly string[];
  readonly familiar: readonly (readonly [number, number])[];
  readonly facts: KeptFacts;
  readonly budget: KeptBudget;
  readonly symbols: readonly (readonly [string, number])[];
}

export class KeyWatch {
  readonly #rows = new Rows();
  /** By environment, then by key: no text is made to find one. */
  readonly #keys = new Map<string, Map<string, WatchedKey>>();
  #size = 0;
  readonly #peers: Peers[] = [new Peers("")];
  readonly #peersByName = new Map<string, number>([["", 0]]);
  readonly #comparison = new Comparison();
  readonly #facts = new KnownFacts();
  readonly #budget: Budget;
  readonly #alerts: Alert[] = [];
  #numbers = 1;

  constructor({ budget = 1 }: KeyWatchSettings = {}) {
    this.#budget = new Budget(budget);
  }

  /** Keys that are known. */
  get size(): number {
    return this.#size;
  }

  /** Takes one event in; what it makes unusual comes back at once. Events come in order of time, or nearly. */
  see(event: Observation): readonly Alert[] {
    this.#alerts.length = 0;
    if (event.kind === "exchange" || event.kind === "refused") this.#use(event);
    else this.#turn(event);
    return this.#alerts.length === 0 ? NONE : [...this.#alerts];
  }

  /** How unusual a key is at this time (epoch ms), with or without an alert; undefined for an unknown key. */
  look(environment: string, key: string, at: number): Look | undefined {
    const watched = this.#keys.get(environment)?.get(key);
    if (!watched) return undefined;
    const row = watched.row;
    const nowS = Math.floor(at / 1_000);
    const { score, signals } = combineFactors(row, nowS, this.#peersOf(row, null).calibration);
    return {
      score,
      signals,
      bar: this.#budget.bar(row, nowS),
      factors: tellFactors(row, this.#comparison.names, nowS),
    };
  }

  /** From where it is known (CIDR), at this time (epoch ms). */
  networks(environment: string, key: string, at: number): readonly string[] {
    const watched = this.#keys.get(environment)?.get(key);
    return watched ? knownNetworks(watched.row, this.#comparison.names, Math.floor(at / 1_000)) : [];
  }

  /** A person says that this was nothing; false where the key is not known. */
  falseAlarm(alert: Pick<Alert, "environment" | "key" | "kind" | "factors" | "at">): boolean {
    const watched = this.#keys.get(alert.environment)?.get(alert.key);
    if (!watched) return false;
    learnFalseAlarm(watched.row, alert, this.#comparison.names, Math.floor(alert.at / 1_000));
    return true;
  }

  /** A key that is gone for good makes room. */
  forget(environment: string, key: string): void {
    const watched = this.#keys.get(environment)?.get(key);
    if (!watched) return;
    this.#rows.give(watched.place);
    this.#keys.get(environment)?.delete(key);
    this.#size--;
  }

  /** Every key that is known, and when it was last seen, epoch ms. Keys may be forgotten on the way. */
  *seen(): Generator<{ readonly environment: string; readonly key: string; readonly at: number }> {
    for (const keys of this.#keys.values())
      for (const { environment, key, row } of keys.values())
        yield { environment, key, at: row.block.words[row.at + ROW.last]! * 1_000 };
  }

  /** What was learned of each key, as JSON may hold it. */
  *keepKeys(): Generator<KeptKey> {
    for (const keys of this.#keys.values())
      for (const { place, row: _row, times, ...rest } of keys.values())
        yield { ...rest, times: [...times], row: Buffer.from(this.#rows.bytesOf(place)).toString("base64") };
  }

  /** And of all of them. */
  keepRest(): Omit<KeptWatch, "keys"> {
    return {
      version: WATCH_VERSION,
      rowWords: ROW_WORDS,
      peers: this.#peers.map((peers) => peers.keep()),
      names: this.#comparison.names.keep(),
      familiar: this.#comparison.familiar.keep(),
      facts: this.#facts.keep(),
      budget: this.#budget.keep(),
      symbols: [...this.#comparison.symbols],
    };
  }

  /** False if another version of the program stored it: then everything is learned again. */
  restore(kept: KeptWatch, nowMs: number): boolean {
    if (kept.version !== WATCH_VERSION || kept.rowWords !== ROW_WORDS) return false;
    for (const { row, times, ...rest } of kept.keys) {
      const place = this.#rows.take();
      this.#rows.put(place, Buffer.from(row, "base64"));
      this.#put({
        ...rest,
        place,
        row: this.#rows.row(place),
        requests: [...rest.requests],
        times: [...times],
      });
      this.#numbers = Math.max(this.#numbers, rest.number + 1);
    }
    for (const [number, said] of kept.peers.entries()) {
      this.#peers[number] ??= new Peers(said.name);
      this.#peersByName.set(said.name, number);
      this.#peers[number].restore(said);
    }
    for (const name of kept.names) this.#comparison.names.hash(name);
    this.#comparison.familiar.restore(kept.familiar, Math.floor(nowMs / 1_000));
    this.#facts.restore(kept.facts);
    this.#budget.restore(kept.budget);
    for (const [endpoint, number] of kept.symbols) this.#comparison.symbols.set(endpoint, number);
    return true;
  }

  #use(event: Observation): void {
    const watched = this.#watched(event.environment, event.key, event.owner);
    const row = watched.row;
    const nowS = Math.floor(event.at / 1_000);
    const peers = this.#peersOf(row, event.peer);
    const gapS = this.#turnTime(watched, row, peers, nowS);
    keepEvidence(watched, event);
    const isChanged = this.#comparison.compare(watched, row, peers, event, nowS, gapS);
    for (const { kind, factor } of certainOf(row, event, this.#facts, this.#comparison.names, nowS, gapS)) {
      const factors = [factor, ...tellFactors(row, this.#comparison.names, nowS)];
      this.#raise(watched, row, kind, event.at, { p: null, signals: 1, factors });
    }
    this.#judge(watched, row, peers, event, nowS, isChanged);
  }

  /** Hours and days that are over; how long it was silent, s. */
  #turnTime(watched: WatchedKey, row: Row, peers: Peers, nowS: number): number {
    const { words, floats } = row.block;
    const at = row.at;
    const before = words[at + ROW.last]!;
    const gapS = before === 0 ? 0 : Math.max(0, nowS - before);
    if (before === 0) words[at + ROW.first] = nowS;
    words[at + ROW.last] = Math.max(before, nowS);
    const isCalm = nowS - words[at + ROW.alertAt]! > 2 * HOUR_S;
    turnWindows(row, nowS, peers, isCalm);
    const hour = Math.floor(nowS / HOUR_S);
    if (words[at + ROW.hour] !== hour) {
      if (words[at + ROW.hour] !== 0) {
        // An hour in which nothing could have been told passes no bar.
        const isOpen = nowS - words[at + ROW.alertAt]! > AGAIN_S;
        this.#budget.learn(isOpen ? floats[at + ROW.hourScore]! : 0, this.#size, nowS);
        // What was told as unusual is no measure of the usual.
        if (isOpen) peers.calibration.learn(row, words[at + ROW.hour]!);
      }
      floats[at + ROW.hourScore] = 0;
      turnBreadths(row, isCalm);
      if (isCalm && words[at + ROW.hour] !== 0) visitHour(row, words[at + ROW.hour]!);
      words[at + ROW.hour] = hour;
      floats[at + ROW.inHour] = 0;
      floats[at + ROW.repeats] = 0;
    }
    const day = Math.floor(nowS / DAY_S);
    if (words[at + ROW.day] !== day) {
      const passed = words[at + ROW.day] === 0 ? 0 : day - words[at + ROW.day]!;
      if (passed > 0) this.#closeDay(watched, row, nowS, day);
      words[at + ROW.day] = day;
      countDay(row, passed);
      floats[at + ROW.deniedMost] = Math.max(0.97 * floats[at + ROW.deniedMost]!, floats[at + ROW.deniedToday]!);
      floats[at + ROW.deniedToday] = 0;
      peers.countDay();
    }
    return gapS;
  }

  #closeDay(watched: WatchedKey, row: Row, nowS: number, today: number): void {
    const ramp = closeDay(row, row.block.words[row.at + ROW.day]!, today);
    const isTold = nowS - row.block.words[row.at + ROW.rampAt]! < RAMP_AGAIN_S;
    if (ramp && ramp.score > RAMP_SCORE && !isTold) {
      row.block.words[row.at + ROW.rampAt] = nowS;
      const factor: AlertFactor = {
        name: ramp.metric === 0 ? "requests a day" : "output tokens a day",
        observed: `${Math.exp(ramp.rise).toFixed(2)} x`,
        usual: ["1 x"],
        p: null,
      };
      this.#raise(watched, row, "ramp", nowS * 1_000, { p: 10 ** -ramp.score, signals: 1, factors: [factor] }, true);
    }
  }

  #judge(watched: WatchedKey, row: Row, peers: Peers, event: Observation, nowS: number, isChanged: boolean): void {
    if (!isChanged) return;
    const { floats, words } = row.block;
    const { score, signals } = combineFactors(row, nowS, peers.calibration);
    if (score <= floats[row.at + ROW.hourScore]!) return;
    floats[row.at + ROW.hourScore] = score;
    const kind = kindOf(row, nowS);
    // Much alone is mostly work: it has to be a good deal.
    if (score < this.#budget.bar(row, nowS) + (kind === "flood" ? VOLUME : 0)) return;
    const p = this.#budget.p(score);
    const isMore = score > floats[row.at + ROW.alertScore]! + MORE;
    this.#raise(
      watched,
      row,
      kind,
      event.at,
      { p, signals, factors: tellFactors(row, this.#comparison.names, nowS) },
      isMore,
    );
    if (words[row.at + ROW.alertAt] === nowS) floats[row.at + ROW.alertScore] = score;
  }

  /** A change of a key's state; administrators are watched by their admin key. */
  #turn(event: Observation): void {
    const { kind, actor, owner } = event;
    const taken = kind === "issued" ? this.#facts.takenAway(event) : undefined;
    this.#facts.learn(event);
    if (actor === null || event.address === null || kind === "left") return;
    const watched = this.#watched("system", actor.replace(/^\w+:/, ""), actor);
    const row = watched.row;
    const nowS = Math.floor(event.at / 1_000);
    this.#turnTime(watched, row, this.#peers[0]!, nowS);
    keepEvidence(watched, event);
    const network = this.#comparison.prefix(event.address);
    const isNew =
      this.#comparison.novelty(watched, row, this.#peers[0]!, "network", this.#comparison.names.hash(network), nowS) <
      1;
    if (isNew) {
      row.block.words[row.at + ROW.newNetwork] = this.#comparison.names.hash(network);
      row.block.words[row.at + ROW.newNetworkAt] = nowS;
    }
    const isRecentlyNew = nowS - row.block.words[row.at + ROW.newNetworkAt]! < HOUR_S;
    if (!taken || (taken.actor === actor && (!isRecentlyNew || taken.address === event.address))) return;
    const isHis = owner !== null && actor === `principal:${owner}`;
    if (!isHis && !isRecentlyNew) return;
    const factors: AlertFactor[] = [
      { name: "key made after a revocation", observed: event.key, usual: [], p: null },
      { name: "made by", observed: actor, usual: taken.actor === null ? [] : [taken.actor], p: null },
      { name: "network", observed: network, usual: [], p: null },
    ];
    this.#raise(watched, row, "mint_after_revoke", event.at, { p: null, signals: isHis ? 1 : 2, factors });
  }

  #raise(
    watched: WatchedKey,
    row: Row,
    kind: AlertKind,
    at: number,
    said: Pick<Alert, "p" | "signals" | "factors">,
    isMore = false,
  ): void {
    const { words } = row.block;
    const nowS = Math.floor(at / 1_000);
    const { isFact } = alertKinds[kind];
    const isAgain = nowS - words[row.at + ROW.alertAt]! < AGAIN_S;
    // A fact is reported in addition to a statistical alert, but not the other way round.
    const bit = 1 << ALERT_BITS.indexOf(kind);
    if (isAgain && !isMore && (!isFact || (words[row.at + ROW.alertKind]! & bit) !== 0)) return;
    words[row.at + ROW.alertKind] = (isAgain ? words[row.at + ROW.alertKind]! : 0) | bit;
    words[row.at + ROW.alertAt] = nowS;
    if (!isFact) this.#budget.spend(row, nowS);
    const { environment, key, owner } = watched;
    this.#alerts.push({
      id: `${environment}/${key}/${kind}/${at}`,
      at,
      environment,
      key,
      owner,
      kind,
      isDeterministic: isFact,
      ...said,
      evidence: evidenceOf(watched),
    });
  }

  #watched(environment: string, key: string, owner: string | null): WatchedKey {
    const known = this.#keys.get(environment)?.get(key);
    if (known) return known;
    const place = this.#rows.take();
    const row = this.#rows.row(place);
    const made = newWatchedKey({ environment, key, owner, place, row, number: this.#numbers++ });
    this.#put(made);
    return made;
  }

  #put(watched: WatchedKey): void {
    const { environment, key } = watched;
    const keys = this.#keys.get(environment) ?? new Map<string, WatchedKey>();
    this.#keys.set(environment, keys);
    keys.set(key, watched);
    this.#size++;
  }

  #peersOf({ block, at }: Row, name: string | null): Peers {
    const known = block.words[at + ROW.peer]!;
    if (known !== 0) return this.#peers[known - 1]!;
    let number = this.#peersByName.get(name ?? "");
    if (number === undefined && this.#peers.length < PEERS_MAX) {
      number = this.#peers.push(new Peers(name ?? "")) - 1;
      this.#peersByName.set(name ?? "", number);
    }
    block.words[at + ROW.peer] = (number ?? 0) + 1;
    return this.#peers[number ?? 0]!;
  }
}

const NONE: readonly Alert[] = [];
/** Deviations: some ten keys of a hundred pass it by their own growth within two months of simulated traffic, most ramps by far. */
const RAMP_SCORE = 1.2;
const RAMP_AGAIN_S = 21 * DAY_S;
const VOLUME = 0.1;
/** An alert that is so much less likely than the last one is reported again on the same day. */
const MORE = 0.8;
const ALERT_BITS = Object.keys(alertKinds) as readonly AlertKind[];
