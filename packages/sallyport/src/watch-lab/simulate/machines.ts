/** Keys that machines use: timers, runners of tests, nightly work. Noisy as real ones are: outages, moves, upgrades, steps, month-ends. */
import { HOUR_MS } from "../../anomaly/series/season.ts";
import type { Draw } from "./draw.ts";
import type { Event, SimulatedSubject } from "./subject.ts";
import { DAY_MS, FIRST_DAY_MS, MINUTE_MS, isWorkday, newVersion, pickModel, pickNetwork } from "./world.ts";

/** What a day of one key brings; the first is day 0. */
export type Days = (day: number) => Event[];

const RETRIES_MAX = 40;

/** How much more or less a key is used than at first: a wandering level, now and then a step. */
export function makeLevel(draw: Draw): () => number {
  const driftADay = draw.between(-0.004, 0.005);
  let wander = 0;
  let step = 0;
  return () => {
    wander = 0.8 * wander + 0.12 * draw.normal();
    step += driftADay + (draw.chance(0.0025) ? draw.between(-0.5, 0.6) : 0);
    return Math.exp(wander + step);
  };
}

/** Upgrades of program and model, and moves of the machine: what is new and means nothing. */
function maintain(subject: SimulatedSubject): void {
  const { draw } = subject;
  if (draw.chance(0.012)) subject.client = newVersion(draw, subject.client);
  if (draw.chance(0.007)) subject.model = pickModel(draw, subject.endpoint.includes("embed"));
  if (draw.chance(0.006)) subject.move(pickNetwork(draw, "cloud"));
}

export function cronDays(subject: SimulatedSubject): Days {
  const { draw } = subject;
  const everyMinutes = draw.pick([5, 10, 15, 15, 20, 30, 30, 60, 60]);
  const perRun = draw.chance(0.2) ? draw.whole(2, 4) : 1;
  subject.pace = perRun * Math.max(0.2, 1 / everyMinutes);
  const isAsking = draw.chance(0.3);
  const isByDay = draw.chance(0.25);
  const level = makeLevel(draw);
  return (day) => {
    maintain(subject);
    const start = FIRST_DAY_MS + day * DAY_MS;
    const events: Event[] = [];
    const factor = level();
    const outage = draw.chance(0.03) ? start + draw.between(0, 20) * HOUR_MS : Infinity;
    const outageEnd = outage + draw.between(0.1, 2.5) * HOUR_MS;
    for (let minute = draw.between(0, 1); minute < 1440; minute += everyMinutes) {
      const at = start + minute * MINUTE_MS + draw.exponential(4_000);
      const hour = (minute / 60 + subject.zoneHours + 24) % 24;
      if (isByDay && (hour < 7 || hour > 20)) continue;
      if (draw.chance(0.004)) continue;
      if (isAsking && draw.chance(0.05)) events.push(subject.read(at, "ollama.tags"));
      const runs = Math.max(1, draw.poisson(perRun * Math.min(3, factor)));
      for (let n = 0; n < (perRun === 1 ? 1 : runs); n++) events.push(subject.exchange(at + n * 2_500));
      // A program without patience, while the model server is away.
      if (at > outage && at < outageEnd)
        for (let n = draw.whole(1, RETRIES_MAX); n > 0; n--)
          events.push(
            subject.exchange(at + n * draw.between(900, 4_000), {
              outcome: "unreachable",
              outputTokens: 0,
              answerBytes: 0,
            }),
          );
    }
    return events;
  };
}

export function ciDays(subject: SimulatedSubject): Days {
  const { draw } = subject;
  const bursts = draw.between(4, 18);
  const perBurst = draw.between(4, 20);
  const level = makeLevel(draw);
  subject.pace = 20;
  return (day) => {
    if (draw.chance(0.015)) subject.client = newVersion(draw, subject.client);
    if (draw.chance(0.01)) subject.model = pickModel(draw, false);
    const start = FIRST_DAY_MS + day * DAY_MS;
    const events: Event[] = [];
    const isRelease = draw.chance(0.04);
    const count = draw.poisson(bursts * level() * (isWorkday(day) ? 1 : 0.12) * (isRelease ? 2.5 : 1));
    for (let burst = 0; burst < count; burst++) {
      // Runners are new machines each time.
      subject.move(pickNetwork(draw, "cloud"));
      const hour = (isRelease ? draw.between(8, 23) : 13.5 + 3.2 * draw.normal()) - subject.zoneHours;
      let at = start + ((hour + 24) % 24) * HOUR_MS;
      if (draw.chance(0.15)) events.push(subject.read(at, "openai.models"));
      for (let n = draw.poisson(perBurst * draw.logNormal(1, 0.5)); n >= 0; n--) {
        at += draw.exponential(2_500);
        events.push(draw.chance(0.01) ? subject.refused(at, "concurrency_exceeded") : subject.exchange(at));
      }
    }
    return events;
  };
}

export function batchDays(subject: SimulatedSubject): Days {
  const { draw } = subject;
  const hour = draw.between(0, 6);
  const size = draw.between(30, 180);
  const level = makeLevel(draw);
  const isWeekly = draw.chance(0.15);
  const paceMs = draw.between(800, 9_000);
  subject.pace = MINUTE_MS / paceMs;
  return (day) => {
    maintain(subject);
    if (isWeekly && day % 7 !== 2) return [];
    const start = FIRST_DAY_MS + day * DAY_MS;
    const events: Event[] = [];
    const isMonthEnd = day % 30 === 26;
    const isByHand = draw.chance(0.012);
    let at = start + (isByHand ? draw.between(8, 18) : hour) * HOUR_MS + draw.exponential(12 * MINUTE_MS);
    if (draw.chance(0.03)) return [];
    const count = draw.poisson(size * level() * draw.logNormal(1, 0.35) * (isMonthEnd ? draw.between(1.5, 4) : 1));
    for (let n = 0; n < count; n++) {
      at += draw.exponential(paceMs);
      events.push(draw.chance(0.005) ? subject.refused(at, "queue_timeout") : subject.exchange(at));
    }
    return events;
  };
}
