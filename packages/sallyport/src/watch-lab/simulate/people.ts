/** Keys that people use: office hours, weekends, leave, journeys, new laptops, curiosity, late nights. */
import { HOUR_MS } from "../../anomaly/series/season.ts";
import type { Draw } from "./draw.ts";
import { makeLevel } from "./machines.ts";
import type { Days } from "./machines.ts";
import type { Event, SimulatedSubject } from "./subject.ts";
import {
  DAYS,
  DAY_MS,
  FIRST_DAY_MS,
  MINUTE_MS,
  MODELS,
  isWorkday,
  newVersion,
  pickClient,
  pickModel,
  pickNetwork,
} from "./world.ts";

/** Days of absence: most people take some, a few take weeks. */
function absences(draw: Draw): ReadonlySet<number> {
  const away = new Set<number>();
  for (let n = draw.poisson(0.8); n > 0; n--) {
    const from = draw.whole(3, DAYS - 3);
    const length = draw.chance(0.12) ? draw.whole(15, 24) : draw.whole(1, 9);
    for (let day = from; day < from + length; day++) away.add(day);
  }
  return away;
}

interface Ways {
  readonly office: string;
  readonly home: string;
  readonly homeShare: number;
  readonly phone: string | null;
}

/** The network of this session; journeys and hot spots are new each time. */
function whereabouts(draw: Draw, ways: Ways): (day: number) => string {
  let journeyUntil = -1;
  let hotel = ways.home;
  return (day) => {
    if (day > journeyUntil && draw.chance(0.012)) {
      journeyUntil = day + draw.whole(1, 5);
      hotel = pickNetwork(draw, "anywhere");
    }
    if (day <= journeyUntil) return hotel;
    if (draw.chance(0.01)) return pickNetwork(draw, "access");
    return draw.chance(ways.homeShare) || !isWorkday(day) ? ways.home : ways.office;
  };
}

export function chatDays(subject: SimulatedSubject, office: string): Days {
  const { draw } = subject;
  const ways: Ways = {
    office,
    home: pickNetwork(draw, "access"),
    homeShare: draw.pick([0, 0.1, 0.4, 0.6, 1]),
    phone: draw.chance(0.15) ? pickClient(draw) : null,
  };
  const where = whereabouts(draw, ways);
  const away = absences(draw);
  const level = makeLevel(draw);
  const sessionsADay = draw.between(1, 5);
  const perSession = draw.between(3, 14);
  const weekendShare = draw.pick([0, 0, 0.05, 0.3]);
  const owlShare = draw.pick([0, 0.01, 0.02, 0.08]);
  const middle = draw.between(11.5, 15);
  return (day) => {
    if (draw.chance(0.012)) subject.client = draw.chance(0.5) ? pickClient(draw) : newVersion(draw, subject.client);
    if (draw.chance(0.012)) subject.model = pickModel(draw, false);
    const works = !away.has(day) && (isWorkday(day) ? draw.chance(0.95) : draw.chance(weekendShare));
    if (!works) return [];
    const start = FIRST_DAY_MS + day * DAY_MS - subject.zoneHours * HOUR_MS;
    const events: Event[] = [];
    for (let n = draw.poisson(sessionsADay * Math.min(2.5, level())) + (draw.chance(owlShare) ? 1 : 0); n > 0; n--) {
      const isNight = draw.chance(owlShare);
      const hour = isNight ? draw.between(21, 26.5) : Math.min(21.5, Math.max(6.5, middle + 2.6 * draw.normal()));
      const network = isNight ? ways.home : where(day);
      if (network !== subject.network) subject.move(network);
      session(subject, start + hour * HOUR_MS, draw.poisson(perSession) + 1, events);
      // The telephone in the pocket asks meanwhile, through its own network.
      if (ways.phone !== null && draw.chance(0.12)) {
        const { client, address, network: before } = subject;
        subject.move(pickNetwork(draw, "access"));
        subject.client = ways.phone;
        session(subject, start + hour * HOUR_MS + draw.between(0, 30) * MINUTE_MS, draw.whole(1, 4), events);
        subject.client = client;
        subject.network = before;
        subject.address = address;
      }
    }
    return events;
  };
}

function session(subject: SimulatedSubject, from: number, turns: number, events: Event[]): void {
  const { draw } = subject;
  let at = from;
  if (draw.chance(0.1)) events.push(subject.read(at, draw.pick(["ollama.tags", "openai.models"])));
  // Curiosity: another model, for a question or two.
  const isCurious = draw.chance(0.03);
  const model = isCurious ? draw.pick(MODELS) : subject.model;
  let context = 0;
  for (let turn = 0; turn < turns; turn++) {
    at += draw.exponential(70_000) + 3_000;
    const event = subject.exchange(at, isCurious && turn < 2 ? { model } : {});
    context += event.outputTokens;
    if (isCurious && draw.chance(0.25)) events.push(subject.refused(at, "model_denied", { model }));
    else if (draw.chance(0.006))
      events.push(subject.refused(at, draw.pick(["field_invalid", "rate_limited", "json_malformed"])));
    else
      events.push({
        ...event,
        inputTokens: event.inputTokens + Math.min(6_000, context),
        requestBytes: event.requestBytes + 4 * context,
      });
  }
  if (draw.chance(0.015)) pasted(subject, at, events);
}

/** A whole book in one prompt. */
function pasted(subject: SimulatedSubject, at: number, events: Event[]): void {
  events.push(subject.exchange(at + 60_000, { inputTokens: Math.round(subject.draw.logNormal(15_000, 0.6)) }));
}

/** Developers who try things: everything of theirs is irregular. */
export function tinkerDays(subject: SimulatedSubject, office: string): Days {
  const { draw } = subject;
  const ways: Ways = { office, home: pickNetwork(draw, "access"), homeShare: 0.4, phone: null };
  const where = whereabouts(draw, ways);
  const away = absences(draw);
  const liked = Array.from({ length: draw.whole(3, 6) }, () => pickModel(draw, false));
  return (day) => {
    if (away.has(day) || !draw.chance(isWorkday(day) ? 0.75 : 0.2)) return [];
    const events: Event[] = [];
    const start = FIRST_DAY_MS + day * DAY_MS - subject.zoneHours * HOUR_MS;
    for (let n = draw.whole(1, 3); n > 0; n--) {
      const network = where(day);
      if (network !== subject.network) subject.move(network);
      if (draw.chance(0.15)) subject.client = pickClient(draw);
      let at = start + Math.min(24, Math.max(8, 15 + 3.5 * draw.normal())) * HOUR_MS;
      if (draw.chance(0.4)) events.push(subject.read(at, "ollama.tags"));
      if (draw.chance(0.3)) events.push(subject.read(at + 900, "ollama.show", { model: draw.pick(liked) }));
      subject.model = draw.chance(0.05) ? draw.pick(MODELS) : draw.pick(liked);
      const isLoop = draw.chance(0.12);
      for (let count = isLoop ? draw.whole(60, 300) : draw.whole(3, 25); count > 0; count--) {
        at += draw.exponential(isLoop ? 1_500 : 25_000);
        if (draw.chance(0.02))
          events.push(
            subject.refused(at, draw.pick(["model_denied", "field_invalid", "permission_denied"]), {
              model: draw.pick(liked),
            }),
          );
        else events.push(subject.exchange(at));
      }
    }
    return events;
  };
}
