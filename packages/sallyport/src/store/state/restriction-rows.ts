/** What policy says of unusual use, and rows of what is done about keys for a time. */
import { alertActions, alertKinds, trafficLeakActions } from "@sallyport/protocol";
import type { Environment } from "../../access/policy.ts";
import type { Restriction } from "../../keys/restriction.ts";
import { readRow as read } from "../disk/damaged-record.ts";
import { amongst, json, listOf, Misshapen, number, object, text, wholeNumber } from "../disk/json-shape.ts";
import type { Shape } from "../disk/json-shape.ts";
import type { SqlRow, SqlValue } from "../disk/sqlite.ts";

/** Kinds of alerts, and `default`, each with what is done about it. */
const alertActionsShape: Shape<Environment["anomalies"]["actions"]> = (value, where) => {
  if (typeof value !== "object" || value === null) throw new Misshapen(where, "actions");
  const action = amongst(alertActions);
  const entries = Object.entries(value).map(([kind, said]) => {
    amongst(["default", ...alertKinds])(kind, where);
    return [kind, action(said, where)] as const;
  });
  const { default: usual, ...others } = Object.fromEntries(entries);
  if (usual === undefined) throw new Misshapen(where, "actions with a default");
  return { ...others, default: usual };
};
/** What is done about leaked keys stands beside what is done about unusual use. */
const watchfulness = object(
  { budget: number, actions: alertActionsShape, forMs: wholeNumber },
  { leaks: object({ traffic: amongst(trafficLeakActions) }) },
);
export function readWatchfulness(value: unknown): Pick<Environment, "anomalies" | "leaks"> {
  const { leaks, ...anomalies } = json(watchfulness)(value, "anomalies");
  return { anomalies, ...(leaks === undefined ? {} : { leaks }) };
}

/** What is written in the column of anomalies. */
export function watchfulnessOf({ anomalies, leaks }: Environment): object {
  return { ...anomalies, ...(leaks === undefined ? {} : { leaks }) };
}

export function readRestriction(row: SqlRow): Restriction {
  return read("response", row["id"], () => ({
    id: text(row["id"], "id"),
    environment: text(row["environment"], "environment"),
    key: text(row["key_id"], "key_id"),
    kind: amongst(alertKinds)(row["kind"], "kind"),
    action: amongst(alertActions)(row["action"], "action"),
    networks: json(listOf(text))(row["networks"], "networks"),
    at: wholeNumber(row["at"], "at"),
    until: wholeNumber(row["until"], "until"),
  }));
}

export function restrictionRow({ id, environment, key, kind, action, networks, at, until }: Restriction): SqlValue[] {
  return [id, environment, key, kind, action, JSON.stringify(networks), at, until];
}
