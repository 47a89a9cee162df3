/** The tables of a report. Each shows its most telling rows and says how many it omits. */
import type { RadiusView } from "@sallyport/contract";
import { countText, minute, spanText } from "./report.ts";
import type { FrozenEvidence, ReportProof, Section } from "./report.ts";

const ROWS = 40;
const COUNTED = 15;

type Happenings = RadiusView["life"];
type Counts = RadiusView["models"];

export function sectionsOf(
  radius: RadiusView,
  proofs: readonly ReportProof[],
  evidence: FrozenEvidence,
): readonly Section[] {
  return [
    addressSection(radius),
    sharedSection(radius),
    siblingSection(radius),
    countSection(radius),
    clientSection(radius),
    happenings("Key lifecycle", "Changes to the key since it was issued.", radius.life),
    happenings("Tokens", "Short-lived tokens of the key. They were revoked with it.", radius.tokens),
    happenings("Actions with the key", "Other than requests.", radius.byKey),
    happenings("Actions of its owner", "By the owner, or with the owner's other keys.", radius.byOwner),
    happenings("Permission changes", "Of the owner, of the key's roles, and of the policy.", radius.rights),
    evidenceSection(evidence),
    proofSection(proofs),
  ].filter(({ rows, more: left }) => rows.length > 0 || left !== "");
}

function addressSection({ addresses, networks, key, shared }: RadiusView): Section {
  const others = new Map<string, Set<string>>();
  for (const { address, actor } of shared.rows) others.set(address, (others.get(address) ?? new Set()).add(actor));
  const cut = addresses.rows.length - ROWS;
  return section(
    "Addresses",
    "In order of the first request. “After” is the time since the key was issued.",
    [
      "Address",
      "Network",
      "First request",
      "After",
      "Last request",
      "Served",
      "Denied",
      "Earlier",
      "Others from there",
    ],
    addresses.rows
      .slice(0, ROWS)
      .map((one) => [
        one.address,
        networks[one.address] ?? "",
        minute(one.firstAt),
        spanText(Date.parse(one.firstAt) - Date.parse(key.createdAt)),
        minute(one.lastAt),
        countText(one.requests),
        countText(one.refused),
        countText(one.earlier),
        countText(others.get(one.address)?.size ?? 0),
      ]),
    [more(cut, "addresses"), more(addresses.others, "requests from addresses that were too many to be kept apart")],
  );
}

function sharedSection({ shared }: RadiusView): Section {
  return section(
    "Others from the same addresses",
    "Keys and users that used an address of this key. Behind a shared exit this means little; otherwise, the thief may have those keys, too.",
    ["Address", "Environment", "Who", "Uses", "First", "Last"],
    shared.rows
      .slice(0, ROWS)
      .map((one) => [
        one.address,
        one.environment,
        one.actor,
        countText(one.uses),
        minute(one.firstAt),
        minute(one.lastAt),
      ]),
    [
      more(shared.rows.length - ROWS, "rows"),
      more(shared.others, "uses by others that were too many to be kept apart"),
    ],
  );
}

function siblingSection({ siblings, shared }: RadiusView): Section {
  const used = new Map<string, Set<string>>();
  for (const { actor, address } of shared.rows) used.set(actor, (used.get(actor) ?? new Set()).add(address));
  return section(
    "Other keys of the owner",
    "",
    ["Key", "Environment", "Name", "State", "Issued", "Used from the same addresses"],
    siblings.rows
      .slice(0, ROWS)
      .map((key) => [
        key.id,
        key.environment,
        key.name,
        key.reason === null ? key.state : `${key.state} (${key.reason})`,
        minute(key.createdAt),
        [...(used.get(`key:${key.id}`) ?? [])].slice(0, 5).join(", ") || "no",
      ]),
    [more(siblings.rows.length - ROWS + siblings.more, "keys")],
  );
}

function countSection({ models, endpoints, permissions, codes, outcomes, programs }: RadiusView): Section {
  const rows = (what: string, { rows: found }: Counts): string[][] =>
    found.slice(0, COUNTED).map(({ name, count }) => [what, name, countText(count)]);
  const all = [models, endpoints, permissions, codes, outcomes, programs];
  return section(
    "What was asked for",
    "",
    ["What", "Name", "Times"],
    [
      ...rows("model", models),
      ...rows("endpoint", endpoints),
      ...rows("permission", permissions),
      ...rows("refusal", codes),
      ...rows("outcome", outcomes),
      ...rows("program", programs),
    ],
    [
      more(
        all.reduce((sum, one) => sum + Math.max(0, one.rows.length - COUNTED), 0),
        "names",
      ),
      more(
        all.reduce((sum, one) => sum + one.others, 0),
        "times under names that were too many to be kept apart",
      ),
    ],
  );
}

function clientSection({ clients }: RadiusView): Section {
  return section(
    "Programs",
    "As the programs identified themselves: anyone who has the key can send any text here.",
    ["Address", "Program", "Last seen"],
    clients.slice(0, ROWS).map(({ address, agent, usedAt }) => [address, agent === "" ? "-" : agent, minute(usedAt)]),
    [more(clients.length - ROWS, "rows")],
  );
}

function happenings(title: string, says: string, { rows, more: left }: Happenings): Section {
  const cut = Math.max(0, rows.length - ROWS);
  const half = ROWS / 2;
  const shown = cut === 0 ? rows : [...rows.slice(0, half), ...rows.slice(-half)];
  return section(
    title,
    says,
    ["Record", "Time", "Environment", "What", "Who", "Fields"],
    shown.map((one) => [String(one.seq), minute(one.at), one.environment, one.type, one.actor, one.says]),
    [more(cut + left, "records in the middle")],
  );
}

function evidenceSection({ folders, missing }: FrozenEvidence): Section {
  return section(
    "Evidence",
    "Copies of the audit logs, made when the incident was opened, with signed manifests.",
    ["Folder", "Verify with"],
    folders.map((folder) => [folder, `sallyport audit verify ${folder}`]),
    [missing],
  );
}

function proofSection(proofs: readonly ReportProof[]): Section {
  const whole = proofs.filter(({ file }) => file !== null);
  return section(
    "Proofs",
    "Records that decide, each with a proof that is verified alone, offline, in this folder; with --key and what 'sallyport audit keys' printed, also against a server that lies.",
    ["Record", "Why", "Verify with"],
    whole.map(({ seq, why, file }) => [String(seq), why, `sallyport audit verify ${file}`]),
    [
      more(
        proofs.length - whole.length,
        "records without a proof: they are older than the logs, were removed by retention, or the audit log is damaged (sallyport audit verify)",
      ),
    ],
  );
}

function section(
  title: string,
  says: string,
  head: readonly string[],
  rows: readonly (readonly string[])[],
  left: readonly string[],
): Section {
  return { title, says, head, rows, more: left.filter((text) => text !== "").join("; ") };
}

function more(count: number, of: string): string {
  return count > 0 ? `and ${countText(count)} more: ${of}` : "";
}
