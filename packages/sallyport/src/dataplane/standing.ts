/**
 * Standing: may this credential go on? One table, asked by admission, again of what waits or runs, by `explain` and by
 * introspection (`judge.ts`), and nowhere else (`tools/check-imports.js`). A row is about a credential that is genuine:
 * which secret, token or signature is genuine is said where credentials are identified. What it may do is `decide()`'s.
 */
import { refuse } from "@sallyport/protocol";
import type { Factor, ProblemCode, Refusal } from "@sallyport/protocol";
import { refuseNetworks } from "../access/door.ts";
import type { UpstreamSpec } from "../access/policy.ts";
import type { EffectiveRight } from "../access/snapshot.ts";
import type { NetworkList } from "../kernel/network-list.ts";
import type { KeyRecord, KeySecret, PathSecret } from "../keys/key.ts";
import { brownoutSeconds, retirementOf } from "../keys/retirement.ts";
import type { Token } from "../tokens/token.ts";
import type { Way } from "./wire/endpoint.ts";

/**
 * `admission`: the credential was just proven. `again`: the body was read, the turn came, or something has changed
 * while the request waits or runs. `explain` and `introspection`: a question about a key, or about a token.
 */
export type Moment = "admission" | "again" | "explain" | "introspection";

/** What is asked about: a key as it is now, and what a request of it brought. */
export interface Claim {
  readonly key: KeyRecord;
  /** Undefined if the key's environment does not exist. */
  readonly right: EffectiveRight | undefined;
  /** The secret that was sent; where none was, the one in use. */
  readonly secret: KeySecret;
  /** Null = the key itself. */
  readonly token: Token | null;
  /** What stood for the key instead of its secret: a URL token as it was then, or an Ollama client's public key. */
  readonly pathSecret: PathSecret | null;
  readonly ollamaSigner: string | null;
  /** The public key whose signature of this request was verified. */
  readonly signer: string | null;
  readonly way: Way;
  /** Null = not given, and access conditions are not checked. */
  readonly address: string | null;
  readonly isSigned: boolean;
  readonly isIdentified: boolean;
  /** The model server that was chosen; null = none yet. */
  readonly upstream: UpstreamSpec | null;
  /** Epoch ms. */
  readonly now: number;
}

/** What stands in neither key nor policy. */
export interface StandingFacts {
  /** Of a token, or of a token it was exchanged from. */
  isRevoked(environment: string, tokenId: string): boolean;
  /** This listener serves the environment. */
  isServedHere(environment: string): boolean;
  /** Where a first use has bound the key, before that is written down. */
  boundTo(key: KeyRecord): NetworkList | undefined;
}

export interface StandingRow {
  readonly name: string;
  readonly code: ProblemCode;
  /** The factor that the caller must provide, if the response names it. */
  readonly factor?: Factor;
  readonly asked: readonly Moment[];
  /** Pure. True = it may not go on. */
  readonly fails: (claim: Claim, facts: StandingFacts) => boolean;
  /** For `explain`. */
  readonly says: (claim: Claim) => string;
  readonly retryAfterSeconds?: (claim: Claim) => number;
}

const ALWAYS: readonly Moment[] = ["admission", "again", "explain", "introspection"];
/** Not of a token by itself: introspection is called by another client, from elsewhere. */
const OF_REQUESTS: readonly Moment[] = ["admission", "again", "explain"];
/** Of tokens: `explain` is asked about a key. */
const OF_TOKENS: readonly Moment[] = ["admission", "again", "introspection"];
/** Once the body was read, for what is proven over it. */
const ONCE_READ: readonly Moment[] = ["again", "explain"];
/** Identification has just found it: it can only end afterwards. */
const OF_WHAT_RUNS: readonly Moment[] = ["again"];

