/** A principal as people name it: by id, or by a name only one has. */
import type { Principal } from "./policy.ts";
import type { Principals } from "./principals.ts";

/** The principal, or the sentence that says why it was not found. */
export function resolvePrincipal(text: string, principals: Pick<Principals, "get" | "called">): Principal | string {
  const byId = principals.get(text);
  if (byId) return byId;
  const named = principals.called("name", text).filter(({ name }) => name === text);
  const [first] = named;
  if (!first) return `there is no person or service ${JSON.stringify(text)}`;
  if (named.length > 1) return `${named.length} people or services are named ${JSON.stringify(text)}: use the id`;
  return first;
}
