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
  if (served + refused === 0) return [`The key has not been used since ${minute(from)}.`];
  return [
    `Since ${minute(from)}, the key made ${numbered(served, "successful request")} with ${numbered(models.rows.length, "model")}, and ${numbered(refused, "request")} ${refused === 1 ? "was" : "were"} denied: ${countText(inputTokens)} input tokens and ${countText(outputTokens)} output tokens${estimated > 0 ? ` (estimated for ${numbered(estimated, "response")})` : ""}, ${countText(bytesIn)} bytes sent and ${countText(bytesOut)} received.`,
    tokens.rows.length + byKey.rows.length === 0
      ? "No token was issued with the key, and it made no administrative change."
      : `Tokens issued with the key or revoked: ${countText(tokens.rows.length + tokens.more)}. Other actions with the key: ${countText(byKey.rows.length + byKey.more)}.`,
  ];
}

const LATE_SHOWN = 5;

/** The last address is not always the thief's: new networks are named with the age of the key at that time. */
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
    `Since its creation, the key was used from ${numbered(rows.length, "address", "addresses")} in ${numbered(places.size, "network")}.`,
    late.length === 0
      ? "All networks appear in the first half of its use; none is new."
      : `Networks that appear only in the second half of its use: ${said.join(", ")}${late.length > LATE_SHOWN ? `, and ${late.length - LATE_SHOWN} more` : ""}.`,
  ];
}

function whatElse({ shared, siblings, owner, addresses }: RadiusView): string[] {
  const ours = new Set(addresses.rows.map(({ address }) => address));
  const others = new Set(shared.rows.filter(({ address }) => ours.has(address)).map(({ actor }) => actor));
  const active = siblings.rows.filter(({ state }) => state === "active");
  const touched = active.filter(({ id }) => others.has(`key:${id}`));
  return [
    others.size === 0
      ? "No other key was used from these addresses in that period."
      : `${numbered(others.size, "other key or user", "other keys or users")} made requests from the same addresses: they may be compromised, too.`,
    owner === null
      ? "The key has no owner."
      : `Its owner ${owner.name} (${owner.kind} ${owner.id}${owner.isDisabled ? ", disabled" : ""}) has ${numbered(siblings.rows.length + siblings.more, "other key")}, ${countText(active.length)} active${touched.length > 0 ? `, ${countText(touched.length)} used from these addresses` : ""}.`,
  ];
}

function whatIsNotKnown({ knownFrom, from, addresses }: RadiusView): string[] {
  return [
    ...(knownFrom !== null && knownFrom > from
      ? [`The audit log begins at ${minute(knownFrom)}: earlier requests are not counted.`]
      : []),
    ...(addresses.rows.some(({ address }) => address.startsWith("("))
      ? ["Some addresses were erased when their retention ended, before the incident was opened."]
      : []),
  ];
}
