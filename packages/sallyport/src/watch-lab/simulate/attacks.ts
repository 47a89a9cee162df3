/**
 * Twelve ways to misuse a key. Each is between hardly visible and blunt (`strength`, 0 to 1), with networks, clients
 * and models from the same pools as everyone else's; some thieves copy the victim's client, some are in the victim's
 * network.
 */
import { HOUR_MS } from "../../anomaly/series/season.ts";
import type { Observation } from "../../anomaly/observation.ts";
import type { Draw } from "./draw.ts";
import { PERMISSIONS } from "./subject.ts";
import type { Event, Habit, SimulatedSubject } from "./subject.ts";
import { DAYS, DAY_MS, FIRST_DAY_MS, MINUTE_MS, MODELS, addressIn, pickClient, pickNetwork } from "./world.ts";

export const ATTACKS = [
  "stolen_key", "slow_exfil", "model_enumeration", "prompt_flood", "credential_spread", "off_hours_human",
  "poisoned_ramp", "replay", "scope_probing", "dormant_revival", "tool_call_abuse", "mint_after_revoke",
] as const; // prettier-ignore
export type AttackKind = (typeof ATTACKS)[number];

export interface Attack {
  readonly kind: AttackKind;
  readonly strength: number;
  readonly fromDay: number;
  readonly lastDay: number;
  /** What it adds on a day, beside what the key did anyhow. */
  events(day: number, usual: readonly Event[]): Event[];
}

/** Whose keys are attacked in which way. */
export const VICTIMS: Readonly<Record<Exclude<AttackKind, "mint_after_revoke">, readonly Habit[]>> = {
  stolen_key: ["cron", "ci", "chat", "batch", "chat"],
  slow_exfil: ["cron", "chat", "batch"],
  model_enumeration: ["cron", "chat", "ci", "batch"],
  prompt_flood: ["cron", "chat", "batch", "ci"],
  credential_spread: ["cron", "chat", "batch", "tinker"],
  off_hours_human: ["chat"],
  poisoned_ramp: ["cron", "batch", "ci", "chat"],
  replay: ["cron", "chat", "batch"],
  scope_probing: ["cron", "chat", "ci", "batch"],
  dormant_revival: ["dormant"],
  tool_call_abuse: ["chat", "cron", "batch"],
};

/** Between blunt and faint, by strength, on a logarithmic scale. */
const scaled = (faint: number, blunt: number, strength: number): number => faint * (blunt / faint) ** strength;

interface Disguise {
  readonly network: string;
  readonly client: string;
}

function disguise(draw: Draw, subject: SimulatedSubject, sameNetwork: number, sameClient: number): Disguise {
  const elsewhere = pickNetwork(draw, draw.pick(["cloud", "access", "anywhere"]));
  return {
    network: draw.chance(sameNetwork) ? subject.network : elsewhere,
    client: draw.chance(sameClient) ? subject.client : pickClient(draw),
  };
}

const from = (draw: Draw, subject: SimulatedSubject, { network, client }: Disguise): Partial<Observation> => ({
  address: network === subject.network ? subject.address : addressIn(draw, network),
  client,
});

type Make = (subject: SimulatedSubject, draw: Draw, strength: number, start: number) => Event[];

const stolenKey: Make = (subject, draw, strength, start) => {
  const events: Event[] = [];
  const worn = disguise(draw, subject, 0, 0.4);
  const said = from(draw, subject, worn);
  let at = start;
  if (draw.chance(0.6)) events.push(subject.read((at += 2_000), draw.pick(["ollama.tags", "openai.models"]), said));
  if (draw.chance(0.3)) events.push(subject.read((at += 2_000), "ollama.show", { ...said, model: subject.model }));
  const model = draw.chance(0.5) ? subject.model : draw.pick(MODELS);
  const count = Math.round(scaled(20, 500, strength));
  const lasts = draw.between(0.5, 10) * HOUR_MS;
  const more = draw.between(1, 4);
  const { input, output } = subject.sizes;
  for (let n = 0; n < count; n++) {
    at += draw.exponential(lasts / count);
    const sizes = {
      inputTokens: Math.ceil(draw.logNormal(input * more, 0.6)),
      outputTokens: Math.ceil(draw.logNormal(output * more, 0.6)),
    };
    events.push(subject.exchange(at, { ...said, model, ...sizes }));
  }
  return events;
};

