/** `sallyport today`: the five things that need a person now, worst first, each with its command. */
import type { Command } from "commander";
import { Problem, severities } from "@sallyport/protocol";
import type { Severity } from "@sallyport/protocol";
import type { AdminClient } from "@sallyport/client";
import type { FindingView } from "@sallyport/contract";
import { withClient } from "../terminal/cli.ts";
import type { Cli } from "../terminal/cli.ts";
import { allFindings } from "../terminal/every-page.ts";
import { withServer } from "../terminal/options.ts";
import type { ServerOptions } from "../terminal/options.ts";
import { show, warn } from "../terminal/print.ts";
import { withProgress } from "../terminal/progress.ts";
import { indented, withCommands } from "../terminal/styled-line.ts";
import type { Line } from "../terminal/styled-line.ts";

/** One thing for a person to do. */
interface Task {
  readonly severity: Severity;
  readonly kind: "finding" | "alert" | "budget";
  readonly environment: string;
  readonly says: string;
  /** Empty where several findings have several remedies. */
  readonly command: string;
  /** How many of the same kind there are. */
  readonly count: number;
}

const SHOWN = 5;
const ALERTS_MS = 7 * 86_400_000;

export function addToday(program: Command, cli: Cli): void {
  withServer(program.command("today"))
    .description("show the five things that need a person now, worst first, each with its command")
    .action(async (options: ServerOptions) => {
      const { io } = cli;
      const unread: string[] = [];
      const tasks = await withProgress(io, { label: "looking for what needs a person", isJson: options.json }, () =>
        withClient(cli, options, (client) => tasksOf(client, (what) => unread.push(what))),
      );
      const today = tasks.slice(0, SHOWN);
      for (const what of unread) warn(io, `this key may not read ${what}, so they are missing here`);
      show(io, options.json, { tasks: today, more: tasks.length - today.length, notRead: unread }, () =>
        describeToday(today, tasks.length - today.length),
      );
    });
}

async function tasksOf(client: AdminClient, onDenied: (what: string) => void): Promise<readonly Task[]> {
  const parts = [
    await readable("findings", onDenied, async () => findingTasks(await allFindings(client, { status: "open" }))),
    await readable("alerts", onDenied, () => alertTasks(client)),
    await readable("budgets", onDenied, () => budgetTasks(client)),
  ];
  return parts
    .flat()
    .toSorted((a, b) => severities.indexOf(a.severity) - severities.indexOf(b.severity) || b.count - a.count);
}

/** An administrator who may not read something still gets the rest. */
async function readable(what: string, onDenied: (what: string) => void, read: () => Promise<Task[]>): Promise<Task[]> {
  try {
    return await read();
  } catch (failure) {
    if (!(failure instanceof Problem) || failure.code !== "permission_denied") throw failure;
    onDenied(what);
    return [];
  }
}

/** Findings of one code in one environment are one task: a hundred unused keys must not hide an open incident. */
function findingTasks(findings: readonly FindingView[]): Task[] {
  const groups = new Map<string, FindingView[]>();
  for (const finding of findings) {
    if (finding.severity === "info") continue;
    const name = `${finding.severity}/${finding.code}/${finding.environment}`;
    const group = groups.get(name);
    if (group) group.push(finding);
    else groups.set(name, [finding]);
  }
  return [...groups.values()].map((group): Task => {
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

async function alertTasks(client: AdminClient): Promise<Task[]> {
  const since = Date.now() - ALERTS_MS;
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

async function budgetTasks(client: AdminClient): Promise<Task[]> {
  const { environments } = await client.call("activity");
  return environments.flatMap(({ name, budgets }) =>
    budgets
      .filter(({ used, amount }) => used >= amount)
      .map(({ account, budget, endsAt }): Task => ({
        severity: "medium",
        kind: "budget",
        environment: name,
        says: `the budget ${budget} of ${account} is used up until ${endsAt}`,
        command: `sallyport usage --env ${name} --by key`,
        count: 1,
      })),
  );
}

function describeToday(tasks: readonly Task[], more: number): Line[] {
  if (tasks.length === 0) return ["nothing needs a person now"];
  return [
    ...tasks.flatMap(({ severity, environment, says, command }, at): Line[] => [
      `${at + 1}. ${severity}, ${environment}: ${says}`,
      indented(withCommands(command), "   "),
    ]),
    ...(more > 0 ? ["", `${more} more: sallyport posture`] : []),
  ];
}
