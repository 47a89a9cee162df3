/** The text of a policy file, read strictly: the policy it describes, or its mistakes with their places, a bounded number of them. */
import { readYaml } from "../kernel/yaml.ts";
import { readPolicy } from "./policy-file.ts";
import type { PolicyDocument } from "./policy-file.ts";

export type PolicyTextRead =
  | { readonly ok: true; readonly policy: PolicyDocument }
  | { readonly ok: false; readonly detail: string; readonly mistakes: readonly string[] };

/** More mistakes than a person reads at once. The rest shows when these are corrected. */
const MISTAKES_MAX = 50;
const MISTAKE_LENGTH_MAX = 300;

export function readPolicyText(text: string): PolicyTextRead {
  const yaml = readYaml(text);
  if (yaml.mistakes.length > 0)
    return { ok: false, detail: "the policy is not strict YAML", mistakes: bounded(yaml.mistakes) };
  const read = readPolicy(yaml.value);
  if (read.ok) return read;
  const first = read.mistakes.slice(0, MISTAKES_MAX);
  const told = first.map(({ path, says }) => `${yaml.place(path)} ${pathText(path)}: ${says}`);
  return { ok: false, detail: "the policy has mistakes", mistakes: bounded(told, read.mistakes.length) };
}

function bounded(mistakes: readonly string[], count = mistakes.length): string[] {
  const told = mistakes.slice(0, MISTAKES_MAX).map((mistake) => mistake.slice(0, MISTAKE_LENGTH_MAX));
  return count > MISTAKES_MAX ? [...told, `and ${count - MISTAKES_MAX} more`] : told;
}

/** `environments.dev.upstreams[0].url`. */
function pathText(path: readonly (string | number)[]): string {
  const text = path.map((step) => (typeof step === "number" ? `[${step}]` : `.${step}`)).join("");
  return text === "" ? "(file)" : text.replace(/^\./, "");
}
