/**
 * Keys that create and revoke keys: rotations and replacements every few days, and sometimes an attacker who reacts to
 * a revocation with a new key.
 */
import { HOUR_MS } from "../../anomaly/series/season.ts";
import { observe } from "../../anomaly/observation.ts";
import type { Attack } from "./attacks.ts";
import type { Draw } from "./draw.ts";
import type { Days } from "./machines.ts";
import type { Event, SimulatedSubject } from "./subject.ts";
import { DAY_MS, ENVIRONMENT, FIRST_DAY_MS, MINUTE_MS, addressIn, isWorkday, pickNetwork } from "./world.ts";

interface Act {
  readonly actor: string;
  readonly address: string;
  readonly client: string;
}

function act(kind: "issued" | "revoked", at: number, key: string, owner: string, by: Act): Event {
  return observe({ kind, at: Math.round(at), environment: ENVIRONMENT, key, owner, ...by });
}

const newId = (draw: Draw): string => draw.seed().toString(36).padStart(7, "0");

/** What administrators do anyhow: new keys, ended keys, and replacements, which look like the attack. */
export function adminDays(subject: SimulatedSubject, ownersOf: readonly SimulatedSubject[], office: string): Days {
  const { draw } = subject;
  const actor = `key:${subject.key}`;
  return (day) => {
    const events: Event[] = [];
    if (!isWorkday(day)) return events;
    for (let n = draw.poisson(0.9); n > 0; n--) {
      if (draw.chance(0.12)) subject.move(draw.chance(0.3) ? pickNetwork(draw, "access") : office);
      const by: Act = { actor, address: subject.address, client: subject.client };
      const at =
        FIRST_DAY_MS +
        day * DAY_MS +
        (Math.min(19, Math.max(7, 13 + 2.5 * draw.normal())) - subject.zoneHours) * HOUR_MS;
      const owner = draw.pick(ownersOf).owner;
      const replaces = draw.chance(0.5);
      if (replaces) events.push(act("revoked", at, newId(draw), owner, by));
      if (replaces || draw.chance(0.7))
        events.push(act("issued", at + draw.between(0.2, 40) * MINUTE_MS, newId(draw), owner, by));
    }
    return events;
  };
}

/** A key is revoked, and within the hour another administrator has created a new one. */
export function makeMint(
  subject: SimulatedSubject,
  victim: SimulatedSubject,
  draw: Draw,
  fromDay: number,
  colleague: SimulatedSubject,
): Attack {
  const strength = draw.between(0, 1);
  const elsewhere = pickNetwork(draw, draw.pick(["cloud", "anywhere", "access"]));
  const isOwner = draw.chance(0.35);
  return {
    kind: "mint_after_revoke",
    strength,
    fromDay,
    lastDay: fromDay,
    events() {
      const at = FIRST_DAY_MS + fromDay * DAY_MS + draw.between(1, 22) * HOUR_MS;
      const revoker: Act = { actor: `key:${colleague.key}`, address: colleague.address, client: colleague.client };
      const thief: Act = isOwner
        ? { actor: `principal:${victim.owner}`, address: victim.address, client: victim.client }
        : {
            actor: `key:${subject.key}`,
            address: addressIn(draw, elsewhere),
            client: draw.chance(0.5) ? subject.client : "curl/8.5.0",
          };
      const minted = Array.from({ length: Math.ceil(3 * strength) }, (_, n) =>
        act("issued", at + (n + 1) * draw.between(1, 18) * MINUTE_MS, newId(draw), victim.owner, thief),
      );
      return [act("revoked", at, newId(draw), victim.owner, revoker), ...minted];
    },
  };
}
