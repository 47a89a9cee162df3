/**
 * A year and a month of a company's requests, the same for the same seed: jobs that run daily, weekly, monthly, quarterly
 * and once a year, people with holidays, one who came lately, one who left, some who change what they do, and keys that a
 * thief has. Each request is labelled with what it is part of and whether its sender had a reason for it.
 */
import { Draw } from "../simulate/draw.ts";

export type YearHabit = "daily" | "weekly" | "monthly" | "quarterly" | "yearly" | "person" | "newcomer" | "leaver" | "changing" | "stolen"; // prettier-ignore

export interface YearSubject {
  /** 12 characters, as ids of keys are. */
  readonly id: string;
  readonly habit: YearHabit;
  /** Day of the year on which its key was made. */
  readonly since: number;
  readonly permissions: readonly string[];
  readonly models: readonly string[];
}

export interface YearRequest {
  /** Day since the beginning, and ms of that day. */
  readonly day: number;
  readonly ms: number;
  readonly subject: YearSubject;
  readonly permissions: readonly string[];
  /** A model's key; null where none is needed. */
  readonly model: string | null;
  /** Its sender had a reason for it. */
  readonly isLegitimate: boolean;
}

export interface WorkingYear {
  readonly subjects: readonly YearSubject[];
  /** By day. */
  readonly days: readonly (readonly YearRequest[])[];
}

/** The first day is a first of January, and a Wednesday, as in 2025. */
export const YEAR_START_MS = Date.UTC(2025, 0, 1);
export const YEAR_DAYS = 365;
/** What follows: when what was learned of the year is in force. */
export const AFTER_DAYS = 30;

const DAY_MS = 86_400_000;
const COUNTS: Readonly<Record<YearHabit, number>> = {
  daily: 14,
  weekly: 6,
  monthly: 6,
  quarterly: 4,
  yearly: 2,
  person: 16,
  newcomer: 2,
  leaver: 2,
  changing: 4,
  stolen: 2,
};
const PREFIX = "registry.ollama.ai/library/";
const MODELS = [
  "llama3.2:latest",
  "llama3.2:3b",
  "qwen3:8b",
  "mistral:latest",
  "gemma3:4b",
  "nomic-embed-text:latest",
].map((name) => PREFIX + name);
const EMBEDDER = `${PREFIX}nomic-embed-text:latest`;
/** What people hand out when they do not know what will be needed. */
const BROAD = [
  "infer:chat", "infer:generate", "infer:embed", "infer:audio", "infer:override", "models:list", "models:show",
  "models:show-private", "models:pull", "models:delete", "runtime:ps", "runtime:load", "runtime:unload", "self:rotate", "usage:read",
]; // prettier-ignore
const USUAL = ["infer:chat", "infer:generate", "infer:embed", "models:list", "models:show", "runtime:load"];

type Asked = readonly [permissions: readonly string[], model: string | null, isLegitimate?: boolean];

export function workingYear(seed: number): WorkingYear {
  const draw = new Draw(seed);
  const days: YearRequest[][] = Array.from({ length: YEAR_DAYS + AFTER_DAYS }, () => []);
  const subjects: YearSubject[] = [];
  for (const habit of Object.keys(COUNTS) as YearHabit[]) {
    for (let n = 0; n < COUNTS[habit]; n++) {
      const own = new Draw(draw.seed());
      const subject: YearSubject = {
        id: `${habit.slice(0, 8)}${String(n).padStart(4, "0")}`.padStart(12, "0"),
        habit,
        since: habit === "newcomer" ? YEAR_DAYS - own.whole(20, 60) : 0,
        permissions: own.chance(0.5) ? BROAD : USUAL,
        models: own.chance(0.7) ? ["*"] : MODELS,
      };
      subjects.push(subject);
      const life = lifeOf(subject, own);
      for (let day = subject.since; day < days.length; day++) {
        for (const [permissions, model, isLegitimate = true] of life(day)) {
          days[day]!.push({ day, ms: own.whole(0, DAY_MS - 1), subject, permissions, model, isLegitimate });
        }
      }
    }
  }
  for (const requests of days) requests.sort((a, b) => a.ms - b.ms);
  return { subjects, days };
}