const slowExfil: Make = (subject, draw, strength, start) => {
  const said = from(draw, subject, disguise(draw, subject, 0.5, 0.7));
  const events: Event[] = [];
  const meanGap = HOUR_MS / scaled(2, 14, strength);
  const more = draw.between(1.5, 6);
  for (let at = start; at < start + DAY_MS; at += draw.exponential(meanGap))
    events.push(
      subject.exchange(at, {
        ...said,
        outputTokens: Math.ceil(draw.logNormal(Math.max(300, subject.sizes.output * more), 0.4)),
      }),
    );
  return events;
};

const enumeration: Make = (subject, draw, strength, start) => {
  const said = from(draw, subject, disguise(draw, subject, 0.5, 0.4));
  const events: Event[] = [subject.read(start, draw.pick(["ollama.tags", "openai.models"]), said)];
  const lasts = draw.between(1, 60) * MINUTE_MS;
  const count = Math.round(scaled(6, 30, strength));
  let at = start;
  for (let n = 0; n < count; n++) {
    at += draw.exponential(lasts / count);
    const model = MODELS[(n * 5 + 3) % MODELS.length]!;
    if (draw.chance(0.35)) events.push(subject.refused(at, "model_denied", { ...said, model }));
    else if (draw.chance(0.4)) events.push(subject.read(at, "ollama.show", { ...said, model }));
    else events.push(subject.exchange(at, { ...said, model, inputTokens: draw.whole(5, 60) }));
  }
  return events;
};

const flood: Make = (subject, draw, strength, start) => {
  const said = from(draw, subject, disguise(draw, subject, 0.6, 0.6));
  const events: Event[] = [];
  // A flood is a multiple of the key's own pace.
  const perMinute = Math.max(8, subject.pace * scaled(3, 25, strength));
  const lasts = draw.between(8, 60) * MINUTE_MS * (perMinute > 100 ? 0.4 : 1);
  for (let at = start; at < start + lasts; at += draw.exponential(MINUTE_MS / perMinute))
    events.push(subject.exchange(at, said));
  return events;
};

const spread: Make = (subject, draw, strength, start) => {
  const events: Event[] = [];
  const lasts = scaled(6 * HOUR_MS, 10 * MINUTE_MS, strength);
  const isCopied = draw.chance(0.5);
  for (let n = draw.whole(30, 60); n > 0; n--) {
    const worn: Disguise = {
      network: pickNetwork(draw, draw.pick(["cloud", "access", "anywhere"])),
      client: isCopied ? subject.client : pickClient(draw),
    };
    const said = from(draw, subject, worn);
    let at = start + draw.between(0, lasts);
    for (let count = draw.whole(1, 6); count > 0; count--)
      events.push(subject.exchange((at += draw.exponential(20_000)), said));
  }
  return events;
};

const offHours: Make = (subject, draw, strength, start) => {
  const worn = disguise(draw, subject, 0.4, 0.7);
  const said = from(draw, subject, worn);
  const events: Event[] = [];
  const count = Math.round(scaled(8, 70, strength));
  let at = start - (start % DAY_MS) + (draw.between(1, 3.5) - subject.zoneHours) * HOUR_MS;
  for (let n = 0; n < count; n++)
    events.push(subject.exchange((at += draw.exponential((draw.between(30, 120) * MINUTE_MS) / count)), said));
  return events;
};

const replayed: Make = (subject, draw, strength, start) => {
  const said = from(draw, subject, disguise(draw, subject, 0.4, 0.6));
  const taken = subject.exchange(start, said);
  const events: Event[] = [];
  const lasts = draw.between(2, 50) * MINUTE_MS;
  const count = Math.round(scaled(8, 200, strength));
  let at = start;
  for (let n = 0; n < count; n++) {
    at += draw.exponential(lasts / count);
    events.push(
      subject.isSigned
        ? subject.refused(at, "signature_replayed", said)
        : subject.exchange(at, {
            ...said,
            inputTokens: taken.inputTokens,
            requestBytes: taken.requestBytes,
            endpoint: taken.endpoint,
            model: taken.model,
          }),
    );
  }
  return events;
};

