/** A received key as different places want it. */
import { UsageMistake } from "../terminal/usage-mistake.ts";

export const keyFormats = ["raw", "env", "json", "k8s-secret", "github-actions", "docker"] as const;
export type KeyFormat = (typeof keyFormats)[number];

export interface WrittenKey {
  readonly id: string;
  readonly name: string;
  readonly environment: string;
  readonly key: string;
  /** Name of the variable or secret. */
  readonly as: string;
}

const VARIABLE = /^[A-Za-z_][A-Za-z0-9_]{0,127}$/;

export function demandVariable(name: string): void {
  if (VARIABLE.test(name)) return;
  throw new UsageMistake(
    `--as ${JSON.stringify(name)} is not the name of a variable`,
    "write letters, digits and _, such as SALLYPORT_API_KEY",
  );
}

export function writeKey(format: KeyFormat, { id, name, environment, key, as }: WrittenKey): string {
  demandVariable(as);
  switch (format) {
    case "raw":
      return key;
    case "json":
      return JSON.stringify({ id, name, environment, key });
    case "env":
      return `export ${as}='${key}'`;
    // `docker run --env-file`: the value as it is, without quotes.
    case "docker":
      return `${as}=${key}`;
    // Masked in the log before it is put into the job's environment.
    case "github-actions":
      return `echo '::add-mask::${key}'\necho '${as}=${key}' >> "$GITHUB_ENV"`;
    case "k8s-secret":
      return [
        "apiVersion: v1",
        "kind: Secret",
        "metadata:",
        `  name: sallyport-${environment}-${id.toLowerCase()}`,
        `  annotations: { "sallyport/key": ${JSON.stringify(id)} }`,
        "type: Opaque",
        "data:",
        `  ${as}: ${Buffer.from(key).toString("base64")}`,
      ].join("\n");
  }
}
