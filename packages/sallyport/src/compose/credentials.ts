/**
 * Joins the ways in which requests authenticate: keys, tokens, URL tokens, Ollama clients, signatures, and the token
 * endpoints.
 */
import { networkPrefix } from "../kernel/network-prefix.ts";
import type { Settings } from "../config/settings.ts";
import { makeAdmission } from "../dataplane/admission.ts";
import { BearerTokens } from "../dataplane/bearer-tokens.ts";
import { makeIdentify } from "../dataplane/identify.ts";
import type { Judge } from "../dataplane/judge.ts";
import type { LiveExchanges } from "../dataplane/live-exchanges.ts";
import { OAuthClients } from "../dataplane/oauth/client.ts";
import { Introspection } from "../dataplane/oauth/introspection.ts";
import { TokenEndpoint } from "../dataplane/oauth/token-endpoint.ts";
import { makeLogin, makeLoginGate } from "../dataplane/login/login-pages.ts";
import { LocalDesk } from "../dataplane/login/local-desk.ts";
import { SessionDesk } from "../dataplane/login/session-desk.ts";
import { OllamaClients } from "../dataplane/ollama-clients.ts";
import { issuerOf } from "../dataplane/public-address.ts";
import type { PublicAddress } from "../dataplane/public-address.ts";
import { RequestSignatures } from "../dataplane/request-signatures.ts";
import { makeAuthenticate } from "../dataplane/stages/authenticate.ts";
import { makeOAuth } from "../dataplane/oauth/stages.ts";
import type { OAuthStages } from "../dataplane/oauth/stages.ts";
import type { Stages } from "../dataplane/ways.ts";
import { DeviceGrants } from "../identity/device-grants.ts";
import { hasExternalIds, subjectClaimOf } from "../identity/provider.ts";
import { GuessDelay } from "../identity/local/guess-delay.ts";
import { KnownNetworks } from "../identity/local/known-networks.ts";
import { guessedName, Proof } from "../identity/local/proof.ts";
import { LoginAttempts } from "../identity/login-attempts.ts";
import { OidcClient } from "../identity/oidc-client.ts";
import type { Log } from "../kernel/log.ts";
import type { KeyLimits } from "../limits/key-limits.ts";
import { ClientAssertions } from "../tokens/client-assertion.ts";
import { DpopVerifier } from "../tokens/dpop.ts";
import { TokenVerifier } from "../tokens/verify.ts";
import { WorkloadTokens } from "../tokens/workload-tokens.ts";
import type { Core } from "./core.ts";
import { readSecret } from "./read-secret.ts";
import { watchProvider } from "./look-at-provider.ts";

export interface CredentialsPorts {
  readonly settings: Settings;
  readonly core: Core;
  readonly log: Log;
  readonly limits: KeyLimits;
  readonly live: LiveExchanges;
  readonly judge: Judge;
  /** The listener's own address, once it listens. */
  readonly listenerUrl: () => string;
}

export interface Credentials {
  readonly stages: Pick<Stages, "authenticate" | "login" | "loginGate"> & OAuthStages;
  readonly signatures: RequestSignatures;
  close(): void;
}

export function makeCredentials({ settings, core, log, limits, judge, listenerUrl }: CredentialsPorts): Credentials {
  const { clock, keys, peppers, snapshot, changes, tokenKeys, revokedTokens: revoked } = core;
  const startedAt = clock.now();
  const address: PublicAddress = {
    configured: settings.publicUrl === null ? null : new URL(settings.publicUrl),
    listener: listenerUrl,
  };
  const environments = settings.environments && new Set(settings.environments);
  const isRevoked = (environment: string, id: string): boolean => revoked.has(environment, id);
  const issuer = (environment: string): string => issuerOf(address, environment);
  const verifier = new TokenVerifier({ clock, keys: tokenKeys, issuerOf: issuer, isRevoked });
  const dpop = new DpopVerifier(startedAt);
  const signatures = new RequestSignatures({ clock, peppers, address });
  const { uses, lifecycle, firstNetworks } = core;
  const admission = makeAdmission({ clock, uses, lifecycle, firstNetworks, judge });
  const find = (fingerprint: string): ReturnType<typeof core.ollamaSigners.find> =>
    core.ollamaSigners.find(fingerprint);
  const identify = makeIdentify({
    keys,
    peppers,
    snapshot,
    ollamaClients: new OllamaClients({ keys, find, startedAt }),
    tokens: new BearerTokens({ keys, verifier, dpop, address }),
  });
  const assertions = new ClientAssertions(startedAt);
  const clients = new OAuthClients({
    keys,
    peppers,
    assertions,
    workloads: new WorkloadTokens(),
    address,
    environments: () => snapshot().environments.keys(),
  });
  const tokens = new TokenEndpoint({ clock, address, tokenKeys, verifier, dpop, limits, changes, judge });
  const introspection = new Introspection({ clock, address, keys, verifier, changes, judge });
  const grants = new DeviceGrants(clock);
  const onFailure = (cause: string): void =>
    log.warn({ issuer: settings.oidc?.issuer, cause }, "a log-in failed at the identity provider");
  const provider = openProvider(settings, onFailure);
  const endProviderWatch = provider ? watchProvider(provider.client, provider.name, clock, log) : () => {};
  const sessions = new SessionDesk({
    clock,
    snapshot,
    peppers,
    reconciler: core.reconciler,
    inTurn: (work) => changes.inTurn(work),
    hasExternalIds: (issuer) => hasExternalIds(settings.identity?.providers ?? [], issuer),
  });
  const { localLogins, enrolment, sealer, passwordHasher: hasher } = core;
  const delay = new GuessDelay(clock);
  const known = new KnownNetworks({
    clock,
    audit: core.audit,
    delay,
    networkOf: networkPrefix,
    nameOf: (id) => guessedName(snapshot().principals.get(id)?.name ?? "") || undefined,
  });
  const knownNetworks = (): Promise<void> => known.known();
  const proof = new Proof({ clock, logins: localLogins, sealer, hasher, delay, knownNetworks, networkOf: networkPrefix, changes }); // prettier-ignore
  const hasLocal = (): boolean => localLogins.isAny;
  const login = {
    clock,
    limits,
    address,
    provider,
    onFailure,
    grants,
    attempts: new LoginAttempts(clock),
    sessions,
    local: new LocalDesk({ clock, address, grants, sessions, proof, enrolment }),
    hasLocal,
    hasEnvironment: (name: string) => snapshot().environments.has(name) && (environments?.has(name) ?? true),
  };
  const isLoginOpen = (): boolean => provider !== null || hasLocal();
  return {
    stages: {
      loginGate: makeLoginGate(login),
      login: makeLogin(login),
      authenticate: makeAuthenticate({ clock, identify, admission }),
      ...makeOAuth({ clock, limits, address, admission, clients, tokens, introspection, tokenKeys, grants, isLoginOpen, snapshot, environments }), // prettier-ignore
    },
    signatures,
    close: endProviderWatch,
  };
}

function openProvider(
  { oidc, identity }: Settings,
  onFailure: (cause: string) => void,
): { readonly client: OidcClient; readonly name: string } | null {
  if (!oidc) return null;
  const clientSecret = oidc.clientSecret && readSecret(oidc.clientSecret, "the secret of oidc", 1);
  const subjectClaim = subjectClaimOf(identity?.providers ?? [], oidc.issuer);
  return { client: new OidcClient({ ...oidc, clientSecret, subjectClaim }, onFailure), name: oidc.issuer };
}
