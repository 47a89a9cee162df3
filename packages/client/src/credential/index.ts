export { credentialSources } from "./credential.ts";
export type { Credential, CredentialKind, CredentialSource } from "./credential.ts";
export { exchangeToken, resolveToken } from "./exchange.ts";
export type { IssuedToken, TokenOptions } from "./exchange.ts";
export { isTrackedByGit } from "./git.ts";
export { inspectCredentials } from "./findings.ts";
export type { CredentialFinding, CredentialReport } from "./findings.ts";
export { DEFAULT_GATEWAY_URL, gatewayUrl, resolveCredential } from "./resolve.ts";
export type { CredentialOptions } from "./resolve.ts";
