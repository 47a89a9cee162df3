/** What `sallyport top` shows: for each environment its models, servers, users, requests and budgets. Pure. */
import type { Answer } from "@sallyport/contract";
import { table } from "../terminal/print.ts";
import { heading, muted, ok, warning } from "../terminal/styled-line.ts";
import type { Line } from "../terminal/styled-line.ts";
import { barText, durationText, shortCount } from "./human-units.ts";

type Activity = Answer<"activity">;
type Environment = Activity["environments"][number];

const USUAL_MODEL = "registry.ollama.ai/library/";
const BAR_WIDTH = 10;
const REQUESTS_SHOWN = 15;
/** A budget is worth a line when so much of it is used. */
const BUDGET_SHOWN = 0.5;

/** As many lines as fit into `rows`; the last line counts the rest. */
export function topLines({ at, environments }: Activity, rows = Infinity): Line[] {
  const lines: Line[] = [[heading("sallyport"), ` ${at.slice(0, 19)}Z`]];
  for (const environment of environments) lines.push("", ...environmentLines(environment));
  if (environments.length === 0) lines.push("", "no environments to administer");
  if (lines.length <= rows) return lines;
  const left = Math.max(1, rows - 1);
  const unseen = lines.length - left;
  return [...lines.slice(0, left), [muted(`… ${unseen} more lines: enlarge the terminal, or use --env`)]];
}

function environmentLines(environment: Environment): Line[] {
  const { name, requests, users, models, servers, budgets, jainIndex } = environment;
  const running = requests.filter(({ state }) => state === "running").length;
  const waiting = models.reduce((sum, model) => sum + model.waiting, 0);
  return [
    [
      heading(name),
      `  ${running} running, `,
      waiting === 0 ? ok("none waiting") : warning(`${waiting} waiting`),
      users.length > 1 ? `, fairness ${jainIndex.toFixed(2)} of 1` : "",
    ],
    ...serverLines(servers),
    ...section(modelLines(models)),
    ...section(userLines(users)),
    ...section(requestLines(requests)),
    ...section(budgetLines(budgets)),
  ];
}

/** A blank line before a table that has rows. */
function section(lines: Line[]): Line[] {
  return lines.length === 0 ? [] : ["", ...lines];
}

function serverLines(servers: Environment["servers"]): Line[] {
  return servers.map(({ id, running, fitness, loadedModels }) => [
    `  server ${id} `,
    fitness === "up" ? ok("up") : warning(fitness),
    `, ${running} running, loaded: ${loadedModels.length === 0 ? "-" : loadedModels.map(shortModel).join(", ")}`,
  ]);
}

function modelLines(models: Environment["models"]): Line[] {
  const shown = models.filter(({ running, waiting, meanServiceMs }) => running + waiting + meanServiceMs > 0);
  if (shown.length === 0) return [];
  return table(
    ["MODEL", "RUNNING", "SLOTS", "WAITING", "USUALLY TAKES"],
    shown.map(({ model, running, slots, waiting, meanServiceMs }) => [
      shortModel(model),
      String(running),
      String(slots),
      String(waiting),
      meanServiceMs === 0 ? "-" : durationText(meanServiceMs),
    ]),
    "",
  );
}

function userLines(users: Environment["users"]): Line[] {
  if (users.length === 0) return [];
  return table(
    ["USER", "TEAM", "SHARE", "COMPUTE", "REQUESTS", "RUNNING", "WAITING", "MEAN WAIT"],
    users.map((user) => [
      user.name ?? user.principal,
      user.team ?? "-",
      `${barText(user.share, 1, BAR_WIDTH)} ${Math.round(100 * user.share)} %`,
      durationText(user.computeMs),
      shortCount(user.requests),
      String(user.running),
      String(user.waiting),
      durationText(user.meanQueueMs),
    ]),
    "",
  );
}

function requestLines(requests: Environment["requests"]): Line[] {
  if (requests.length === 0) return [];
  return table(
    ["REQUEST", "KEY", "MODEL", "ENDPOINT", "STATE", "SINCE", "SERVER"],
    [...requests.filter(({ state }) => state === "running"), ...requests.filter(({ state }) => state === "waiting")]
      .slice(0, REQUESTS_SHOWN)
      .map((request) => [
        request.id,
        request.keyName,
        request.model === null ? "-" : shortModel(request.model),
        request.endpoint,
        request.state === "waiting" ? warning("waiting") : "running",
        durationText(request.sinceMs),
        request.server ?? "-",
      ]),
    "",
  );
}

function budgetLines(budgets: Environment["budgets"]): Line[] {
  const shown = budgets.filter(({ used, amount }) => used >= BUDGET_SHOWN * amount).slice(0, 10);
  if (shown.length === 0) return [];
  return table(
    ["BUDGET OF", "WHAT", "USED", "OF", "UNTIL"],
    shown.map(({ account, budget, used, amount, endsAt }) => [
      account,
      budget,
      `${barText(used, amount, BAR_WIDTH)} ${Math.min(999, Math.round((100 * used) / amount))} %`,
      budget === "compute" ? durationText(amount) : shortCount(amount),
      `${endsAt.slice(0, 16)}Z`,
    ]),
    "",
  );
}

function shortModel(model: string): string {
  return model.startsWith(USUAL_MODEL) ? model.slice(USUAL_MODEL.length) : model;
}
