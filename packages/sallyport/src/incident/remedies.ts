/**
 * What is left to do, in order, each with its command. Commands contain ids, networks and our words, and no name that
 * others chose.
 */
import type { IncidentView, RadiusView } from "@sallyport/contract";
import { earlyNetworks } from "./early-networks.ts";
import type { Remedy } from "./report.ts";

const KEYS_MAX = 20;
const KEY_ID = /^[0-9A-Za-z]{12}$/;
const NETWORK = /^[0-9a-f.:]+\/\d{1,3}$/;
const MANAGING = /^models:(?:pull|push|create|copy|delete)/;

export function remediesFor(incident: IncidentView, radius: RadiusView): readonly Remedy[] {
  const { id, keyId, environment, since, closed } = incident;
  const next = closed?.reissued ?? null;
  return [
    one(
      "Remove the key from the place where it was found (repository and its history, log, chat, issue). It no longer works; the place shows who may have read it.",
    ),
    one(`Tell the owner${radius.owner ? ` (${radius.owner.id})` : ""}, by a way that does not use this key.`),
    ...siblingRemedies(radius),
    ...lateralRemedies(incident, radius),
    ...(radius.permissions.rows.some(({ name }) => MANAGING.test(name))
      ? [
          one("Models were managed with it: compare what the model servers have with what they should have.", [
            `sallyport audit search --actor key:${keyId} --type model.intent --env ${environment} --since ${since}`,
          ]),
        ]
      : []),
    ...(radius.rights.rows.length > 0
      ? [
          one("Rights changed in that time (see the table): look whether each change was meant.", [
            `sallyport explain --key-id ${keyId} --path /api/chat`,
          ]),
        ]
      : []),
    one("Look at the model servers' own logs for the same time: the gateway's request ids are in each record.", [
      `sallyport audit search --actor key:${keyId} --since ${since}`,
    ]),
    ...(closed ? [] : closings(id)),
    ...(closed?.outcome === "revoked" ? [] : doors(next, radius)),
    one("Keep the incident's folder where others can check its proofs; an auditor also needs the keys below.", [
      "sallyport audit keys",
    ]),
  ];
}

function siblingRemedies({ siblings, shared }: RadiusView): Remedy[] {
  const used = new Set(shared.rows.map(({ actor }) => actor));
  const active = siblings.rows.filter((key) => key.state === "active" && KEY_ID.test(key.id));
  if (active.length === 0) return [];
  // Those that were used from the same addresses come first.
  const sorted = active.toSorted((a, b) => Number(used.has(`key:${b.id}`)) - Number(used.has(`key:${a.id}`)));
  return [
    one(
      `Rotate the owner's other keys (${active.length} active): what leaked one may have leaked all.`,
      sorted.slice(0, KEYS_MAX).map(({ id }) => `sallyport keys rotate ${id} --deliver`),
    ),
  ];
}

function lateralRemedies({ environment }: IncidentView, { shared, siblings, owner }: RadiusView): Remedy[] {
  const own = new Set([...siblings.rows.map(({ id }) => `key:${id}`), `principal:${owner?.id}`]);
  const ids = shared.rows
    .filter(({ actor }) => actor.startsWith("key:") && !own.has(actor))
    .map(({ actor }) => actor.slice("key:".length))
    .filter((id) => KEY_ID.test(id));
  const different = [...new Set(ids)];
  if (different.length === 0) return [];
  return [
    one(
      `Keys of others were used from the same addresses (${different.length}). If you do not recognize an address, open an incident for each.`,
      different
        .slice(0, KEYS_MAX)
        .map((id) => `sallyport incident open --key-id ${id} --reason "same address as in ${environment}"`),
    ),
  ];
}

function closings(id: string): Remedy[] {
  return [
    one("Close the incident: with another key in its place, without one, or because nothing was wrong. Choose one.", [
      `sallyport incident close ${id} --reissue --deliver`,
      `sallyport incident close ${id}`,
      `sallyport incident close ${id} --false-alarm`,
    ]),
  ];
}

/** The networks of the first half of its use: a stranger's would be let in for good. Who reads this chooses. */
function doors(next: string | null, radius: RadiusView): Remedy[] {
  const id = next ?? "NEW_KEY_ID";
  const home = [...earlyNetworks(radius)].filter((network) => NETWORK.test(network)).slice(0, 8);
  return [
    one(
      "Bind the next key to the networks it is meant for. These were there in the first half of its use: strike out what is not yours.",
      home.length === 0 ? [] : [`sallyport keys factors ${id} --network ${home.join(",")}`],
    ),
    one("Demand a signature of it, so that its text alone opens nothing.", [
      `sallyport keys signers add ${id} --public-key key.pub`,
      `sallyport keys factors ${id} --require signature`,
    ]),
  ];
}

function one(says: string, commands: readonly string[] = []): Remedy {
  return { says, commands };
}
