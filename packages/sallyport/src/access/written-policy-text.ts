/** Present policy as the text of a policy file. Each environment, role and assignment is written by itself, in slices. */
import { writeYaml } from "../kernel/yaml.ts";
import type { LongWork } from "../kernel/long-work.ts";
import type { PresentPolicy } from "./policy-plan.ts";
import { writePolicy } from "./written-policy.ts";

/** `isMine`: whether an environment is written; its assignments are, too. */
export async function writePolicyText(
  policy: PresentPolicy,
  isMine: (environment: string) => boolean,
  work: LongWork,
): Promise<string> {
  const { environments, roles, assign } = await writePolicy(policy, isMine, work);
  const lines: string[] = [];
  await section("environments", Object.entries(environments), ([name, entry]) => ({ [name]: entry }));
  await section("roles", Object.entries(roles), ([name, entry]) => ({ [name]: entry }));
  await section("assign", assign, (entry) => [entry]);
  return lines.length === 0 ? "environments: {}\n" : lines.join("");

  async function section<T>(name: string, entries: readonly T[], make: (entry: T) => unknown): Promise<void> {
    if (entries.length > 0) lines.push(`${name}:\n`);
    await work.each(entries, (entry) => lines.push(indented(writeYaml(make(entry)))));
  }
}

/** A line ends with `\n` only: YAML does not take the other characters that end lines elsewhere for such. */
function indented(text: string): string {
  return text
    .split("\n")
    .map((line) => (line === "" ? "" : `  ${line}`))
    .join("\n");
}
