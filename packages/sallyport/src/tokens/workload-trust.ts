/**
 * Whom a key trusts to act as it without any secret: tokens of a workload's own issuer (GitHub Actions, GitLab, a Kubernetes
 * cluster, any OpenID provider), for one audience, with claims that are exactly so. Names can be given away and taken
 * again, so where an issuer has ids that cannot, those are demanded. Pure.
 */
export interface WorkloadTrust {
  readonly id: string;
  /** `https://…`, exactly as its tokens say it. */
  readonly issuer: string;
  /** Exactly what `aud` must be. */
  readonly audience: string;
  /** A claim's name, or a JSON pointer (RFC 6901) to one inside another, and its value as text. */
  readonly claims: Readonly<Record<string, string>>;
  /** The issuer's public keys, where it cannot be asked for them (a cluster's own); null = as its discovery says. */
  readonly jwks: string | null;
  readonly createdAt: number;
  readonly createdBy: string;
}

export interface WorkloadTemplate {
  readonly issuer: string | null;
  /** Ids that are never reassigned: all must be given. */
  readonly demanded: readonly string[];
  readonly says: string;
}

export const workloadTemplates = {
  github: {
    issuer: "https://token.actions.githubusercontent.com",
    demanded: ["repository_id", "repository_owner_id"],
    says: "GitHub Actions, with `permissions: id-token: write` and the audience asked for by name",
  },
  gitlab: {
    issuer: "https://gitlab.com",
    demanded: ["project_id", "namespace_id"],
    says: "GitLab CI, with `id_tokens: { NAME: { aud: … } }`",
  },
  kubernetes: {
    issuer: null,
    demanded: ["/kubernetes.io/serviceaccount/uid"],
    says: "a projected service account token with its own audience",
  },
  generic: { issuer: null, demanded: ["sub"], says: "any OpenID issuer" },
} as const satisfies Record<string, WorkloadTemplate>;

export type WorkloadTemplateName = keyof typeof workloadTemplates;

/** The mistakes of a trust as it is written; empty for a valid one. */
export function trustMistakes(
  template: WorkloadTemplateName,
  { issuer, audience, claims, jwks }: Pick<WorkloadTrust, "issuer" | "audience" | "claims" | "jwks">,
): string[] {
  const { demanded } = workloadTemplates[template];
  return [
    ...(isIssuerUrl(issuer) ? [] : ["issuer: is not an https:// URL (or http on loopback) without query or fragment"]),
    ...(audience === "" || audience === issuer ? ["audience: must be a separate one, not the issuer's"] : []),
    ...demanded
      .filter((name) => claims[name] === undefined)
      .map((name) => `claims: ${name} is needed: names can be taken over, this cannot`),
    ...(jwks === null || isKeySet(jwks) ? [] : ["jwks: is no JSON Web Key Set of public keys"]),
  ];
}

export function isIssuerUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname, username, password, search, hash } = new URL(text);
  const isLoopback = hostname === "localhost" || hostname === "[::1]" || /^127\.\d+\.\d+\.\d+$/.test(hostname);
  const isBare = [username, password, search, hash].every((part) => part === "");
  return isBare && (protocol === "https:" || (protocol === "http:" && isLoopback));
}

function isKeySet(text: string): boolean {
  let read: unknown;
  try {
    read = JSON.parse(text);
  } catch {
    return false;
  }
  const keys: unknown = typeof read === "object" && read !== null && "keys" in read ? read.keys : undefined;
  return Array.isArray(keys) && keys.length > 0 && keys.every((key) => typeof key === "object" && key !== null && !("d" in key) && !("k" in key)); // prettier-ignore
}

/** Every claim is there and exactly so. Numbers and booleans are compared as JSON writes them. */
export function claimsMatch(wanted: WorkloadTrust["claims"], claims: Readonly<Record<string, unknown>>): boolean {
  return Object.entries(wanted).every(([name, value]) => {
    const said = name.startsWith("/") ? pointed(claims, name) : ownValue(claims, name);
    return (
      (typeof said === "string" || typeof said === "number" || typeof said === "boolean") && String(said) === value
    );
  });
}

function pointed(claims: unknown, pointer: string): unknown {
  let at = claims;
  for (const step of pointer.slice(1).split("/")) at = ownValue(at, step.replaceAll("~1", "/").replaceAll("~0", "~"));
  return at;
}

function ownValue(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null && Object.hasOwn(value, name)
    ? (value as Readonly<Record<string, unknown>>)[name]
    : undefined;
}
