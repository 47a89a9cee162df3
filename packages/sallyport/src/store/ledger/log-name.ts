/** Text of a command line as the name of a log. */
import { isEnvironmentName, Problem } from "@sallyport/protocol";
import type { EnvironmentName } from "@sallyport/protocol";
import type { SqlDatabase } from "../disk/sqlite.ts";

/** Throws `unknown_environment` where there is neither an environment nor a log of that name, with those there are. */
export function logNamed(database: SqlDatabase, text: string): EnvironmentName {
  const rows = database.prepare("SELECT name FROM environment UNION SELECT environment FROM log ORDER BY 1").all();
  const names = rows.map(({ name }) => String(name)).filter((name) => isEnvironmentName(name));
  const known = names.find((name) => name === text);
  if (known === undefined)
    throw new Problem("unknown_environment", `there is no log ${text}; known: ${names.join(", ") || "none"}`);
  return known;
}
