/** What happened in a few sentences, each of which can be checked in the tables below it. */
import type { IncidentView, RadiusView } from "@sallyport/protocol/contract";
import { countText, minute, spanText } from "./report.ts";

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
      : "The incident is open: the key is refused everywhere until somebody closes it.",
  ];
}

function whatWasDone({ from, requests, models, tokens, byKey }: RadiusView): string[] {
  const { served, refused, inputTokens, outputTokens, bytesIn, bytesOut, estimated } = requests;
  if (served + refused === 0) return [`It was not used since ${minute(from)}.`];
  const names = models.rows.length;
  return [
    `Since ${minute(from)} it made ${countText(served)} requests that were served and ${countText(refused)} that were refused, with ${names} ${names === 1 ? "model" : "models"}: ${countText(inputTokens)} tokens in and ${countText(outputTokens)} out${estimated > 0 ? ` (${countText(estimated)} answers estimated)` : ""}, ${countText(bytesIn)} bytes sent and ${countText(bytesOut)} received.`,
    tokens.rows.length + byKey.rows.length === 0
      ? "No token was issued from it, and nothing was changed with it."
      : `${countText(tokens.rows.length + tokens.more)} times a token was issued from it or revoked, and ${countText(byKey.rows.length + byKey.more)} other things were done with it.`,
  ];
}

/** Whoever came last is not always the stranger: so every address is named with its time in the key's life. */
function fromWhere({ addresses, networks, key }: RadiusView): string[] {
  const { rows } = addresses;
  if (rows.length === 0) return [];
  const places = new Set(rows.map(({ address }) => networks[address] ?? address));
  const last = rows.reduce((a, b) => (a.firstAt > b.firstAt ? a : b));
  const age = spanText(Date.parse(last.firstAt) - Date.parse(key.createdAt));
  const news = rows.filter(({ earlier }) => earlier === 0).length;
  return [
    `In all its life it was used from ${countText(rows.length)} ${rows.length === 1 ? "address" : "addresses"} in ${countText(places.size)} ${places.size === 1 ? "network" : "networks"}; ${countText(news)} of them came in the time that is counted.`,
    `The newest is ${last.address}: its first request came on ${minute(last.firstAt)}, ${age} after the key was issued, and since then it made ${countText(last.requests + last.refused)}.`,
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
      : `From the same addresses ${countText(others.size)} other keys or people were seen: whoever had this key may have those.`,
    owner === null
      ? "Nobody owns it."
      : `Its owner ${owner.name} (${owner.kind} ${owner.id}${owner.isDisabled ? ", disabled" : ""}) has ${countText(siblings.rows.length + siblings.more)} other keys, ${countText(active.length)} of them active${touched.length > 0 ? `, ${countText(touched.length)} of those used from these addresses` : ""}.`,
  ];
}

function whatIsNotKnown({ knownFrom, from, addresses }: RadiusView): string[] {
  return [
    ...(knownFrom !== null && knownFrom > from
      ? [`The ledger reaches back to ${minute(knownFrom)} only: what came before it is not counted.`]
      : []),
    ...(addresses.rows.some(({ address }) => address.startsWith("("))
      ? ["Some addresses are erased: their time was over before the incident was opened."]
      : []),
  ];
}
