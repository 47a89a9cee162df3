/** What needs a person now, from what the admin API lets the caller read: findings, alerts and budgets, worst first. */
import { Problem, severities } from "@sallyport/protocol";
import type { Severity } from "@sallyport/protocol";
import type { FindingView } from "@sallyport/contract";
import type { AdminClient } from "./admin-client.ts";

/** One thing for a person to do. */
export interface TodayTask {
  readonly severity: Severity;
  readonly kind: "finding" | "alert" | "budget";
  readonly environment: string;
  readonly says: string;
  /** Empty where several findings have several remedies. */
  readonly command: string;
  /** How many of the same kind there are. */
  readonly count: number;
}

/** How many of them a person is shown. */
export const TODAY_SHOWN = 5;
const ALERTS_MS = 7 * 86_400_000;
const PAGE = 1_000;

/** `now` in epoch ms. `onDenied` learns what the caller may not read. */
export async function todayTasks(
  client: Pick<AdminClient, "call">,
  now: number,
  onDenied: (what: string) => void,
): Promise<readonly TodayTask[]> {
  const parts = [
    await readable("findings", onDenied, async () => findingTasks(await openFindings(client))),
    await readable("alerts", onDenied, () => alertTasks(client, now)),
    await readable("budgets", onDenied, () => budgetTasks(client)),
  ];
  return parts
    .flat()
    .toSorted((a, b) => severities.indexOf(a.severity) - severities.indexOf(b.severity) || b.count - a.count);
}

/** An administrator who may not read something still gets the rest. */
async function readable(
  what: string,
  onDenied: (what: string) => void,
  read: () => Promise<TodayTask[]>,
): Promise<TodayTask[]> {
  try {
    return await read();
  } catch (failure) {
    if (!(failure instanceof Problem) || failure.code !== "permission_denied") throw failure;
    onDenied(what);
    return [];
  }
}

/** Findings of one code in one environment are one task: a hundred unused keys must not hide an open incident. */
function findingTasks(findings: readonly FindingView[]): TodayTask[] {
  const groups = new Map<string, FindingView[]>();
  for (const finding of findings) {
    if (finding.severity === "info") continue;
    const name = `${finding.severity}/${finding.code}/${finding.environment}`;
    const group = groups.get(name);
    if (group) group.push(finding);
    else groups.set(name, [finding]);
  }
  return [...groups.values()].map((group): TodayTask => {
    const [{ severity, code, environment, says, remedy }] = group as [FindingView];
    const others = group.length - 1;
    return {
      severity,
      kind: "finding",
      environment,
      says: others === 0 ? says : `${says}; and ${others} more with the finding ${code}`,
      command:
        others === 0 && remedy !== ""
          ? remedy
          : `sallyport posture${environment === "system" ? "" : ` --env ${environment}`}`,
      count: group.length,
    };
  });
}

async function alertTasks(client: Pick<AdminClient, "call">, now: number): Promise<TodayTask[]> {
  const since = now - ALERTS_MS;
  const { alerts } = await client.call("anomalies.list", { query: { since } });
  return alerts
    .filter(({ isAnswered }) => !isAnswered)
    .map(({ alert, environment, says, held, activeUntil }) => ({
      severity: held !== null || activeUntil !== null ? "high" : "medium",
      kind: "alert",
      environment,
      says,
      command: `sallyport anomalies respond ${alert} --confirm, or --false-alarm`,
      count: 1,
    }));
}

async function budgetTasks(client: Pick<AdminClient, "call">): Promise<TodayTask[]> {
  const { environments } = await client.call("activity");
  return environments.flatMap(({ name, budgets }) =>
    budgets
      .filter(({ used, amount }) => used >= amount)
      .map(({ account, budget, endsAt }): TodayTask => ({
        severity: "medium",
        kind: "budget",
        environment: name,
        says: `the budget ${budget} of ${account} is used up until ${endsAt}`,
        command: `sallyport usage --env ${name} --by key`,
        count: 1,
      })),
  );
}

async function openFindings(client: Pick<AdminClient, "call">): Promise<FindingView[]> {
  const all: FindingView[] = [];
  for (let after: string | undefined; ;) {
    const { findings, next } = await client.call("findings", { query: { status: "open", after, limit: PAGE } });
    all.push(...findings);
    if (next === null) return all;
    after = next;
  }
}
