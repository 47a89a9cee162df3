/** Plans of right-sizing and the right-sizing of keys, for people. */
import type { KeyPlanView, RightsizingView } from "@sallyport/contract";
import { table } from "../terminal/print.ts";
import { relativeTime } from "../terminal/relative-time.ts";
import { error, indented, muted, ok, warning, withCommands } from "../terminal/styled-line.ts";
import type { Line, StyledText } from "../terminal/styled-line.ts";

export interface MadePlan {
  readonly plans: readonly KeyPlanView[];
  readonly from: string | null;
  readonly decisions: number;
  readonly isTruncated: boolean;
}

/** Models of a registry's default namespace are shown as people write them. */
const DEFAULT_PREFIX = "registry.ollama.ai/library/";

export function planLines({ plans, from, decisions, isTruncated }: MadePlan): Line[] {
  const proposed = plans.filter(({ after }) => after !== null);
  const others = plans.filter(({ after }) => after === null);
  return [
    ...table(
      ["KEY", "ENV", "NAME", "REMOVES", "NARROWS", "WOULD DENY"],
      proposed.map((one) => [
        one.key,
        one.environment,
        one.keyName,
        `${one.removed.length} of ${permissionsIn(one.before)}`,
        String(one.narrowed.length),
        deniesText(one),
      ]),
      "nothing is proposed",
    ),
    ...proposed.flatMap(planOf),
    ...(others.length === 0 ? [] : ["", "no proposal:"]),
    ...others.map((one) => indented(`${one.key} ${one.environment} ${one.keyName}: ${one.reason ?? ""}`)),
    ...(from === null ? [] : ["", `${decisions} recorded decisions were made again, from ${from} on`]),
    ...(isTruncated ? ["more keys match than one plan holds: use --env, --role or --key-id"] : []),
    ...(proposed.length === 0 ? [] : ["", withCommands("Next: `sallyport rightsize shadow KEY` compares for 7 days.")]),
  ];
}

function deniesText({ wouldDeny, of }: KeyPlanView): StyledText {
  return (wouldDeny === 0 ? ok : error)(`${wouldDeny} of ${of}`);
}

function planOf(one: KeyPlanView): Line[] {
  return [
    "",
    `${one.key} ${one.keyName} would keep:`,
    ...(one.after ?? []).map((grant) => indented(grantText(grant))),
    ...(one.removed.length === 0 ? [] : [indented(`and lose ${one.removed.join(", ")}`)]),
    ...(one.wouldDeny === 0 ? [] : [`would deny ${one.wouldDeny} of ${one.of} recorded requests, the first of them:`]),
    ...one.examples.map((example) => indented(`${example.at} ${example.request} ${example.demanded}`)),
    ...(one.deniedAnyway === 0 ? [] : [`the present policy denies ${one.deniedAnyway} of them in any case`]),
    ...(one.unknown === 0 ? [] : [`${one.unknown} records do not name every model, and were not decided`]),
  ];
}

function permissionsIn(grants: KeyPlanView["before"]): number {
  return new Set(grants.flatMap(({ permissions }) => permissions)).size;
}

/** `infer:chat on llama3.2` */
export function grantText({ permissions, models }: KeyPlanView["before"][number]): string {
  if (models === null) return permissions.join(", ");
  const names = models.map((model) => (model.startsWith(DEFAULT_PREFIX) ? model.slice(DEFAULT_PREFIX.length) : model));
  return `${permissions.join(", ")} on ${names.join(", ")}`;
}

const styles = { shadow: warning, applied: ok, ended: muted } as const;

export function rightsizingTable(all: readonly RightsizingView[]): Line[] {
  return table(
    ["KEY", "ENV", "NAME", "STATE", "SINCE", "UNTIL", "COMPARED", "DIFFERENCES"],
    all.map((one) => [
      one.key,
      one.environment,
      one.keyName ?? "-",
      stateText(one),
      relativeTime(one.at),
      one.state === "ended" ? "-" : relativeTime(one.until),
      String(one.compared),
      String(one.differences),
    ]),
    "no key is right-sized",
  );
}

function stateText({ state, end }: RightsizingView): StyledText {
  return styles[state](end === null ? state : end.why === "taken_back" ? "taken back" : end.why);
}

export function rightsizingLines(one: RightsizingView): Line[] {
  const { key, keyName, state, boundary, until, compared, differences, examples, end } = one;
  const name = keyName === null ? key : `${key} ${keyName}`;
  return [
    end === null
      ? [`${name}: `, stateText(one), state === "shadow" ? `, compared until ${until}` : `, guarded until ${until}`]
      : [`${name}: `, stateText(one), ` ${end.at} by ${end.by}`],
    "boundary:",
    ...boundary.map((grant) => indented(grantText(grant))),
    ...(state === "applied"
      ? []
      : [`${compared} requests compared; ${differences} denied by the boundary, or would have been`]),
    ...examples.map((example) => indented(`${example.at} ${example.request} ${example.demanded}`)),
  ];
}
