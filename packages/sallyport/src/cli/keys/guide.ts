/** `keys create` without arguments on a terminal: asks for what the key needs, shows what it could do, and creates it on a yes. */
import { contract, parseDurationMs } from "@sallyport/contract";
import type { EnvironmentView, RoleView } from "@sallyport/contract";
import { isDataPermission, isPermission, parseSelector, permissions, Problem } from "@sallyport/protocol";
import { NetworkList } from "../../kernel/network-list.ts";
import { visibleLine } from "../../kernel/visible-text.ts";
import { withClient } from "../terminal/cli.ts";
import type { Cli } from "../terminal/cli.ts";
import { allKeys } from "../terminal/every-page.ts";
import type { ServerOptions } from "../terminal/options.ts";
import { askUntil, askYes, chooseOne, chooseSome } from "../terminal/question.ts";
import type { Choice, ReadAnswer } from "../terminal/question.ts";
import { readServerModels } from "../terminal/server-models.ts";
import type { ServerModels } from "../terminal/server-models.ts";
import { shellLine } from "../terminal/shell-words.ts";
import { command, heading, muted } from "../terminal/styled-line.ts";
import { describeEffectivePermissions } from "./effective-permissions.ts";

export interface GuidedKey {
  readonly env: string;
  readonly name: string;
  readonly role: string[];
  readonly model: string[];
  /** Without it, the gateway spreads the expiry of keys within the environment's maximum. */
  readonly ttl?: string;
  readonly network?: string[];
}

const MODELS_MS = 3_000;
const EVERY_LOCAL = "*";

/** Undefined where the user decides against it. */
export async function askForKey(cli: Cli, options: ServerOptions): Promise<GuidedKey | undefined> {
  const { io } = cli;
  // The connection is closed before the first question: without a server, it keeps the data directory locked.
  const { environments, roles, names, isHere } = await withClient(cli, options, async (client, kind) => ({
    isHere: kind !== "network",
    environments: (await client.call("environments.list")).environments,
    roles: (await client.call("roles.list")).roles.filter(isForKeys),
    names: (await allKeys(client)).filter(({ state }) => state !== "revoked"),
  }));
  if (environments.length === 0)
    throw new Problem("unknown_environment", "there is no environment that you administer: add one to the policy");
  const environment = await chooseEnvironment(cli, environments);
  const role = await chooseSome(
    io,
    "What is it for?",
    roles.map((one) => ({ value: one.name, says: roleWords(one) })),
  );
  const chosen = roles.filter((one) => role.includes(one.name));
  const model = chosen.some(wantsModels) ? await chooseModels(cli, environment, isHere) : [];
  const taken = names.filter((key) => key.environment === environment.name).map((key) => key.name);
  io.err("");
  const name = await askUntil(io, "A name for it, such as the application", (text) => readName(text, taken));
  const most = environment.keyMaxAge;
  const ttl = await askUntil(io, `How long does it live? At most ${most} [${most}]`, (text) => readTtl(text, most));
  const network = await askUntil(io, "Networks it is used from, such as 10.1.0.0/16 [anywhere]", readNetworks);
  const key = {
    env: environment.name,
    name,
    role: [...role],
    model: [...model],
    ...(ttl === undefined ? {} : { ttl }),
  };
  const guided: GuidedKey = network.length === 0 ? key : { ...key, network: [...network] };
  io.err("");
  io.err([heading(`In ${environment.name}, this key could:`)]);
  for (const line of describeEffectivePermissions({
    environment,
    roles: chosen,
    models: model,
    ttl: ttl ?? `at most ${most}`,
    networks: network,
  }))
    io.err(`  ${line}`);
  io.err("");
  io.err([heading("The same as one command:")]);
  io.err(["  ", command(commandLine(guided, options))]);
  io.err("");
  return (await askYes(io, "Create this key?")) ? guided : undefined;
}

