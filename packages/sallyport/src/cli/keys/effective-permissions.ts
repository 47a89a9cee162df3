/** What a key with these roles and models could do, in words: for the person who is about to create it. */
import type { EnvironmentView, RoleView } from "@sallyport/contract";
import { coversSelector, isPermission, needsModel, parseSelector, permissions } from "@sallyport/protocol";

export interface KeyWish {
  readonly environment: EnvironmentView;
  readonly roles: readonly RoleView[];
  readonly models: readonly string[];
  readonly ttl: string;
  /** Empty = from anywhere. */
  readonly networks: readonly string[];
}

/** A line for each set of models, then the conditions. */
export function describeEffectivePermissions(wish: KeyWish): readonly string[] {
  const { environment, roles, models, ttl, networks } = wish;
  const onModels = new Map<string, Set<string>>();
  const plain = new Set<string>();
  for (const { do: names, on } of roles.flatMap(({ allow }) => allow)) {
    const where = listModels(on === null ? models : intersect(models, on));
    for (const name of names) {
      if (!isPermission(name)) continue;
      const { says } = permissions[name];
      if (!needsModel(name)) plain.add(says);
      else if (where !== "") onModels.set(where, (onModels.get(where) ?? new Set()).add(says));
    }
  }
  const lines = [...onModels].map(([where, says]) => `${[...says].join(", ")}: with ${where}`);
  if (plain.size > 0) lines.push([...plain].join(", "));
  if (lines.length === 0) lines.push("nothing: its roles grant nothing on these models");
  const doors = [environment, ...roles];
  return [
    ...lines,
    `for ${ttl}, from ${networks.length === 0 ? "anywhere" : networks.join(", ")}${alsoWithin(doors)}`,
    ...limitLines(doors),
    ...conditionLines(doors),
  ];
}

/** What a role names for itself counts only within the key's own models. */
function intersect(models: readonly string[], on: readonly string[]): readonly string[] {
  return models.flatMap((model) =>
    on.flatMap((other) => {
      const [mine, theirs] = [parseSelector(model), parseSelector(other)];
      if (!mine || !theirs) return [];
      if (coversSelector(theirs, mine)) return [model];
      return coversSelector(mine, theirs) ? [other] : [];
    }),
  );
}

function listModels(models: readonly string[]): string {
  const names = [...new Set(models)];
  return names.includes("*") ? "every local model" : names.join(", ");
}

function alsoWithin(doors: readonly Pick<RoleView, "networks">[]): string {
  const lists = doors.flatMap(({ networks }) => (networks === null ? [] : [networks.join(", ")]));
  return lists.map((list) => `, and only from ${list}`).join("");
}

function limitLines(doors: readonly Pick<RoleView, "limits">[]): readonly string[] {
  const requests = doors.flatMap(({ limits }) => limits.requests ?? []);
  const concurrency = doors.flatMap(({ limits }) => limits.concurrency ?? []);
  const parts = [
    ...requests.map((rate) => `${rate} requests`),
    ...(concurrency.length === 0 ? [] : [`${Math.min(...concurrency)} at the same time`]),
  ];
  return parts.length === 0 ? [] : [`at most ${[...new Set(parts)].join(", ")}`];
}

function conditionLines(doors: readonly Pick<RoleView, "require">[]): readonly string[] {
  const required = [...new Set(doors.flatMap(({ require }) => require))];
  return required.length === 0 ? [] : [`each request must also provide: ${required.join(", ")}`];
}
