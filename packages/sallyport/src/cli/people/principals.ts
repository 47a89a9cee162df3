/** `sallyport people …` and `sallyport services …`: the same commands for two kinds of principal. */
import type { Command } from "commander";
import type { AdminClient } from "@sallyport/client";
import { didYouMean, Problem } from "@sallyport/protocol";
import type { AssignmentView, PrincipalView } from "@sallyport/contract";
import { withClient } from "../terminal/cli.ts";
import type { Cli } from "../terminal/cli.ts";
import { allAssignments, allPrincipals } from "../terminal/every-page.ts";
import { listOption, withServer } from "../terminal/options.ts";
import type { ServerOptions } from "../terminal/options.ts";
import { facts, listText, show, table, timeText } from "../terminal/print.ts";
import type { Line } from "../terminal/styled-line.ts";

type Kind = "person" | "service";

interface AssignOptions extends ServerOptions {
  readonly env: string;
  readonly role?: string[];
  readonly allow?: string[];
  readonly model?: string[];
}

export function addPrincipals(program: Command, cli: Cli, name: "people" | "services", kind: Kind): void {
  const group = program.command(name).description(`create, list, assign and disable ${name}`);

  withServer(group.command("create"))
    .description(`create a ${kind}`)
    .requiredOption("--name <name>", "its name")
    .option("--team <team>", "the team that owns it")
    .addOption(listOption("--group <groups>", "groups it belongs to"))
    .action(async (options: ServerOptions & { name: string; team?: string; group?: string[] }) => {
      const body = { kind, name: options.name, team: options.team ?? null, groups: options.group ?? [] };
      const made = await withClient(cli, options, (client) => client.call("principals.create", { body }));
      show(cli.io, options.json, made, () => principalFacts(made));
    });

  withServer(group.command("list"))
    .description(`list ${name}`)
    .action(async (options: ServerOptions) => {
      const principals = await withClient(cli, options, (client) => allPrincipals(client, { kind }));
      show(cli.io, options.json, { principals }, () =>
        table(
          ["ID", "NAME", "TEAM", "GROUPS", "STATE", "LOCAL LOG-IN"],
          principals.map((one) => [
            one.id,
            one.name,
            one.team ?? "-",
            listText(one.groups),
            one.isDisabled ? "disabled" : "active",
            one.localLogin,
          ]),
          `no ${name}`,
        ),
      );
    });

  withServer(group.command("show <who>"))
    .description(`show a ${kind} and what is assigned, by id or unique name`)
    .action(async (who: string, options: ServerOptions) => {
      const found = await withClient(cli, options, async (client) => {
        const principal = await find(client, kind, who);
        const assignments = await allAssignments(client, { principal: principal.id });
        return { ...principal, assignments };
      });
      show(cli.io, options.json, found, () => [...principalFacts(found), "", ...assignmentTable(found.assignments)]);
    });

  if (kind === "person") addLocalLogin(group, cli);

  for (const verb of ["disable", "enable"] as const) {
    withServer(group.command(`${verb} <who>`))
      .description(verb === "disable" ? `stop every key of a ${kind}` : `let a disabled ${kind} work again`)
      .action(async (who: string, options: ServerOptions) => {
        const changed = await withClient(cli, options, async (client) => {
          const { id } = await find(client, kind, who);
          return client.call(`principals.${verb}`, { params: { id } });
        });
        show(cli.io, options.json, changed, () => principalFacts(changed));
      });
  }

  withServer(group.command("assign <who>"))
    .description(`give a ${kind} roles or permissions in an environment`)
    .requiredOption("--env <environment>", "environment")
    .addOption(listOption("--role <roles>", "roles"))
    .addOption(listOption("--allow <permissions>", "single permissions"))
    .addOption(listOption("--model <selectors>", "models (default: those of the roles)"))
    .action(async (who: string, options: AssignOptions) => {
      const made = await withClient(cli, options, async (client) => {
        const { id } = await find(client, kind, who);
        const { env: environment, role: roles = [], allow = [], model: models = null } = options;
        return client.call("assignments.create", {
          body: { subject: { principal: id }, environment, roles, allow, models },
        });
      });
      show(cli.io, options.json, made, () => assignmentTable([made]));
    });

  withServer(group.command("unassign <assignment>"))
    .description("remove an assignment by its id")
    .action(async (id: string, options: ServerOptions) => {
      const gone = await withClient(cli, options, (client) => client.call("assignments.remove", { params: { id } }));
      show(cli.io, options.json, gone, () => assignmentTable([gone]));
    });
}