/** In this order; the first that fails is reported. */
export const standing: readonly StandingRow[] = [
  {
    name: "the key is revoked",
    code: "key_revoked",
    asked: ALWAYS,
    fails: ({ key }) => key.state === "revoked",
    says: ({ key }) => `key ${key.id} of ${key.environment} is revoked`,
  },
  {
    // Age is no change: what was admitted in time runs to its end.
    name: "the key has expired",
    code: "key_expired",
    asked: ["admission", "explain", "introspection"],
    fails: (claim) => (claim.secret.expiresAt ?? Infinity) + graceMsOf(claim) <= claim.now,
    says: ({ key }) => `key ${key.id} of ${key.environment} has expired`,
  },
  {
    name: "the key is suspended",
    code: "key_suspended",
    asked: ALWAYS,
    fails: ({ key }) => key.state === "suspended",
    says: ({ key }) => `key ${key.id} of ${key.environment} is suspended`,
  },
  {
    name: "the token, or one it was exchanged from, is revoked",
    code: "token_unknown",
    asked: OF_TOKENS,
    fails: ({ token }, facts) => token !== null && isEnded(token, facts),
    says: () => "the token, or one it was exchanged from, is revoked",
  },
  {
    name: "the workload behind the token is not trusted any more",
    code: "token_unknown",
    asked: OF_TOKENS,
    fails: ({ key, token }) => token !== null && !token.actors.every((actor) => isTrusted(key, actor)),
    says: ({ key }) => `key ${key.id} does not trust the issuer of the workload behind the token`,
  },
  {
    name: "the URL token was replaced or removed",
    code: "key_unknown",
    asked: OF_WHAT_RUNS,
    fails: ({ key, pathSecret }) => pathSecret !== null && !isSame(pathSecret, key.pathSecret),
    says: ({ key }) => `key ${key.id} has another URL token or none`,
  },
  {
    name: "the Ollama client's public key is not registered any more",
    code: "key_unknown",
    asked: OF_WHAT_RUNS,
    fails: ({ key, ollamaSigner }) => ollamaSigner !== null && !hasSigner(key, "ollama", ollamaSigner),
    says: ({ key }) => `key ${key.id} does not have the public key of this Ollama client`,
  },
  {
    name: "the public key that signed is not registered any more",
    code: "signature_invalid",
    asked: OF_WHAT_RUNS,
    fails: ({ key, signer }) => signer !== null && !hasSigner(key, "request", signer),
    says: ({ key }) => `key ${key.id} does not have the public key that signed the request`,
  },
  {
    // By the settings of the listener, or because policy does not have it: it cannot lose one whose keys still work.
    name: "the environment is not served here",
    code: "environment_not_here",
    asked: ALWAYS,
    fails: ({ key, right }, facts) => right === undefined || !facts.isServedHere(key.environment),
    says: ({ key }) => `environment ${key.environment} is not in the policy, or the settings do not serve it here`,
  },
  {
    name: "the owner is disabled or gone",
    code: "owner_disabled",
    asked: ALWAYS,
    fails: ({ right }) => right?.isOwnerDisabled === true,
    says: () => "the key's owner is disabled or gone",
  },
  {
    name: "URL tokens are not allowed, or the key has no network allow-list",
    code: "path_secret_denied",
    asked: ["admission", "again"],
    fails: ({ key, right, pathSecret }) => pathSecret !== null && !mayHavePathSecret(key, right),
    says: ({ key }) => `environment ${key.environment} does not allow URL tokens, or the key has no network allow-list`,
  },
  {
    name: "the request comes from another network",
    code: "network_denied",
    factor: "network",
    asked: OF_REQUESTS,
    fails: (claim, facts) => claim.address !== null && isElsewhere(claim, claim.address, facts),
    says: ({ right, address }) => sentenceOfNetworks(right, address),
  },
  {
    name: "the environment takes tokens only",
    code: "token_required",
    asked: OF_REQUESTS,
    fails: ({ right, token, ollamaSigner, way }) =>
      right?.environment.tokens.isOnly === true && token === null && ollamaSigner === null && !OPEN_TO_KEYS.has(way),
    says: ({ key }) => `environment ${key.environment} takes tokens only, and this is a key by itself`,
  },
  {
    // A condition that is not met because the request is not signed is reported before the client sends a body for
    // nothing.
    name: "a signature is demanded",
    code: "signature_missing",
    factor: "signature",
    asked: OF_REQUESTS,
    fails: (claim) => !claim.isSigned && isDemanded("signature", claim),
    says: () => "the environment or the key demands signed requests, and this one is not signed",
  },
  {
    name: "a network is demanded, and none is written down",
    code: "network_unbound",
    factor: "network",
    asked: ONCE_READ,
    fails: (claim) => isDemanded("network", claim) && claim.right!.doors.every(({ networks }) => networks === null),
    says: () => "the environment or the key demands a network, and neither has a list of networks",
  },
  {
    name: "a fresh identity is required",
    code: "identity_missing",
    factor: "identity",
    asked: ONCE_READ,
    fails: (claim) => !claim.isIdentified && isDemanded("identity", claim),
    says: () => "the environment or the key demands a fresh identity, and none was proven",
  },
  {
    name: "the model server is not the environment's any more",
    code: "upstream_missing",
    asked: ONCE_READ,
    fails: ({ way, right, upstream }) => way === "model" && !hasUpstream(right, upstream),
    says: ({ key }) => `environment ${key.environment} has no model server, or another one`,
  },
  {
    // Some minutes of each hour, for clients that read no headers: running requests are not aborted for it.
    name: "the key expires soon",
    code: "key_expires_soon",
    asked: ["admission", "explain"],
    fails: (claim) => waitSeconds(claim) > 0,
    says: ({ key }) => `key ${key.id} expires soon, and is denied for some minutes of each hour`,
    retryAfterSeconds: waitSeconds,
  },
];