/** What the subject asks on a day. */
function lifeOf({ habit }: YearSubject, draw: Draw): (day: number) => readonly Asked[] {
  const model = draw.pick(MODELS.slice(0, 5));
  const job: Asked = draw.chance(0.5) ? [["infer:chat"], model] : [["infer:generate"], model];
  const rare: Asked = [["infer:embed"], EMBEDDER];
  const several = (asked: Asked, most: number): Asked[] => Array.from({ length: draw.whole(1, most) }, () => asked);
  const weekday = draw.whole(1, 5);
  const holidays = draw.whole(150, 240);
  const isAway = (day: number): boolean => (day >= holidays && day < holidays + 21) || isYearsEnd(day);
  const person = (day: number): readonly Asked[] => {
    if (!isWorkday(day) || isAway(day) || draw.chance(0.1)) return [];
    const chats = several([["infer:chat"], model], 6);
    const other = draw.chance(0.04) ? [[["infer:chat"], draw.pick(MODELS.slice(0, 5))] as const] : [];
    return [[["models:list"], null], ...chats, ...other];
  };
  switch (habit) {
    case "daily":
      return () => several(job, 8);
    case "weekly":
      return (day) => (weekdayOf(day) === weekday ? several(job, 12) : []);
    // A job beside the usual work, each of another rhythm.
    case "monthly":
      return (day) => [...several(job, 2), ...(isFirstWorkdayOf(day, monthOf) ? several(rare, 20) : [])];
    case "quarterly":
      return (day) => [...several(job, 2), ...(isFirstWorkdayOf(day, quarterOf) ? several(rare, 20) : [])];
    case "yearly":
      return (day) => [...several(job, 2), ...(dateOf(day).getUTCMonth() === 0 && dateOf(day).getUTCDate() === 15 ? several(rare, 20) : [])]; // prettier-ignore
    case "person":
    case "newcomer":
      return person;
    case "leaver":
      return (day) => (day < 200 ? person(day) : []);
    case "changing": {
      const begins = YEAR_DAYS + draw.whole(2, 20);
      return (day) => [...person(day), ...(day >= begins ? several(rare, 3) : [])];
    }
    case "stolen": {
      const begins = YEAR_DAYS + draw.whole(2, 20);
      return (day) => [
        ...person(day),
        ...(day >= begins ? several([["models:show-private", "models:show"], draw.pick(MODELS), false], 5) : []),
      ];
    }
  }
}

function dateOf(day: number): Date {
  return new Date(YEAR_START_MS + day * DAY_MS);
}

function weekdayOf(day: number): number {
  return dateOf(day).getUTCDay();
}

function monthOf(day: number): number {
  return dateOf(day).getUTCMonth();
}

function quarterOf(day: number): number {
  return Math.floor(monthOf(day) / 3);
}

function isYearsEnd(day: number): boolean {
  const date = dateOf(day);
  return (
    (date.getUTCMonth() === 11 && date.getUTCDate() >= 24) || (date.getUTCMonth() === 0 && date.getUTCDate() === 1)
  );
}

function isWorkday(day: number): boolean {
  const weekday = weekdayOf(day);
  return weekday !== 0 && weekday !== 6 && !isYearsEnd(day);
}

/** The first workday of its month or quarter: a holiday moves the job. */
function isFirstWorkdayOf(day: number, periodOf: (day: number) => number): boolean {
  if (!isWorkday(day)) return false;
  for (let before = day - 1; before >= 0 && periodOf(before) === periodOf(day); before--) {
    if (isWorkday(before)) return false;
  }
  return true;
}
