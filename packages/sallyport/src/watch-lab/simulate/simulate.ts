/**
 * The labelled traffic: 200 keys, 60 days, twelve kinds of misuse. The same seed gives the same lines, on every machine.
 * Days are made one after another, so that memory does not grow with the months.
 */
import { observationLine } from "../../anomaly/observation.ts";
import type { AttackKind } from "./attacks.ts";
import { populate } from "./population.ts";
import type { Event } from "./subject.ts";
import { DAYS, DAY_MS, FIRST_DAY_MS } from "./world.ts";

/** Changes with whatever changes the bytes of a seed. */
export const SIMULATION_VERSION = 1;

export interface Label {
  /** The key whose alert counts: for a mint, the minting administrator's. */
  readonly key: string;
  readonly kind: AttackKind;
  /** Epoch ms of its first and last event. */
  readonly from: number;
  readonly until: number;
  /** 0 = hardly visible, 1 = blunt. */
  readonly strength: number;
}

export interface SimulationManifest {
  readonly version: number;
  readonly seed: number;
  readonly keys: number;
  readonly days: number;
  readonly events: number;
}

export interface Simulated {
  readonly labels: readonly Label[];
  readonly manifest: SimulationManifest;
}

/** Gives `write` some lines at a time, in order of time. What was labelled is known at the end. Fewer `days` are the first ones. */
export function simulate(seed: number, write: (lines: readonly string[]) => void, days = DAYS): Simulated {
  const lives = populate(seed);
  const windows = new Map<object, { -readonly [Name in keyof Label]: Label[Name] }>();
  let later: Event[] = [];
  let count = 0;
  for (let day = 0; day <= days; day++) {
    const events = later;
    // Days begin earlier further east: a day is written when the next one is generated.
    const end = day === days ? Infinity : FIRST_DAY_MS + day * DAY_MS;
    for (const { subject, days: daysOf, attacks } of lives) {
      if (day === days) break;
      const usual = daysOf(day);
      for (const event of usual) events.push(event);
      for (const attack of attacks) {
        if (day < attack.fromDay || day > attack.lastDay) continue;
        const { kind, strength } = attack;
        for (const event of attack.events(day, usual)) {
          events.push(event);
          const actor = kind === "mint_after_revoke" ? event.actor?.replace(/^\w+:/, "") : subject.key;
          // The revocation before a mint belongs to another administrator, and is no misuse.
          if (event.kind === "revoked") continue;
          const window = windows.get(attack) ?? {
            key: actor ?? subject.key,
            kind,
            from: event.at,
            until: event.at,
            strength,
          };
          windows.set(attack, window);
          window.from = Math.min(window.from, event.at);
          window.until = Math.max(window.until, event.at);
        }
      }
    }
    later = events.filter(({ at }) => at >= end);
    const now = events.filter(({ at }) => at < end).toSorted((a, b) => a.at - b.at);
    write(now.map((event) => observationLine({ ...event, request: `req_${(count++).toString(36).padStart(6, "0")}` })));
  }
  const labels = [...windows.values()].toSorted((a, b) => a.from - b.from);
  return { labels, manifest: { version: SIMULATION_VERSION, seed, keys: lives.length, days, events: count } };
}
