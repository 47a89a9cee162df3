/**
 * Every static setting: its place in `sallyport.yaml`, its environment variable and its flag. Other settings are
 * errors.
 */
export interface Leaf {
  /** Dotted place in the file. */
  readonly path: string;
  readonly variable: string;
  /** Name of the flag as the command line's parser gives it; null = no flag. */
  readonly flag: string | null;
  /** How text from a variable or flag is read. Lists are comma-separated. */
  readonly form: "text" | "list" | "number" | "boolean" | "json";
  /** For the reference page. */
  readonly says: string;
}

export const leaves = [
  {
    path: "data",
    variable: "SALLYPORT_DATA",
    flag: "data",
    form: "text",
    says: "the data directory; the default is ~/.sallyport",
  },
  {
    path: "keyEncryptionKey",
    variable: "SALLYPORT_KEY_ENCRYPTION_KEY",
    flag: null,
    form: "text",
    says: "where the key that encrypts all secrets comes from: `file:PATH`, `env:NAME` or `command:PATH` (a program that prints it); the default is `secrets/kek` in the data directory",
  },
  {
    path: "listen",
    variable: "SALLYPORT_LISTEN",
    flag: "listen",
    form: "text",
    says: "address of the data plane; beyond loopback only with `tls` or `trustedProxies`",
  },
  {
    path: "adminListen",
    variable: "SALLYPORT_ADMIN_LISTEN",
    flag: "adminListen",
    form: "text",
    says: "address of the admin API; beyond loopback only with `tls` or `trustedProxies`",
  },
  {
    path: "tls.certificate",
    variable: "SALLYPORT_TLS_CERTIFICATE",
    flag: "tlsCertificate",
    form: "text",
    says: "PEM file with the certificate chain; re-read when it changes and on SIGHUP",
  },
  {
    path: "tls.key",
    variable: "SALLYPORT_TLS_KEY",
    flag: "tlsKey",
    form: "text",
    says: "PEM file with its private key",
  },
  {
    path: "trustedProxies",
    variable: "SALLYPORT_TRUSTED_PROXIES",
    flag: "trustedProxies",
    form: "list",
    says: "networks of reverse proxies; if set, the gateway drops connections from every other peer (on the admin API, loopback stays allowed)",
  },
  {
    path: "proxyHops",
    variable: "SALLYPORT_PROXY_HOPS",
    flag: "proxyHops",
    form: "number",
    says: "number of trusted proxies in a row: the gateway trusts this many entries of X-Forwarded-For, from the right",
  },
  {
    path: "publicUrl",
    variable: "SALLYPORT_PUBLIC_URL",
    flag: "publicUrl",
    form: "text",
    says: "address of the data plane as clients write it, such as https://models.example.org; needed where a proxy ends TLS",
  },
  {
    path: "hosts",
    variable: "SALLYPORT_HOSTS",
    flag: "hosts",
    form: "list",
    says: "host names that clients use, in addition to localhost and IP addresses",
  },
  {
    path: "corsOrigins",
    variable: "SALLYPORT_CORS_ORIGINS",
    flag: "corsOrigins",
    form: "list",
    says: "origins whose pages may call from a browser, such as https://chat.example.org, app://obsidian.md or chrome-extension://ID; none by default",
  },
  {
    path: "environments",
    variable: "SALLYPORT_ENVIRONMENTS",
    flag: "environments",
    form: "list",
    says: "environments the data plane serves; the default is all",
  },
  {
    path: "upstreamHosts",
    variable: "SALLYPORT_UPSTREAM_HOSTS",
    flag: "upstreamHosts",
    form: "list",
    says: "hosts, HOST:PORT and networks where model servers may be; if not set, only a full administrator can add a model server",
  },
  {
    path: "policy",
    variable: "SALLYPORT_POLICY",
    flag: "policy",
    form: "text",
    says: "a policy file, applied whole at start and on SIGHUP",
  },
  { path: "log", variable: "SALLYPORT_LOG", flag: "log", form: "text", says: "lowest level that is logged" },
  {
    path: "ledger.retentionDays",
    variable: "SALLYPORT_LEDGER_RETENTION_DAYS",
    flag: null,
    form: "number",
    says: "how many days the audit log is kept",
  },
  {
    path: "ledger.retentionBytes",
    variable: "SALLYPORT_LEDGER_RETENTION_BYTES",
    flag: null,
    form: "number",
    says: "maximum size of the audit log in bytes; the gateway removes records of requests and of reads of the log first, then the oldest segments",
  },
  {
    path: "ledger.requestDays",
    variable: "SALLYPORT_LEDGER_REQUEST_DAYS",
    flag: null,
    form: "number",
    says: "how many days records of requests are kept, if that is less; their hashes stay in the log",
  },
  {
    path: "ledger.reserveBytes",
    variable: "SALLYPORT_LEDGER_RESERVE_BYTES",
    flag: null,
    form: "number",
    says: "bytes reserved on the disk, so that revocations still commit when it is full",
  },
  {
    path: "ledger.personalDays",
    variable: "SALLYPORT_LEDGER_PERSONAL_DAYS",
    flag: null,
    form: "number",
    says: "how many days addresses and clients of requests are kept; the records and their proofs stay",
  },
  {
    path: "ledger.securityPersonalDays",
    variable: "SALLYPORT_LEDGER_SECURITY_PERSONAL_DAYS",
    flag: null,
    form: "number",
    says: "how many days addresses, clients and names in records of administration and security are kept",
  },
  {
    path: "inFlightBytesMax",
    variable: "SALLYPORT_IN_FLIGHT_BYTES_MAX",
    flag: null,
    form: "number",
    says: "maximum bytes of request bodies in memory at the same time; one request can use an eighth of it, and at least 32 MiB",
  },
  {
    path: "tracing",
    variable: "SALLYPORT_TRACING",
    flag: null,
    form: "boolean",
    says: "whether the gateway creates a trace span for each request of a key",
  },
  {
    path: "otlp",
    variable: "SALLYPORT_OTLP",
    flag: null,
    form: "text",
    says: "OTLP/HTTP receiver of traces; /v1/traces is appended; the default is OTEL_EXPORTER_OTLP_ENDPOINT",
  },
  {
    path: "oidc.issuer",
    variable: "SALLYPORT_OIDC_ISSUER",
    flag: null,
    form: "text",
    says: "identity provider where users log in (OpenID Connect)",
  },
  {
    path: "oidc.clientId",
    variable: "SALLYPORT_OIDC_CLIENT_ID",
    flag: null,
    form: "text",
    says: "the gateway's client id at the provider; its redirect URI is `<publicUrl>/oidc/callback`",
  },
  {
    path: "oidc.clientSecret",
    variable: "SALLYPORT_OIDC_CLIENT_SECRET_FROM",
    flag: null,
    form: "text",
    says: "the client's secret: env:NAME or file:PATH; a public client has none",
  },
  {
    path: "oidc.groupsClaim",
    variable: "SALLYPORT_OIDC_GROUPS_CLAIM",
    flag: null,
    form: "text",
    says: "claim of the ID token that contains a user's groups",
  },
  {
    path: "oidc.defaultGroups",
    variable: "SALLYPORT_OIDC_DEFAULT_GROUPS",
    flag: null,
    form: "list",
    says: "groups of every user who logs in there, in addition to those of the claim; needed where the ID token has no groups (Google)",
  },
  {
    path: "oidc.scopes",
    variable: "SALLYPORT_OIDC_SCOPES",
    flag: null,
    form: "list",
    says: "scopes to request in addition to openid",
  },
  {
    path: "notices.url",
    variable: "SALLYPORT_NOTICES_URL",
    flag: null,
    form: "text",
    says: "receiver of signed notices about keys (a webhook): https, or http on loopback",
  },
  {
    path: "notices.secret",
    variable: "SALLYPORT_NOTICES_SECRET_FROM",
    flag: null,
    form: "text",
    says: "secret that signs the notices, at least 24 characters: env:NAME or file:PATH",
  },
  {
    path: "notices.smtp",
    variable: "SALLYPORT_NOTICES_SMTP",
    flag: null,
    form: "text",
    says: "mail server for the same notices: smtps://user@host:465, or smtp://user@host:587 (requires STARTTLS, except on loopback)",
  },
  {
    path: "notices.smtpPassword",
    variable: "SALLYPORT_NOTICES_SMTP_PASSWORD_FROM",
    flag: null,
    form: "text",
    says: "the user's password at the mail server: env:NAME or file:PATH",
  },
  {
    path: "notices.from",
    variable: "SALLYPORT_NOTICES_FROM",
    flag: null,
    form: "text",
    says: "sender of the mail",
  },
  {
    path: "notices.to",
    variable: "SALLYPORT_NOTICES_TO",
    flag: null,
    form: "list",
    says: "recipients of the mail, at most 10",
  },
  {
    path: "identity",
    variable: "SALLYPORT_IDENTITY",
    flag: null,
    form: "text",
    says: "a file with the identity providers whose events, log-outs and directories the gateway uses (docs/guides/provisioning.md), and with the senders of leak reports (docs/guides/leaks.md)",
  },
  {
    path: "sinks",
    variable: "SALLYPORT_SINKS",
    flag: null,
    form: "json",
    says: "where the gateway sends records of the audit log: a list of sinks, each with a `type` (in the variable as JSON; docs/guides/audit-export.md)",
  },
  {
    path: "witnesses",
    variable: "SALLYPORT_WITNESSES",
    flag: null,
    form: "json",
    says: "witnesses that cosign checkpoints of the audit log: a list, each with a `url` and a `key` (in the variable as JSON; docs/guides/proof.md)",
  },
  {
    path: "drain",
    variable: "SALLYPORT_DRAIN",
    flag: "drain",
    form: "text",
    says: "how long running requests may continue after SIGTERM; at most 10m",
  },
] as const satisfies readonly Leaf[];

