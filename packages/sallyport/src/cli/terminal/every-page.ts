/** Lists that the admin API returns in pages, read to their end: the first page alone is not the list. */
import type { AdminClient } from "@sallyport/client";
import type {
  AssignmentView,
  FindingView,
  KeyPlanView,
  ListedKey,
  PrincipalView,
  Query,
  RightsizingView,
} from "@sallyport/contract";

/** The contract's bound. */
const limit = 1_000;

export function allKeys(
  client: AdminClient,
  query: Omit<Query<"keys.list">, "after" | "limit"> = {},
): Promise<ListedKey[]> {
  return everyPage(async (after) => {
    const { keys, next } = await client.call("keys.list", { query: { ...query, after, limit } });
    return { rows: keys, next };
  });
}

export function allPrincipals(
  client: AdminClient,
  query: { readonly kind?: PrincipalView["kind"]; readonly name?: string } = {},
): Promise<PrincipalView[]> {
  return everyPage(async (after) => {
    const { principals, next } = await client.call("principals.list", { query: { ...query, after, limit } });
    return { rows: principals, next };
  });
}

export function allAssignments(
  client: AdminClient,
  query: { readonly principal?: string } = {},
): Promise<AssignmentView[]> {
  return everyPage(async (after) => {
    const { assignments, next } = await client.call("assignments.list", { query: { ...query, after, limit } });
    return { rows: assignments, next };
  });
}

export function allKeyPlans(client: AdminClient): Promise<KeyPlanView[]> {
  return everyPage(async (after) => {
    const { plans, next } = await client.call("rightsizing.planned", { query: { after, limit } });
    return { rows: plans, next };
  });
}

export function allRightsizings(
  client: AdminClient,
  query: { readonly environment?: string | undefined; readonly key?: string },
): Promise<RightsizingView[]> {
  return everyPage(async (after) => {
    const { rightsizings, next } = await client.call("rightsizing.list", { query: { ...query, after, limit } });
    return { rows: rightsizings, next };
  });
}

export function allFindings(
  client: AdminClient,
  query: { readonly environment?: string | undefined; readonly status?: FindingView["status"] } = {},
): Promise<FindingView[]> {
  return everyPage(async (after) => {
    const { findings, next } = await client.call("findings", { query: { ...query, after, limit } });
    return { rows: findings, next };
  });
}

async function everyPage<Row>(
  pageAfter: (after: string | undefined) => Promise<{ readonly rows: readonly Row[]; readonly next: string | null }>,
): Promise<Row[]> {
  const all: Row[] = [];
  for (let after: string | undefined; ;) {
    const { rows, next } = await pageAfter(after);
    all.push(...rows);
    if (next === null) return all;
    after = next;
  }
}