const rowsOf: Readonly<Record<Moment, readonly StandingRow[]>> = {
  admission: standing.filter(({ asked }) => asked.includes("admission")),
  again: standing.filter(({ asked }) => asked.includes("again")),
  explain: standing.filter(({ asked }) => asked.includes("explain")),
  introspection: standing.filter(({ asked }) => asked.includes("introspection")),
};

/** Why the credential may not go on; undefined when it may. `because` is filled for explanations. */
export function refuseStanding(
  moment: Moment,
  claim: Claim,
  facts: StandingFacts,
  because?: string[],
): Refusal | undefined {
  for (const row of rowsOf[moment]) {
    if (!row.fails(claim, facts)) continue;
    because?.push(row.says(claim));
    return refusalOf(row, claim);
  }
  return undefined;
}

function refusalOf({ code, factor, retryAfterSeconds }: StandingRow, claim: Claim): Refusal {
  return refuse(code).with({
    ...(factor === undefined ? {} : { factor }),
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds: retryAfterSeconds(claim) }),
  });
}

/** A secret that has just expired can still do one thing: be followed by the next. */
function graceMsOf({ way, right }: Claim): number {
  return way === "rotation" ? (right?.environment.keyLife.rotateWithinMs ?? 0) : 0;
}

function isEnded({ environment, id, actors }: Token, facts: StandingFacts): boolean {
  return facts.isRevoked(environment, id) || actors.some((actor) => facts.isRevoked(environment, actor));
}

/** A workload is named by its issuer and subject; every other actor is a token of ours. */
function isTrusted({ workloads }: KeyRecord, actor: string): boolean {
  if (!actor.includes("#")) return true;
  return workloads.some(
    ({ issuer }) => actor.startsWith(`${issuer}#`) || actor.startsWith(`${issuer.slice(0, 100)}#sha256:`),
  );
}

function isSame(then: PathSecret, now: PathSecret | null): boolean {
  return now !== null && Buffer.compare(then.hash, now.hash) === 0;
}

function hasSigner({ signers }: KeyRecord, use: "ollama" | "request", id: string): boolean {
  return signers.some((signer) => signer.use === use && signer.id === id);
}

function mayHavePathSecret({ networks, binding }: KeyRecord, right: EffectiveRight | undefined): boolean {
  const environment = right?.environment;
  const isBound = networks !== null || binding !== null || (environment?.networks ?? null) !== null;
  return environment?.pathSecrets === "allow" && isBound;
}

function isElsewhere({ key, right }: Claim, address: string, facts: StandingFacts): boolean {
  if (refuseNetworks(right?.doors ?? [], address)) return true;
  const bound = facts.boundTo(key);
  return bound !== undefined && !bound.has(address);
}

function sentenceOfNetworks(right: EffectiveRight | undefined, address: string | null): string {
  const because: string[] = [];
  refuseNetworks(right?.doors ?? [], address ?? "", because);
  return because.at(-1) ?? `the key is bound to the network of its first use: ${address} is outside`;
}

/** What no token may do, and where tokens come from. */
const OPEN_TO_KEYS: ReadonlySet<Way> = new Set(["rotation", "person", "oauth", "revoke"]);

function isDemanded(factor: Factor, { right, address }: Claim): boolean {
  return address !== null && right !== undefined && right.doors.some(({ require }) => require.includes(factor));
}

function hasUpstream(right: EffectiveRight | undefined, upstream: UpstreamSpec | null): boolean {
  const there = right?.environment.upstreams ?? [];
  return upstream === null ? there.length > 0 : there.some(({ id, url }) => id === upstream.id && url === upstream.url);
}

/** A client that rotates its key has understood the warning. */
function waitSeconds({ key, secret, right, way, now }: Claim): number {
  if (way === "rotation" || right === undefined) return 0;
  const { keyLife } = right.environment;
  const retirement = retirementOf(key, secret, keyLife, now);
  return retirement ? brownoutSeconds(retirement, keyLife, now) : 0;
}
