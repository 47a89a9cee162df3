/** What is asked of the token endpoint: parameters read strictly, before anything is looked up. */
import { isDataPermission, isRefusal, parseSelector, refuse } from "@sallyport/protocol";
import type { DataPermission, Refusal } from "@sallyport/protocol";
import type { Form } from "./form.ts";

export const EXCHANGE_GRANT = "urn:ietf:params:oauth:grant-type:token-exchange";
export const ACCESS_TOKEN_TYPE = "urn:ietf:params:oauth:token-type:access_token";

/** Types of a workload's token (RFC 8693 section 3): it proves by itself whom it stands for. */
const WORKLOAD_TYPES = ["urn:ietf:params:oauth:token-type:jwt", "urn:ietf:params:oauth:token-type:id_token"];

export function isWorkloadToken(form: Form): boolean {
  return form.get("grant_type") === EXCHANGE_GRANT && WORKLOAD_TYPES.includes(form.get("subject_token_type") ?? "");
}

export interface TokenRequest {
  readonly grant: "client_credentials" | "token_exchange";
  /** Null = whatever the key has. */
  readonly permissions: readonly DataPermission[] | null;
  /** Selectors; null = as far as the key. */
  readonly models: readonly string[] | null;
  /** Null = as long as the sum says. */
  readonly askedMs: number | null;
  /** Of an exchange: the token to be narrowed; null where a workload's own token stood for the client. */
  readonly subjectToken: string | null;
}

const COMMON = ["grant_type", "scope", "models", "expires_in", "client_id", "client_assertion", "client_assertion_type", "resource", "audience"]; // prettier-ignore
const OF_EXCHANGE = ["subject_token", "subject_token_type", "requested_token_type"];

/** `issuer` is the one audience and resource there is. */
export function readTokenRequest(form: Form, issuer: string): TokenRequest | Refusal {
  const grant = form.get("grant_type");
  if (grant === undefined) return refuse("form_malformed", "grant_type is missing");
  if (grant !== "client_credentials" && grant !== EXCHANGE_GRANT) return refuse("grant_unsupported");
  const isExchange = grant === EXCHANGE_GRANT;
  const known = isExchange ? [...COMMON, ...OF_EXCHANGE] : COMMON;
  const strange = [...form.keys()].find((name) => !known.includes(name));
  if (strange !== undefined) return refuse("form_malformed", `${strange} is not a parameter of this grant`);
  for (const name of ["resource", "audience"])
    if (form.has(name) && form.get(name) !== issuer) return refuse("scope_invalid", `${name} is not ${issuer}`);
  if (isExchange) {
    const isKnownType = isWorkloadToken(form) || form.get("subject_token_type") === ACCESS_TOKEN_TYPE;
    if (
      !form.has("subject_token") ||
      !isKnownType ||
      (form.get("requested_token_type") ?? ACCESS_TOKEN_TYPE) !== ACCESS_TOKEN_TYPE
    )
      return refuse("form_malformed", "subject_token and its type name an access token or a workload's JWT");
  }
  const permissions = readPermissions(form.get("scope"));
  if (permissions !== null && isRefusal(permissions)) return permissions;
  const models = readModels(form.get("models"));
  if (models !== null && isRefusal(models)) return models;
  const seconds = form.get("expires_in");
  if (seconds !== undefined && !/^[1-9][0-9]{0,6}$/.test(seconds)) return refuse("form_malformed", "expires_in");
  return {
    grant: isExchange ? "token_exchange" : "client_credentials",
    permissions,
    models,
    askedMs: seconds === undefined ? null : Number(seconds) * 1_000,
    subjectToken: isWorkloadToken(form) ? null : (form.get("subject_token") ?? null),
  };
}

function readPermissions(scope: string | undefined): readonly DataPermission[] | null | Refusal {
  if (scope === undefined) return null;
  const names = [...new Set(scope.split(" "))];
  const strange = names.find((name) => !isDataPermission(name));
  return strange === undefined
    ? names.filter(isDataPermission)
    : refuse("scope_invalid", "a permission that is not known");
}

function readModels(text: string | undefined): readonly string[] | null | Refusal {
  if (text === undefined) return null;
  const selectors = [...new Set(text.split(" "))];
  return selectors.every((one) => parseSelector(one) !== undefined) && selectors.length <= 64
    ? selectors
    : refuse("scope_invalid", "an invalid model selector");
}
