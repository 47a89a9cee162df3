/** `sallyport review`: access reviews, from the frozen population to a report that anyone can verify. */
import { Argument } from "commander";
import type { Command } from "commander";
import type { AdminClient } from "@sallyport/client";
import { reviewDecisions } from "@sallyport/protocol";
import type { LineView, ReviewView, WrittenDecision } from "@sallyport/contract";
import { withClient } from "../terminal/cli.ts";
import type { Cli } from "../terminal/cli.ts";
import { listOption, withServer } from "../terminal/options.ts";
import type { ServerOptions } from "../terminal/options.ts";
import { facts, show, table } from "../terminal/print.ts";
import { withProgress } from "../terminal/progress.ts";
import { relativeTime } from "../terminal/relative-time.ts";
import { indented, warning } from "../terminal/styled-line.ts";
import type { Line } from "../terminal/styled-line.ts";
import { UsageMistake } from "../terminal/usage-mistake.ts";
import { describeLine } from "./review-line.ts";
import { addReviewReport } from "./review-report.ts";

interface StartOptions extends ServerOptions {
  readonly env: string;
  readonly due?: string;
  readonly reviewer?: readonly string[];
  readonly privileged?: boolean;
}

export function addReview(program: Command, cli: Cli): void {
  const review = program
    .command("review")
    .description("review who has access: decide line by line, with a verifiable report");

  withServer(review.command("start"))
    .description("freeze everything that gives a right in an environment, and start a review of it")
    .requiredOption("--env <environment>", "environment to review")
    .option("--due <duration>", "how long reviewers have: 1d to 90d (default: 14d)")
    .addOption(listOption("--reviewer <name>", "admin keys that decide, by name or id, or os:USER"))
    .option("--privileged", "only admin keys, and what can change models, servers or bounds")
    .action(async ({ env: environment, due, reviewer, privileged, ...options }: StartOptions) => {
      const reviewers = reviewer && [...reviewer];
      const body = { environment, due, reviewers, ...(privileged ? { scope: "privileged" as const } : {}) };
      const started = await withProgress(cli.io, { label: "freezing the population", isJson: options.json }, () =>
        withClient(cli, options, (client) => client.call("reviews.start", { body })),
      );
      show(cli.io, options.json, started, () => [
        ...facts({
          review: started.reviewId,
          lines: started.lines,
          "population SHA-256": started.populationHash,
          due: started.due,
        }),
        `see its lines: sallyport review show ${started.reviewId}`,
      ]);
    });

  withServer(review.command("list"))
    .description("list reviews, newest first")
    .option("--env <environment>", "reviews of one environment")
    .action(async ({ env: environment, ...options }: ServerOptions & { env?: string }) => {
      const reviews = await withClient(cli, options, (client) => allReviews(client, environment));
      show(cli.io, options.json, { reviews }, () =>
        table(
          ["REVIEW", "STATE", "ENV", "SCOPE", "LINES", "OPEN", "DUE", "STARTED-BY"],
          reviews.map((one) => [
            one.id,
            one.state,
            one.environment,
            one.scope,
            String(one.lines),
            String(one.open),
            relativeTime(one.due),
            one.startedBy,
          ]),
          "no reviews",
        ),
      );
    });

  withServer(review.command("show <review> [line]"))
    .description(
      "show a review and its lines, riskiest first; with a line, its evidence: that you were shown it is recorded",
    )
    .option("--all", "decided lines, too")
    .action(async (id: string, text: string | undefined, { all, ...options }: ServerOptions & { all?: boolean }) => {
      if (text === undefined) return showReview(cli, id, all === true, options);
      const line = lineOf(text);
      const shown = await withClient(cli, options, (client) => client.call("reviews.open", { params: { id, line } }));
      show(cli.io, options.json, shown, () => describeLine(id, shown));
    });

  withServer(review.command("decide"))
    .description("decide on a line; what is revoked or narrowed changes at once")
    .argument("<review>", "id of the review")
    .argument("<line>", "number of the line")
    .addArgument(new Argument("<decision>", "what becomes of it").choices(reviewDecisions))
    .requiredOption("--reason <text>", "why, for the audit log")
    .action(
      async (
        id: string,
        text: string,
        decision: WrittenDecision,
        { reason, ...options }: ServerOptions & { reason: string },
      ) => {
        const line = lineOf(text);
        const call = { params: { id, line }, body: { decision, reason } };
        const done = await withClient(cli, options, (client) => client.call("reviews.decide", call));
        show(cli.io, options.json, done, () => [
          `line ${done.line}: ${done.outcome}; ${done.says}`,
          `recorded as number ${done.receipt} of the audit log`,
        ]);
      },
    );

  withServer(review.command("delegate <review> <line...>"))
    .description("give open lines to another reviewer")
    .requiredOption("--to <name>", "admin key that decides instead, by name or id, or os:USER")
    .action(async (id: string, texts: readonly string[], { to, ...options }: ServerOptions & { to: string }) => {
      const call = { params: { id }, body: { lines: texts.map(lineOf), to } };
      const done = await withClient(cli, options, (client) => client.call("reviews.delegate", call));
      show(cli.io, options.json, done, () => [`${done.lines.length} lines are for ${done.to} to decide`]);
    });

  withServer(review.command("restore <review> <line>"))
    .description("restore what a review suspended because no one had decided")
    .requiredOption("--reason <text>", "why, for the audit log")
    .action(async (id: string, text: string, { reason, ...options }: ServerOptions & { reason: string }) => {
      const call = { params: { id, line: lineOf(text) }, body: { reason } };
      const done = await withClient(cli, options, (client) => client.call("reviews.restore", call));
      show(cli.io, options.json, done, () => [`${done.subject}: ${done.says}`]);
    });

  withServer(review.command("close <review>"))
    .description("close a review whose lines are all decided, or whose end has come")
    .action(async (id: string, options: ServerOptions) => {
      const closed = await withProgress(cli.io, { label: "closing the review", isJson: options.json }, () =>
        withClient(cli, options, (client) => client.call("reviews.close", { params: { id } })),
      );
      show(cli.io, options.json, closed, () => [
        ...describeReview(closed),
        `write its report on the gateway host: sallyport review report ${id} --out DIR`,
      ]);
    });

  addReviewReport(review, cli);
}