/** Variables of the same prefix that are no settings: where the file is, and how the command line reaches a server. */
const OTHER_VARIABLES = [
  "SALLYPORT_SETTINGS",
  "SALLYPORT_ADMIN_URL",
  "SALLYPORT_ADMIN_KEY",
  // Where the log of changes is: with its password, so not a setting of the file (`postgres-address.ts`).
  "SALLYPORT_DATABASE",
  // Secrets under names of ours, to be named by `env:`.
  "SALLYPORT_KEK",
  "SALLYPORT_NEXT_KEK",
  "SALLYPORT_BACKUP_PASSPHRASE",
  "SALLYPORT_NOTICES_SECRET",
  "SALLYPORT_NOTICES_SMTP_PASSWORD",
  "SALLYPORT_OIDC_CLIENT_SECRET",
  "SALLYPORT_SINK_SECRET",
  "SALLYPORT_LEAK_SECRET",
  "SALLYPORT_PUSH_SECRET",
  "SALLYPORT_POLL_SECRET",
  "SALLYPORT_DIRECTORY_SECRET",
  // Where clients find a gateway, and their credential for it.
  "SALLYPORT_URL",
  "SALLYPORT_TOKEN",
  "SALLYPORT_API_KEY",
  "SALLYPORT_CREDENTIALS",
];

/** A variable of our prefix that nothing reads. `SALLYPORT_TEST_…` belongs to the tests. */
export function isUnknownVariable(name: string): boolean {
  return (
    name.startsWith("SALLYPORT_") &&
    !name.startsWith("SALLYPORT_TEST_") &&
    !OTHER_VARIABLES.includes(name) &&
    !leaves.some((leaf) => leaf.variable === name)
  );
}
