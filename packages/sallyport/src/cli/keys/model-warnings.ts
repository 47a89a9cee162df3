/** What is likely wrong with the models of a key that was just created: none, or one that no server has. */
import type { AdminClient } from "@sallyport/client";
import type { RoleView } from "@sallyport/contract";
import {
  didYouMean,
  isDataPermission,
  isPermission,
  matchesModel,
  needsModel,
  parseModelName,
  parseSelector,
  Problem,
} from "@sallyport/protocol";
import { readServerModels } from "../terminal/server-models.ts";
import { shellWord } from "../terminal/shell-words.ts";

export interface CreatedScope {
  readonly id: string;
  readonly environment: string;
  readonly roles: readonly string[];
  readonly allow: readonly string[];
  readonly models: readonly string[];
  /** The model servers' addresses are those of the gateway host: elsewhere, another server would reply. */
  readonly canAskServers: boolean;
}

/** The key exists already: a slow server must not keep its owner waiting. */
const MODELS_MS = 1_000;

/** Never fails: the key exists, and its only copy is not shown yet. */
export async function modelWarnings(client: AdminClient, scope: CreatedScope): Promise<readonly string[]> {
  try {
    if (scope.models.length === 0) return await withoutModel(client, scope);
    return scope.canAskServers ? await unlisted(client, scope) : [];
  } catch {
    return [];
  }
}

async function withoutModel(client: AdminClient, { id, roles, allow }: CreatedScope): Promise<readonly string[]> {
  const grants = (await readRoles(client, roles)).flatMap((role) => role.allow);
  const names = [...allow, ...grants.flatMap((grant) => grant.do)];
  if (!names.some((name) => isPermission(name) && isDataPermission(name) && needsModel(name))) return [];
  const named = [...new Set(grants.flatMap(({ on }) => on ?? []))];
  const also = named.length === 0 ? "" : `, not even those that its roles name (${named.join(", ")})`;
  const wanted = named.length === 0 ? "MODEL" : shellWord(named.join(","));
  return [
    `the key names no model, so it can use none${also}. Create another with \`--model ${wanted}\`, and revoke this one: \`sallyport keys revoke ${id}\``,
  ];
}

/** A pattern may be meant for models to come; a whole name that no server lists is more likely a typing error. */
async function unlisted(client: AdminClient, { environment, models }: CreatedScope): Promise<readonly string[]> {
  const named = models.filter((model) => !model.includes("*") && !model.startsWith("cloud:"));
  if (named.length === 0) return [];
  const { upstreams } = await client.call("upstreams.list", { query: { environment } });
  const { names, silent } = await readServerModels(upstreams, MODELS_MS);
  if (names.length === 0 || silent.length > 0) return [];
  const listed = names.flatMap((name) => parseModelName(name) ?? []);
  return named
    .filter((model) => !listed.some((name) => matchesModel(parseSelector(model)!, name)))
    .map((model) => {
      const bare = names.flatMap((name) =>
        name.endsWith(":latest") ? [name, name.slice(0, -":latest".length)] : [name],
      );
      return `no model server of ${environment} lists ${model}${didYouMean(model, bare)}`;
    });
}

/** Those that the caller can read. */
async function readRoles(client: AdminClient, names: readonly string[]): Promise<readonly RoleView[]> {
  const roles: RoleView[] = [];
  for (const name of names) {
    try {
      roles.push(await client.call("roles.show", { params: { name } }));
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem;
    }
  }
  return roles;
}
