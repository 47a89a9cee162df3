/** The two variables. An empty one counts as none. */
import { readCredential } from "./credential.ts";
import type { Credential } from "./credential.ts";

export type Variables = Readonly<Record<string, string | undefined>>;

export const TOKEN_VARIABLE = "SALLYPORT_TOKEN";
export const KEY_VARIABLE = "SALLYPORT_API_KEY";

export function fromTokenVariable(env: Variables): Credential | undefined {
  const text = env[TOKEN_VARIABLE]?.trim() ?? "";
  const place = { source: "token-variable", where: TOKEN_VARIABLE, environment: null } as const;
  return text === "" ? undefined : readCredential(text, "token", place);
}

export function fromKeyVariable(env: Variables): Credential | undefined {
  const text = env[KEY_VARIABLE]?.trim() ?? "";
  const place = { source: "key-variable", where: KEY_VARIABLE, environment: null } as const;
  return text === "" ? undefined : readCredential(text, "key", place);
}