const probing: Make = (subject, draw, strength, start) => {
  const said = from(draw, subject, disguise(draw, subject, 0.5, 0.4));
  const events: Event[] = [];
  const lasts = draw.between(1, 45) * MINUTE_MS;
  const endpoints = [
    "ollama.show",
    "ollama.pull",
    "ollama.delete",
    "ollama.create",
    "ollama.copy",
    "ollama.ps",
    "ollama.embed",
    "ollama.me",
    "ollama.web_search",
    "openai.responses",
  ];
  const count = Math.round(scaled(4, 24, strength));
  let at = start;
  for (let n = 0; n < count; n++) {
    at += draw.exponential(lasts / count);
    if (draw.chance(0.6))
      events.push(subject.refused(at, "permission_denied", { ...said, endpoint: endpoints[n % endpoints.length]! }));
    else
      events.push(
        subject.refused(at, draw.pick(["model_denied", "cloud_denied"]), { ...said, model: draw.pick(MODELS) }),
      );
  }
  return events;
};

const revival: Make = (subject, draw, strength, start) => {
  const said = from(draw, subject, disguise(draw, subject, 0.4, 0.5));
  const events: Event[] = [];
  let at = start;
  for (let n = Math.round(scaled(8, 120, strength)); n > 0; n--)
    events.push(subject.exchange((at += draw.exponential(60_000)), said));
  return events;
};

const toolAbuse: Make = (subject, draw, strength, start) => {
  const said = from(draw, subject, disguise(draw, subject, 0.8, 0.9));
  const events: Event[] = [];
  const perMinute = scaled(4, 40, strength);
  const lasts = draw.between(10, 60) * MINUTE_MS;
  const toolShare = draw.between(0.08, 0.4);
  let context = subject.sizes.input;
  for (let at = start; at < start + lasts; at += draw.exponential(MINUTE_MS / perMinute)) {
    const tool = draw.pick(["ollama.web_search", "ollama.web_fetch"]);
    if (draw.chance(toolShare))
      events.push(
        subject.exchange(at, {
          ...said,
          endpoint: tool,
          permissions: PERMISSIONS[tool]!,
          inputTokens: 20,
          outputTokens: 0,
          model: null,
        }),
      );
    else
      events.push(
        subject.exchange(at, {
          ...said,
          inputTokens: Math.round((context = Math.min(context * 1.06 + 40, 30_000))),
          outputTokens: draw.whole(8, 60),
        }),
      );
  }
  return events;
};

const MAKERS: Readonly<Record<Exclude<AttackKind, "poisoned_ramp" | "mint_after_revoke">, Make>> = {
  stolen_key: stolenKey,
  slow_exfil: slowExfil,
  model_enumeration: enumeration,
  prompt_flood: flood,
  credential_spread: spread,
  off_hours_human: offHours,
  replay: replayed,
  scope_probing: probing,
  dormant_revival: revival,
  tool_call_abuse: toolAbuse,
};

const SEVERAL_DAYS: Partial<Record<AttackKind, readonly [number, number]>> = {
  slow_exfil: [3, 9],
  off_hours_human: [1, 3],
};

export function makeAttack(
  kind: Exclude<AttackKind, "mint_after_revoke">,
  subject: SimulatedSubject,
  draw: Draw,
): Attack {
  const strength = draw.between(0, 1);
  if (kind === "poisoned_ramp") return makeRamp(subject, draw, strength);
  const [least, most] = SEVERAL_DAYS[kind] ?? [1, 1];
  const fromDay = kind === "dormant_revival" ? draw.whole(44, 57) : draw.whole(8, DAYS - 1 - most);
  const lastDay = fromDay + draw.whole(least, most) - 1;
  const hour = draw.between(0, 23);
  return {
    kind,
    strength,
    fromDay,
    lastDay,
    events: (day) =>
      MAKERS[kind](
        subject,
        draw,
        strength,
        FIRST_DAY_MS + day * DAY_MS + (least > 1 && day > fromDay ? 0 : hour) * HOUR_MS,
      ),
  };
}

/** Two percent more each day, so that a detector that learns daily finds every day usual. */
function makeRamp(subject: SimulatedSubject, draw: Draw, strength: number): Attack {
  const fromDay = draw.whole(10, 16);
  const aDay = 0.017 + 0.008 * strength;
  return {
    kind: "poisoned_ramp",
    strength,
    fromDay,
    lastDay: DAYS - 1,
    events(day, usual) {
      const share = (1 + aDay) ** (day - fromDay + 1) - 1;
      const events: Event[] = [];
      for (const { kind, at, address, client } of usual) {
        if (kind !== "exchange") continue;
        for (let rest = share; rest > 0; rest--)
          if (rest >= 1 || draw.chance(rest))
            events.push(subject.exchange(at + draw.exponential(90_000), { address, client }));
      }
      return events;
    },
  };
}
