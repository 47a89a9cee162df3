/** The values that an option or an argument can have: constants, and what a running gateway knows. */
import type { Command, Option } from "commander";
import { permissions, problems } from "@sallyport/protocol";
import type { RunningGateway } from "./running-gateway.ts";
import { readServerModels } from "./server-models.ts";

export interface Completion {
  readonly value: string;
  /** What it is; shells that can show it do. */
  readonly says?: string;
}

/** The shell completes names of files itself. */
export const FILES = ":files";

export interface ValueQuestion {
  /** An option, or the name of an argument. */
  readonly of: Option | string;
  readonly command: Command;
  /** What `--env` says on the line. */
  readonly environment: string | undefined;
  readonly gateway: RunningGateway;
}

/** A model server has less time than the gateway, which must reply first. */
const MODELS_MS = 400;
const PAGE = 1_000;

export async function valuesOf(asked: ValueQuestion): Promise<readonly Completion[] | typeof FILES> {
  const { of, command, gateway } = asked;
  if (typeof of !== "string" && of.argChoices) return plain(of.argChoices);
  const name = typeof of === "string" ? of : (of.long ?? "");
  const group = command.parent?.name() ?? "";
  const isAdminKey = group === "keys" && command.parent?.parent?.name() === "admin";
  switch (name) {
    case "--env":
    case "--environments":
      return environments(gateway);
    case "--role":
      return roles(gateway);
    case "--model":
    case "--grant-model":
      return models(asked);
    case "name":
      return group === "roles" ? roles(gateway) : group === "envs" ? environments(gateway) : [];
    case "--owner":
    case "--principal":
      return principals(gateway, undefined);
    case "who":
      return principals(gateway, group === "people" ? "person" : "service");
    case "assignment":
      return assignments(gateway);
    case "--key-id":
    case "id":
      return keys(gateway, isAdminKey ? "/v1/admin-keys" : `/v1/keys?limit=${PAGE}`);
    case "upstream":
      return upstreams(gateway);
    case "incident":
      return incidents(gateway);
    case "review":
      return reviews(gateway);
    case "alert":
      return alerts(gateway);
    case "--allow":
    case "--grant":
      return Object.entries(permissions).map(([value, { says }]) => ({ value, says }));
    case "--code":
      return plain(Object.keys(problems));
    case "--type":
      return plain((await import("../../compose/event-names.ts")).eventNames);
    case "--log":
      return plain(["debug", "info", "warn", "error", "silent"]);
    default:
      return isPath(of) ? FILES : [];
  }
}

function isPath(of: Option | string): boolean {
  return typeof of === "string"
    ? ["file", "dir", "path", "folder"].includes(of)
    : /<(?:file|dir|directory|path)>|\bfile\b/.test(of.flags);
}

function plain(values: readonly string[]): readonly Completion[] {
  return values.map((value) => ({ value }));
}

async function environments(gateway: RunningGateway): Promise<readonly Completion[]> {
  return rowsOf(await gateway.read("/v1/environments"), "environments").map(({ name }) => ({ value: textOf(name) }));
}

async function roles(gateway: RunningGateway): Promise<readonly Completion[]> {
  const list = rowsOf(await gateway.read("/v1/roles"), "roles");
  return list.map(({ name, allow }) => {
    const names = rowsOf({ allow }, "allow").flatMap((grant) =>
      Array.isArray(grant["do"]) ? grant["do"].map(String) : [],
    );
    return { value: textOf(name), says: names.join(" ") };
  });
}

/** A key's name where it means one key, and every id, which the same name explains. */
async function keys(gateway: RunningGateway, path: string): Promise<readonly Completion[]> {
  const all = rowsOf(await gateway.read(path), "keys");
  const live = all.filter(({ state }) => state !== "revoked");
  const counts = new Map<unknown, number>();
  for (const { name } of live) counts.set(name, (counts.get(name) ?? 0) + 1);
  const unique = live.filter(({ name }) => counts.get(name) === 1);
  return [
    ...unique.map(({ id, name, environment }) => ({ value: textOf(name), says: join(environment, id) })),
    ...all.map(({ id, name, environment, state }) => ({
      value: textOf(id),
      says: join(name, environment, state === "revoked" ? "revoked" : ""),
    })),
  ];
}

async function principals(gateway: RunningGateway, kind: string | undefined): Promise<readonly Completion[]> {
  const of = kind === undefined ? "" : `&kind=${kind}`;
  const all = rowsOf(await gateway.read(`/v1/principals?limit=${PAGE}${of}`), "principals");
  return [
    ...all.map((one) => ({ value: textOf(one["name"]), says: join(one["kind"], one["id"]) })),
    ...all.map((one) => ({ value: textOf(one["id"]), says: join(one["name"], one["kind"]) })),
  ];
}

async function assignments(gateway: RunningGateway): Promise<readonly Completion[]> {
  const all = rowsOf(await gateway.read(`/v1/assignments?limit=${PAGE}`), "assignments");
  return all.map(({ id, environment }) => ({ value: textOf(id), says: textOf(environment) }));
}

/** As commands name a model server: `dev/u1`. */
async function upstreams(gateway: RunningGateway): Promise<readonly Completion[]> {
  const all = rowsOf(await gateway.read("/v1/upstreams"), "upstreams");
  return all.map(({ environment, id, url }) => ({ value: `${textOf(environment)}/${textOf(id)}`, says: textOf(url) }));
}

async function incidents(gateway: RunningGateway): Promise<readonly Completion[]> {
  const all = rowsOf(await gateway.read("/v1/incidents"), "incidents");
  return all.map(({ id, keyId, state }) => ({ value: textOf(id), says: join(keyId, state) }));
}

async function reviews(gateway: RunningGateway): Promise<readonly Completion[]> {
  const all = rowsOf(await gateway.read("/v1/reviews"), "reviews");
  return all.map(({ id, environment, state }) => ({ value: textOf(id), says: join(environment, state) }));
}

async function alerts(gateway: RunningGateway): Promise<readonly Completion[]> {
  const all = rowsOf(await gateway.read("/v1/anomalies?limit=50"), "alerts");
  return all.map(({ alert, says }) => ({ value: textOf(alert), says: textOf(says) }));
}

/** Of the servers of the environment that the line names, else of all. */
async function models({ gateway, environment }: ValueQuestion): Promise<readonly Completion[]> {
  // Elsewhere, the addresses of the servers mean others.
  if (!gateway.isHere) return [];
  const of = environment === undefined ? "" : `?environment=${encodeURIComponent(environment)}`;
  const servers = rowsOf(await gateway.read(`/v1/upstreams${of}`), "upstreams").map(({ url }) => ({
    url: textOf(url),
  }));
  return plain((await readServerModels(servers, MODELS_MS)).names);
}

type Row = Readonly<Record<string, unknown>>;

function rowsOf(answer: unknown, member: string): readonly Row[] {
  const list = isRow(answer) ? answer[member] : undefined;
  return Array.isArray(list) ? list.filter(isRow) : [];
}

function isRow(value: unknown): value is Row {
  return typeof value === "object" && value !== null;
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function join(...parts: readonly unknown[]): string {
  return parts.map(textOf).filter((part) => part !== "").join(", "); // prettier-ignore
}