export function commandLine(key: GuidedKey, { data, settings }: ServerOptions): string {
  const { env, name, role, model, ttl, network = [] } = key;
  const values: Readonly<Record<string, string | undefined>> = {
    env,
    name,
    role: role.join(","),
    model: listOf(model),
    ttl,
    network: listOf(network),
    data,
    settings,
  };
  const flags = Object.entries(values).flatMap(([flag, value]) => (value === undefined ? [] : [`--${flag}`, value]));
  return shellLine(["sallyport", "keys", "create", ...flags]);
}

function listOf(values: readonly string[]): string | undefined {
  return values.length === 0 ? undefined : values.join(",");
}

async function chooseEnvironment({ io }: Cli, environments: readonly EnvironmentView[]): Promise<EnvironmentView> {
  const choices = environments.map(({ name, upstreams }): Choice => {
    const urls = upstreams.map(({ url }) => url).join(", ");
    return { value: name, says: urls === "" ? "no model server" : urls };
  });
  const name = await chooseOne(io, "Which environment?", choices);
  return environments.find((one) => one.name === name)!;
}

/** Model servers are asked on the gateway host only: elsewhere, their addresses mean other servers. */
async function chooseModels({ io }: Cli, { upstreams }: EnvironmentView, isHere: boolean): Promise<readonly string[]> {
  const found = await readServerModels(isHere ? upstreams : [], MODELS_MS);
  const choices = [{ value: EVERY_LOCAL, says: "all local models" }, ...found.names.map((value) => ({ value }))];
  const isSelector = (text: string): boolean => parseSelector(text) !== undefined;
  noteModels(io, found);
  return chooseSome(io, "Which models? (or a pattern such as qwen3:*)", choices, isSelector);
}

function noteModels(io: Cli["io"], { silent, strange }: ServerModels): void {
  for (const url of silent) io.err([muted(`the models of ${visibleLine(url)} cannot be listed: type their names`)]);
  for (const name of strange.slice(0, 10))
    io.err([muted(`not a valid name of a model, so no key can be for it: ${visibleLine(name)}`)]);
}

function isForKeys({ allow }: RoleView): boolean {
  return allow.some((grant) => grant.do.some((name) => isPermission(name) && isDataPermission(name)));
}

function wantsModels({ allow }: RoleView): boolean {
  return allow.some((grant) => grant.do.some((name) => isPermission(name) && permissions[name].needsModel));
}

const WORDS_MAX = 3;

function roleWords({ allow }: RoleView): string {
  const says = [...new Set(allow.flatMap((grant) => grant.do))].flatMap((name) =>
    isPermission(name) ? [permissions[name].says] : [],
  );
  const more = says.length > WORDS_MAX ? ` and ${says.length - WORDS_MAX} more` : "";
  return `${says.slice(0, WORDS_MAX).join(", ")}${more}`;
}

function readName(text: string, taken: readonly string[]): ReadAnswer<string> {
  if (taken.includes(text)) return { mistake: "a key of that name exists in this environment: choose another name" };
  const read = contract["keys.create"].body.shape.name.safeParse(text);
  return read.success ? { value: read.data } : { mistake: `the name ${read.error.issues[0]?.message}` };
}

function readTtl(text: string, most: string): ReadAnswer<string | undefined> {
  if (text === "") return { value: undefined };
  const ttlMs = parseDurationMs(text);
  if (ttlMs === undefined || ttlMs <= 0) return { mistake: "a duration is a number and a unit: 30d, 12h, 15m" };
  const mostMs = parseDurationMs(most);
  if (mostMs !== undefined && ttlMs > mostMs)
    return { mistake: `the policy of this environment allows at most ${most}` };
  return { value: text };
}

function readNetworks(text: string): ReadAnswer<readonly string[]> {
  const networks = text.split(",").map((part) => part.trim()).filter((part) => part !== ""); // prettier-ignore
  try {
    return { value: new NetworkList(networks).texts };
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    return { mistake: `${cause.message}; a network is written 10.1.0.0/16 or 2001:db8::/32` };
  }
}