function lineOf(text: string): number {
  if (!/^[1-9][0-9]{0,5}$/.test(text))
    throw new UsageMistake(
      `${JSON.stringify(text)} is not the number of a line`,
      "copy it from `sallyport review show REVIEW`",
    );
  return Number(text);
}

async function allReviews(client: AdminClient, environment: string | undefined): Promise<ReviewView[]> {
  const all: ReviewView[] = [];
  for (let after: string | undefined; ;) {
    const { reviews, next } = await client.call("reviews.list", { query: { environment, after } });
    all.push(...reviews);
    if (next === null) return all;
    after = next;
  }
}

async function showReview(cli: Cli, id: string, isAll: boolean, options: ServerOptions): Promise<void> {
  const shown = await withClient(cli, options, async (client) => {
    const review = await client.call("reviews.show", { params: { id } });
    const lines: LineView[] = [];
    // Scripts get everything.
    const status = isAll || options.json || review.state !== "open" ? undefined : ("open" as const);
    for (let after: number | undefined; ;) {
      const page = await client.call("reviews.lines", { params: { id }, query: { after, status, limit: PAGE } });
      lines.push(...page.lines);
      if (page.next === null) return { review, lines };
      after = page.next;
    }
  });
  show(cli.io, options.json, shown, () => [
    ...describeReview(shown.review),
    "",
    ...table(
      ["LINE", "SUBJECT", "NAME", "OWNER", "RISKS", "FLAGS", "REVIEWER", "DECISION"],
      shown.lines.map((one) => [
        String(one.line),
        one.subject,
        one.name,
        one.owner ?? "-",
        one.risks.join(",") || "-",
        one.flags.length > 0 ? warning(one.flags.join(",")) : "-",
        nameOf(shown.review, one.assignedTo),
        one.decision?.decision ?? one.outcome?.what ?? "open",
      ]),
      "no open lines",
    ),
  ]);
}

const PAGE = 500;

function nameOf({ reviewers }: ReviewView, actor: string | null): string {
  if (actor === null) return "any";
  return reviewers.find((one) => one.actor === actor)?.name ?? actor;
}

function describeReview(review: ReviewView): Line[] {
  const { reviewers, result } = review;
  return [
    ...facts({
      review: review.id,
      state: review.state,
      environment: review.environment,
      scope: review.scope,
      due: review.due,
      lines: review.lines,
      decided: review.decided,
      open: review.open,
      "without a decision": review.state === "closed" ? review.ended : undefined,
      "population SHA-256": review.populationHash,
    }),
    ...(result ? Object.entries(result.counts).map(([what, count]) => indented(`${what}: ${count}`)) : []),
    ...table(
      ["REVIEWER", "ACTOR", "STATE", "OPEN", "DECIDED"],
      reviewers.map(({ name, actor, state, open, decided }) => [
        name,
        actor,
        state === "left" ? warning("left: delegate their lines") : state,
        String(open),
        String(decided),
      ]),
      "no reviewers are named: each admin key that may decide can decide on any line",
    ),
    ...(result?.figures ?? []).flatMap(({ name, signs }) =>
      signs.length > 0 ? [[warning(`${name} decided without a look: ${signs.join("; ")}`)]] : [],
    ),
  ];
}
