/** What happened in a few sentences, each of which can be checked in the tables below it. */
import type { IncidentView, RadiusView } from "@sallyport/contract";
import { earlyNetworks } from "./early-networks.ts";
import { countText, minute, numbered, spanText } from "./report.ts";

export function summarize(incident: IncidentView, radius: RadiusView): readonly string[] {
  return [
    ...whatHappened(incident, radius),
    ...whatWasDone(radius),
    ...fromWhere(radius),
    ...whatElse(radius),
    ...whatIsNotKnown(radius),
  ];
}

function whatHappened({ keyId, environment, openedAt, openedBy, reason, closed }: IncidentView, { key }: RadiusView) {
  const why = reason === null ? "No reason was given." : `The reason given: ${reason}`;
  const end = {
    revoked: "the key is revoked and nothing took its place",
    reissued: `the key is revoked, and key ${closed?.reissued} took its place`,
    false_alarm: "it was a false alarm, and the key works again",
  };
  return [
    `Key ${keyId} (${key.name}) of environment ${environment} was suspended on ${minute(openedAt)} by ${openedBy}. ${why}`,
    closed
      ? `The incident was closed on ${minute(closed.at)} by ${closed.by}: ${end[closed.outcome]}.${closed.note === null ? "" : ` Note: ${closed.note}`}`
      : "The incident is open: the key is rejected everywhere until someone closes it.",
  ];
}

function whatWasDone({ from, requests, models, tokens, byKey }: RadiusView): string[] {
  const { served, refused, inputTokens, outputTokens, bytesIn, bytesOut, estimated } = requests;
  if (served + refused === 0) return [`It was not used since ${minute(from)}.`];
  return [
    `Since ${minute(from)} ${numbered(served, "request")} of it ${served === 1 ? "was" : "were"} served and ${countText(refused)} refused, with ${numbered(models.rows.length, "model")}: ${countText(inputTokens)} tokens in and ${countText(outputTokens)} out${estimated > 0 ? ` (${numbered(estimated, "answer")} estimated)` : ""}, ${countText(bytesIn)} bytes sent and ${countText(bytesOut)} received.`,
    tokens.rows.length + byKey.rows.length === 0
      ? "No token was issued from it, and nothing was changed with it."
      : `Tokens issued from it or revoked: ${countText(tokens.rows.length + tokens.more)}. Other things done with it: ${countText(byKey.rows.length + byKey.more)}.`,
  ];
}

const LATE_SHOWN = 5;

/** The last address is not always the thief's: networks that came late are named with their time in the key's life. */
function fromWhere(radius: RadiusView): string[] {
  const { addresses, networks, key } = radius;
  const { rows } = addresses;
  if (rows.length === 0) return [];
  const early = earlyNetworks(radius);
  const places = new Set(rows.map(({ address }) => networks[address] ?? address));
  const late = rows.filter(({ address }) => !early.has(networks[address] ?? address));
  const said = late.slice(0, LATE_SHOWN).map((one) => {
    const age = spanText(Date.parse(one.firstAt) - Date.parse(key.createdAt));
    return `${one.address} (first ${minute(one.firstAt)}, ${age} after the key was issued; ${numbered(one.requests + one.refused, "request")})`;
  });
  return [
    `In all its life it was used from ${numbered(rows.length, "address", "addresses")} in ${numbered(places.size, "network")}.`,
    late.length === 0
      ? "No network came late: all were there in the first half of its use."
      : `From networks that came late, in the second half of its use: ${said.join(", ")}${late.length > LATE_SHOWN ? `, and ${late.length - LATE_SHOWN} more` : ""}.`,
  ];
}

function whatElse({ shared, siblings, owner, addresses }: RadiusView): string[] {
  const ours = new Set(addresses.rows.map(({ address }) => address));
  const others = new Set(shared.rows.filter(({ address }) => ours.has(address)).map(({ actor }) => actor));
  const active = siblings.rows.filter(({ state }) => state === "active");
  const touched = active.filter(({ id }) => others.has(`key:${id}`));
  return [
    others.size === 0
      ? "No other key was used from these addresses in that time."
      : `From the same addresses ${numbered(others.size, "other key or person", "other keys or people")} came: the thief may have those, too.`,
    owner === null
      ? "It has no owner."
      : `Its owner ${owner.name} (${owner.kind} ${owner.id}${owner.isDisabled ? ", disabled" : ""}) has ${numbered(siblings.rows.length + siblings.more, "other key")}, ${countText(active.length)} active${touched.length > 0 ? `, ${countText(touched.length)} used from these addresses` : ""}.`,
  ];
}

function whatIsNotKnown({ knownFrom, from, addresses }: RadiusView): string[] {
  return [
    ...(knownFrom !== null && knownFrom > from
      ? [`The audit log reaches back to ${minute(knownFrom)} only: what came before it is not counted.`]
      : []),
    ...(addresses.rows.some(({ address }) => address.startsWith("("))
      ? ["Some addresses are erased: their time was over before the incident was opened."]
      : []),
  ];
}
