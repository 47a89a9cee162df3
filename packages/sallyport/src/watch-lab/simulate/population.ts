/** Two hundred keys, their owners, and which of them an attacker uses. */
import { ATTACKS, VICTIMS, makeAttack } from "./attacks.ts";
import type { Attack } from "./attacks.ts";
import { adminDays, makeMint } from "./administration.ts";
import { Draw } from "./draw.ts";
import { batchDays, ciDays, cronDays } from "./machines.ts";
import type { Days } from "./machines.ts";
import { chatDays, tinkerDays } from "./people.ts";
import { SimulatedSubject } from "./subject.ts";
import type { Habit } from "./subject.ts";
import { DAYS, isWorkday, pickClient, pickModel, pickNetwork } from "./world.ts";

const COUNTS: Readonly<Record<Habit, number>> = {
  cron: 44,
  ci: 22,
  chat: 82,
  batch: 28,
  tinker: 10,
  dormant: 10,
  admin: 4,
};
/** Of each kind. */
export const ATTACKS_EACH = 5;

/** Roles tell something of a key, not everything. */
const ROLES: Readonly<Record<Habit, readonly string[]>> = {
  cron: ["chatbot", "summaries", "summaries", "embedder"],
  ci: ["ci", "ci", "ci", "chatbot"],
  chat: ["chatbot", "chatbot", "cli"],
  batch: ["embedder", "summaries"],
  tinker: ["cli", "chatbot"],
  dormant: ["chatbot", "summaries"],
  admin: ["issuer"],
};
const ENDPOINTS = ["ollama.chat", "openai.chat", "ollama.generate", "openai.chat"];
const LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

export interface Lived {
  readonly subject: SimulatedSubject;
  readonly days: Days;
  readonly attacks: Attack[];
}

export function populate(seed: number): readonly Lived[] {
  const draw = new Draw(seed);
  const offices = Array.from({ length: 6 }, () => pickNetwork(draw, "anywhere"));
  const habits = (Object.keys(COUNTS) as Habit[]).flatMap((habit) =>
    Array.from({ length: COUNTS[habit] }, () => habit),
  );
  const subjects = habits.map((habit, at) => makeSubject(new Draw(draw.seed() ^ at), habit, draw.pick(offices)));
  const lives = subjects.map((subject): Lived => ({
    subject,
    days: daysOf(subject, subjects, draw.pick(offices)),
    attacks: [],
  }));
  attack(lives, draw);
  return lives;
}

function makeSubject(draw: Draw, habit: Habit, office: string): SimulatedSubject {
  const isPerson = habit === "chat" || habit === "tinker" || habit === "admin";
  const isEmbedder = !isPerson && habit !== "ci" && draw.chance(habit === "batch" ? 0.5 : 0.1);
  const id = (letter: string, length: number): string =>
    letter + Array.from({ length }, () => LETTERS[draw.whole(0, 61)]).join("");
  return new SimulatedSubject({
    key: id("", 12),
    owner: id("p_", 12),
    peer: draw.pick(ROLES[habit]),
    habit,
    draw,
    sizes: {
      input: draw.logNormal(isPerson ? 150 : 500, 0.9),
      output: draw.logNormal(isPerson ? 350 : 180, 0.7),
      spread: draw.between(0.3, 0.9),
      isFixed: habit === "cron" && draw.chance(0.4),
    },
    zoneHours: draw.pick([0, 1, 1, 1, 2, -5, 8]),
    endpoint: isEmbedder ? draw.pick(["ollama.embed", "openai.embeddings"]) : draw.pick(ENDPOINTS),
    model: pickModel(draw, isEmbedder),
    client: pickClient(draw),
    network: isPerson ? office : draw.chance(0.5) ? office : pickNetwork(draw, "cloud"),
  });
}

function daysOf(subject: SimulatedSubject, subjects: readonly SimulatedSubject[], office: string): Days {
  switch (subject.habit) {
    case "cron":
      return cronDays(subject);
    case "ci":
      return ciDays(subject);
    case "batch":
      return batchDays(subject);
    case "tinker":
      return tinkerDays(subject, subject.network);
    case "admin":
      return adminDays(
        subject,
        subjects.filter(({ habit }) => habit !== "admin"),
        office,
      );
    case "dormant":
      return dormantDays(subject);
    case "chat":
      return chatDays(subject, subject.network);
  }
}

/** Used for a while, then not any more: a project that ended. Some of them wake up by themselves. */
function dormantDays(subject: SimulatedSubject): Days {
  const { draw } = subject;
  const usual = draw.chance(0.5) ? cronDays(subject) : chatDays(subject, subject.network);
  const until = draw.whole(6, 16);
  return (day) => (day < until ? usual(day) : []);
}

/** Every attack meets another key, so that it is known whose alert is whose. */
function attack(lives: readonly Lived[], draw: Draw): void {
  const free = shuffled(
    draw,
    lives.filter(({ subject }) => subject.habit !== "admin"),
  );
  for (const kind of ATTACKS) {
    if (kind === "mint_after_revoke") continue;
    for (let n = 0; n < ATTACKS_EACH; n++) {
      const wanted = draw.pick(VICTIMS[kind]);
      const victim = free.splice(
        free.findIndex(({ subject }) => subject.habit === wanted),
        1,
      )[0]!;
      victim.attacks.push(makeAttack(kind, victim.subject, new Draw(draw.seed())));
    }
  }
  const admins = lives.filter(({ subject }) => subject.habit === "admin");
  const workdays = shuffled(draw, Array.from({ length: DAYS - 12 }, (_, n) => n + 10).filter(isWorkday));
  for (let n = 0; n < ATTACKS_EACH; n++) {
    const mine = admins[n % admins.length]!;
    const other = admins[(n + 1) % admins.length]!;
    mine.attacks.push(makeMint(mine.subject, free[n]!.subject, new Draw(draw.seed()), workdays[n]!, other.subject));
  }
}

function shuffled<T>(draw: Draw, list: readonly T[]): T[] {
  const left = [...list];
  return list.map(() => left.splice(draw.whole(0, left.length - 1), 1)[0]!);
}