function addLocalLogin(group: Command, cli: Cli): void {
  withServer(group.command("invite <who>"))
    .description(
      "invite a user to log in with a password and an authenticator; a second invitation removes the old ones and ends the sessions",
    )
    .action(async (who: string, options: ServerOptions) => {
      const invited = await withClient(cli, options, async (client) => {
        const { id } = await find(client, "person", who);
        return client.call("principals.invite", { params: { id } });
      });
      show(cli.io, options.json, invited, () =>
        facts({
          person: invited.name,
          open: invited.page ?? "<the gateway's address>/login/enrol",
          code: invited.code,
          expires: timeText(invited.expiresAt),
        }),
      );
      if (!options.json) cli.io.err("The code is shown this once, and is good once: hand it to that person alone.");
    });

  withServer(group.command("confirm <who>"))
    .description("confirm a user's local log-in and provisioned id after the user's permissions have grown")
    .action(async (who: string, options: ServerOptions) => {
      const changed = await withClient(cli, options, async (client) => {
        const { id } = await find(client, "person", who);
        return client.call("principals.confirm", { params: { id } });
      });
      show(cli.io, options.json, changed, () => principalFacts(changed));
    });

  withServer(group.command("uninvite <who>"))
    .description("remove a user's local log-in or invitation, and end the user's sessions")
    .action(async (who: string, options: ServerOptions) => {
      const changed = await withClient(cli, options, async (client) => {
        const { id } = await find(client, "person", who);
        return client.call("principals.uninvite", { params: { id } });
      });
      show(cli.io, options.json, changed, () => principalFacts(changed));
    });
}

async function find(client: AdminClient, kind: Kind, who: string): Promise<PrincipalView> {
  const byId = await orNone(client.call("principals.show", { params: { id: who } }));
  if (byId?.kind === kind) return byId;
  const named = (await orNone(allPrincipals(client, { kind, name: who }))) ?? [];
  if (named.length > 1)
    throw new Problem(
      "input_invalid",
      `${named.length} are named ${who}: use the id`,
      named.map((one) => one.id),
    );
  const [only] = named;
  if (!only) {
    const all = await allPrincipals(client, { kind });
    const near = didYouMean(who, all.map(({ name }) => name)); // prettier-ignore
    throw new Problem(
      "not_found",
      `there is no ${kind} ${JSON.stringify(who)}; \`sallyport ${kind === "person" ? "people" : "services"} list\` prints them${near}`,
    );
  }
  return only;
}

/** Undefined if there is no such record, also for text that cannot be an id or a name. */
async function orNone<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked;
  } catch (problem) {
    const isNone =
      problem instanceof Problem && ["not_found", "input_invalid", "query_not_accepted"].includes(problem.code);
    if (isNone) return undefined;
    throw problem;
  }
}

function principalFacts(one: PrincipalView): Line[] {
  return facts({
    id: one.id,
    name: one.name,
    kind: one.kind,
    team: one.team,
    groups: listText(one.groups),
    state: stateText(one),
    ...(one.userName === null ? {} : { "in the directory": `${one.userName} (${one.externalId ?? "no external id"})` }),
    ...(one.identities.length === 0
      ? {}
      : { identities: one.identities.map((id) => `${id.subject} at ${id.issuer}`).join(", ") }),
    ...(one.kind === "person" ? { "local log-in": one.localLogin } : {}),
    created: timeText(one.createdAt),
  });
}

function stateText({ isDisabled, disabledBy, disabledIn }: PrincipalView): string {
  if (isDisabled) return `disabled (said by ${disabledBy.join(", ")})`;
  return disabledIn ? `disabled in ${disabledIn.join(", ")}` : "active";
}

function assignmentTable(assignments: readonly AssignmentView[]): Line[] {
  return table(
    ["ASSIGNMENT", "ENV", "ROLES", "ALLOW", "MODELS", "FROM"],
    assignments.map((one) => [
      one.id,
      one.environment,
      listText(one.roles),
      listText(one.allow),
      one.models === null ? "(role's)" : listText(one.models),
      one.source,
    ]),
    "nothing assigned to it alone",
  );
}
