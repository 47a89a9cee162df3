/** Static settings: read once at start from file, environment and flags. Policy is not here: it lives in the store. */
import type { KeyEncryptionKeySource } from "../keys/sealer.ts";
import type { Listener } from "./listener-address.ts";
import type { IdentitySettings } from "./identity-file.ts";
import type { PostgresAddress } from "./postgres-address.ts";
import type { MailServer } from "./mail-server.ts";
import type { WitnessSettings } from "./witness-settings.ts";
import type { SinkSettings } from "./sink-settings.ts";
import type { SecretSource } from "./key-source.ts";

export interface Settings {
  readonly dataDirectory: string;
  /** PostgreSQL with the log of changes that several gateways share; absent or null = this is a single machine. */
  readonly database?: PostgresAddress | null;
  /** Where the key comes from that everything secret lies under. */
  readonly keyEncryptionKey: KeyEncryptionKeySource;
  readonly listen: Listener;
  readonly adminListen: Listener;
  /** PEM files; null = plain HTTP, allowed on loopback or behind `trustedProxies` only. */
  readonly tls: { readonly certificateFile: string; readonly keyFile: string } | null;
  /** CIDRs of proxies in front of the data plane; when set, every other peer is dropped. */
  readonly trustedProxies: readonly string[];
  /** How many of them stand one behind another. */
  readonly proxyHops: number;
  /** `https://models.example.org`: how clients reach the data plane; null = as the listener is. */
  readonly publicUrl: string | null;
  /** Host names to accept in addition to loopback names, IP literals of the listener and `localhost`. */
  readonly hosts: readonly string[];
  /** Origins allowed by CORS; none by default. */
  readonly corsOrigins: readonly string[];
  /** Environments the data plane serves; null = all. */
  readonly environments: readonly string[] | null;
  /** Hosts, `host:port` and networks that upstreams may be at; absent = only an administrator of everything adds one. */
  readonly upstreamHosts?: readonly string[];
  /** A policy file applied whole at start; null = none. */
  readonly policyFile: string | null;
  readonly logLevel: "debug" | "info" | "warn" | "error" | "silent";
  /** The OTLP/HTTP receiver's address for traces, path included; null = nothing is traced. */
  readonly tracing: { readonly url: string } | null;
  /** The OTLP/HTTP receiver of metrics, path included; null = they are only there to be scraped. */
  readonly metricExport: { readonly url: string; readonly intervalMs: number } | null;
  /** Where people log in; null = nowhere. */
  readonly oidc: {
    readonly issuer: string;
    readonly clientId: string;
    readonly clientSecret: SecretSource | null;
    readonly groupsClaim: string;
    readonly defaultGroups: readonly string[];
    readonly scopes: readonly string[];
  } | null;
  /** Where signed notices go; null = nowhere. */
  readonly notices: { readonly url: string; readonly secret: SecretSource } | null;
  /** Where notices are mailed; null = nowhere. */
  readonly mail: {
    readonly place: MailServer;
    readonly password: SecretSource | null;
    readonly from: string;
    readonly to: readonly string[];
  } | null;
  /** Identity providers that are heard; null = none. */
  readonly identity: IdentitySettings | null;
  readonly ledger: {
    readonly retentionDays: number;
    readonly retentionBytes: number;
    readonly requestDays: number;
    readonly reserveBytes: number;
    readonly personalDays: number;
    readonly securityPersonalDays: number;
  };
  /** Where audit records are sent in addition. */
  readonly sinks: readonly SinkSettings[];
  /** Who is asked to cosign its checkpoints. */
  readonly witnesses: readonly WitnessSettings[];
  /** Most bytes of requests and answers held in memory at the same time. */
  readonly inFlightBytesMax: number;
  /** How long SIGTERM lets running requests go on, ms. */
  readonly drainMs: number;
}
