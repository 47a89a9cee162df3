/** A principal as people name it: by id, or by a name only one has. */
import type { LongWork } from "../kernel/long-work.ts";
import type { Principal } from "./policy.ts";

/** The principal, or the sentence why there is none. */
export type ResolvePrincipal = (text: string) => Principal | string;

/** The principal, or the sentence why there is none. */
export function resolvePrincipal(text: string, principals: ReadonlyMap<string, Principal>): Principal | string {
  const byId = principals.get(text);
  if (byId) return byId;
  const named = [...principals.values()].filter((principal) => principal.name === text);
  return theOnly(text, named);
}

/** The same for many texts at once, known before: the principals are looked at one time, in slices. */
export async function indexNames(
  texts: ReadonlySet<string>,
  principals: ReadonlyMap<string, Principal>,
  work: LongWork,
): Promise<ResolvePrincipal> {
  const byName = new Map<string, Principal[]>();
  await work.each(principals.values(), (principal) => {
    const { name } = principal;
    if (!texts.has(name)) return;
    const named = byName.get(name);
    if (named) named.push(principal);
    else byName.set(name, [principal]);
  });
  return (text) => principals.get(text) ?? theOnly(text, byName.get(text) ?? []);
}

function theOnly(text: string, named: readonly Principal[]): Principal | string {
  const [first] = named;
  if (!first) return `there is no person or service ${JSON.stringify(text)}`;
  if (named.length > 1) return `${named.length} people or services are named ${JSON.stringify(text)}: use the id`;
  return first;
}
